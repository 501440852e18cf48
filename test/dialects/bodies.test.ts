import { connect } from 'node:net';
import { expect } from 'chai';
import { z } from 'zod';
import { ok } from '../../src/dialects/contract/reply.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { PLAIN, probe, probeEndpoint } from './probe.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const strict = probe({ name: 'strict' });
const open = probe({
  name: 'open',
  bodies: {
    accepts: ['json', 'form', 'multipart'],
    forms: 'nested',
    absent: 'empty-object',
    repairForm: (fields, kind) => ({ ...fields, kind }),
  },
});
const flat = probe({ name: 'flat', bodies: { accepts: ['json', 'form'], absent: 'empty-object' } });
const lenient = probe({ name: 'lenient', bodies: { unreadable: 'empty-object', absent: 'empty-object' } });
const untyped = probe({
  name: 'untyped',
  bodies: { untyped: 'json', jsonTypes: /^application\/[\w.-]+\+json$/ },
});

const named = probe({
  name: 'named',
  endpoints: [
    probeEndpoint({
      ...PLAIN,
      path: '/echo',
      accepts: { body: z.object({ a: z.number(), admin: z.boolean().optional() }) },
      answer: async ({ body }) => ok({ body }),
    }),
  ],
});

describe('bodies', () => {
  let server: TestServer;
  let client: HttpClient;

  before(async () => {
    server = await startTestServer({ dialects: [strict, open, flat, lenient, untyped, named] });
    client = openClient(server.url);
  });
  after(async () => {
    client.close();
    await server.close();
  });

  async function post(vendor: string, body: string | Buffer, headers: Record<string, string> = JSON_TYPE) {
    const reply = await client.send({ method: 'POST', path: `/${vendor}/echo`, headers, body });
    return { status: reply.status, json: reply.json() as { body?: unknown; error?: string } };
  }
  const refusal = async (...sent: Parameters<typeof post>) => {
    const { status, json } = await post(...sent);
    return `${status} ${json.error}`;
  };
  const fieldsOf = async (...sent: Parameters<typeof post>) => (await post(...sent)).json.body;

  it('C6 are JSON objects in UTF-8', async () => {
    expect(await fieldsOf('strict', '{"a":"ü","b":[1,{"c":null}]}')).to.deep.equal({
      a: 'ü',
      b: [1, { c: null }],
    });
    expect(
      await fieldsOf('strict', '{"a":1}', { 'content-type': 'Application/JSON; charset=utf-8' }),
    ).to.deep.equal({ a: 1 });
    for (const body of ['{', '', '{"a":1}}', '[]', 'null', '"x"', '1', Buffer.from([0x7b, 0xff, 0x7d])]) {
      expect(await refusal('strict', body), String(body)).to.equal('400 unreadable');
    }
  });

  it('of another type, or of none, are refused', async () => {
    for (const headers of [
      {},
      FORM,
      { 'content-type': 'text/plain' },
      { 'content-type': 'multipart/form-data; boundary=x' },
    ]) {
      expect(await refusal('strict', '{"a":1}', headers)).to.equal('415 unsupported_media_type');
    }
    expect(await refusal('strict', '{"a":1}', { 'content-type': 'application/x+json' })).to.equal(
      '415 unsupported_media_type',
    );
  });

  it('without a type are JSON where the vendor reads them so', async () => {
    expect(await fieldsOf('untyped', '{"a":1}', {})).to.deep.equal({ a: 1 });
    expect(
      await fieldsOf('untyped', '{"a":1}', { 'content-type': 'application/vnd.x+json; q=1' }),
    ).to.deep.equal({ a: 1 });
    expect(await refusal('untyped', '', { 'content-type': 'text/plain' })).to.equal('400 unreadable');
  });

  it('C6 keep __proto__ and constructor from being anything but names', async () => {
    const json = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"a":1}';
    const { body } = (await post('strict', json)).json as { body: Record<string, unknown> };
    expect(body.a).to.equal(1);
    expect(({} as { admin?: boolean }).admin).to.equal(undefined);
    // Not even where an endpoint asks for that very name.
    expect(await fieldsOf('named', json)).to.deep.equal({ a: 1 });
    const form = await fieldsOf('open', '__proto__[admin]=1&constructor[prototype]=1&a=1', FORM);
    expect((form as { a: string }).a).to.equal('1');
    expect(({} as { admin?: string }).admin).to.equal(undefined);
  });

  it('let the last of repeated members count', async () => {
    expect(await fieldsOf('strict', '{"a":1,"a":2}')).to.deep.equal({ a: 2 });
  });

  it('H3 of 64 KiB are read, one byte more is 413, also when much more follows', async () => {
    const padded = (length: number) => `{"a":"${'x'.repeat(length - 8)}"}`;
    expect((await post('strict', padded(65_536))).status).to.equal(200);
    expect(await refusal('strict', padded(65_537))).to.equal('413 too_large');
    expect(await refusal('strict', padded(1_900_000))).to.equal('413 too_large');
    expect(await refusal('lenient', padded(65_537))).to.equal('413 too_large');
  });

  it('H3 of endless length get their reply, and the connection ends', async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.on('error', () => undefined);
    const text = new Promise<string>((resolve) => {
      let received = '';
      socket.on('data', (chunk) => {
        received += String(chunk);
      });
      socket.on('close', () => resolve(received));
    });
    socket.write(
      'POST /strict/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000000\r\n\r\n',
    );
    expect(await text).to.match(/^HTTP\/1.1 413 [\s\S]*connection: close[\s\S]*too_large/i);
  });

  it('H3 with a Content-Encoding are never unpacked', async () => {
    const encoded = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    expect(await refusal('strict', '{"a":1}', encoded)).to.equal('415 unsupported_encoding');
    expect(
      (await post('strict', '{"a":1}', { ...JSON_TYPE, 'content-encoding': 'identity' })).status,
    ).to.equal(200);
    expect(await fieldsOf('lenient', '{"a":1}', encoded)).to.deep.equal({});
  });

  it('that cannot be read are {} where the vendor takes them so', async () => {
    for (const body of ['{', '[]', 'null', Buffer.from([0xff])])
      expect(await fieldsOf('lenient', body)).to.deep.equal({});
    expect(await fieldsOf('lenient', 'a=1', FORM)).to.deep.equal({});
    expect(await fieldsOf('lenient', '{"a":1}', {})).to.deep.equal({});
  });

  it('need not be there, nor have a type, where the vendor says so', async () => {
    expect(await fieldsOf('flat', '', {})).to.deep.equal({});
    expect(await fieldsOf('flat', '', { 'content-type': 'text/plain' })).to.deep.equal({});
  });

  it('as flat forms have arrays for names given twice, and brackets in names', async () => {
    expect(await fieldsOf('flat', 'a=1&a=2&a=3&b%5B$ne%5D=&c=x+y%2B', FORM)).to.deep.equal({
      a: ['1', '2', '3'],
      'b[$ne]': '',
      c: 'x y+',
    });
  });

  it('as nested forms have arrays and objects, one level deep', async () => {
    const form = 'a%5B%5D=1&b%5B0%5D=2&c%5Bd%5D=3&c%5Be%5D=4&f=5&f=6&g%5Bh%5D%5Bi%5D=7&p%5B$ne%5D=';
    expect(await fieldsOf('open', form, FORM)).to.deep.equal({
      a: ['1'],
      b: ['2'],
      c: { d: '3', e: '4' },
      f: ['5', '6'],
      'g[h][i]': '7',
      p: { $ne: '' },
      kind: 'form',
    });
  });

  it('as forms must be UTF-8 behind their escapes', async () => {
    expect(await refusal('flat', 'a=%ff', FORM)).to.equal('400 unreadable');
    expect(await fieldsOf('flat', 'a=100%&b=%zz', FORM)).to.deep.equal({ a: '100%', b: '%zz' });
  });

  it('as multipart are read with a malformed header, and refused when cut off', async () => {
    const part = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n';
    for (const type of [
      'multipart/form-data; boundary=x',
      'multipart/form-data;; boundary=x',
      'Multipart/Form-Data; ;boundary="x";',
    ]) {
      expect(await fieldsOf('open', `${part}--x--\r\n`, { 'content-type': type }), type).to.deep.equal({
        a: '1',
        kind: 'multipart',
      });
    }
    const cut = { 'content-type': 'multipart/form-data; boundary=x' };
    expect(await refusal('open', part, cut)).to.equal('400 unreadable');
    expect(await refusal('open', part, { 'content-type': 'multipart/form-data' })).to.equal('400 unreadable');
  });

  it('as multipart may hold the characters of their boundary, and what stands before and after the parts', async () => {
    const type = { 'content-type': 'multipart/form-data; boundary=x' };
    const part = (name: string, value: string) =>
      `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
    for (const value of ['x', 'ax--x', '--xx', 'a\r\n--xy\r\nb', 'é--x--', '--x\r'])
      expect(await fieldsOf('open', `${part('a', value)}--x--\r\n`, type), value).to.deep.equal({
        a: value,
        kind: 'multipart',
      });
    const padded = `before\r\n${part('a', '1').replace('--x', '--x \t')}${part('b', '2')}--x-- \r\nafter\r\n`;
    expect(await fieldsOf('open', padded, type)).to.deep.equal({ a: '1', b: '2', kind: 'multipart' });
  });

  it('have a query beside them that is read like a form', async () => {
    const reply = await client.send({ method: 'POST', path: '/open/echo?a[]=1&a[]=2&b=3&b=4', headers: {} });
    expect((reply.json() as { query: unknown }).query).to.deep.equal({ a: ['1', '2'], b: ['3', '4'] });
  });
});
