/** Bodies and forms, on the forms of the pages. */

import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { Refused } from '../../src/core/refused.ts';
import { parseForm, parseJson } from '../../src/http/request/read-body.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { type AppOnPort, startApp } from './app-on-port.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe('reading bodies', () => {
  let app: AppOnPort;
  let client: HttpClient;

  before(async () => {
    app = await startApp({ oidc: { methods: (path) => (path === '/token' ? ['POST'] : undefined) } });
    client = openClient(app.url);
  });

  after(async () => {
    client.close();
    await app.close();
  });

  const post = (body: string | Buffer, headers: Record<string, string> = FORM) =>
    client.send({ method: 'POST', path: '/interaction/x/sign-in', body, headers });

  it('H3 W4 answers 413 to a form of 10 MB, and goes on answering', async () => {
    const big = await sendAnyway(app.port, 10 * 1024 * 1024);
    expect(big === 413 || big === 'cut off').to.equal(true);
    expect((await client.send({ method: 'GET', path: '/livez' })).status).to.equal(200);
  });

  it('H3 answers 413 to a form that is a little too long, on a connection that stays', async () => {
    expect((await post(`password=${'x'.repeat(100_000)}`)).status).to.equal(413);
    expect((await post(`password=${'x'.repeat(20_000)}`)).status).to.equal(413);
  });

  it('H3 does not unpack a compressed form', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000, 'a'));
    expect((await post(bomb, { ...FORM, 'content-encoding': 'gzip' })).status).to.equal(415);
  });

  it('H3 says 413 and 415 for the provider too', async () => {
    const token = (body: string, headers: Record<string, string>) =>
      client.send({ method: 'POST', path: '/token', body, headers });
    expect((await token('x'.repeat(60_000), FORM)).status).to.equal(413);
    expect((await token('x', { ...FORM, 'content-encoding': 'br' })).status).to.equal(415);
  });

  for (const [what, body, status] of [
    [
      '10,000 names',
      Array.from({ length: 10_000 }, (_, i) => `${i}`)
        .join('&')
        .slice(0, 16_000),
      400,
    ],
    ['bytes that are no UTF-8', 'login=%ff%fe', 400],
    ['raw bytes that are no UTF-8', Buffer.from([0x61, 0x3d, 0xff]), 400],
    ['a field given twice', 'login=a&login=b', 400],
  ] as const) {
    it(`H3 refuses a form with ${what}`, async () => {
      expect((await post(body)).status).to.equal(status);
    });
  }

  it('refuses a form of another media type', async () => {
    expect((await post('{"login":"a"}', { 'content-type': 'application/json' })).status).to.equal(415);
    expect((await post('login=a', { 'content-type': 'text/plain' })).status).to.equal(415);
    expect((await post('login=a', {})).status).to.equal(415);
  });

  it('H3 reads JSON however deep it is nested, and refuses what is broken', () => {
    expect(() => parseJson('['.repeat(100_000))).to.throw(Refused);
    const deep = `{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`;
    expect(Object.keys(parseJson(deep) as object)).to.deep.equal(['a']);
  });

  it('reads what browsers send', () => {
    const form = parseForm('a=1+2&b=%C3%A4&c&d=50%&=x&__proto__=y');
    expect([...form]).to.deep.equal([
      ['a', '1 2'],
      ['b', 'ä'],
      ['c', ''],
      ['d', '50%'],
      ['', 'x'],
      ['__proto__', 'y'],
    ]);
  });
});

/** The status, or 'cut off' where the server hung up on a client that would not stop. */
function sendAnyway(port: number, bytes: number): Promise<number | 'cut off'> {
  return new Promise((resolve) => {
    const outgoing = httpRequest(
      {
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/interaction/x/sign-in',
        headers: { ...FORM, 'content-length': bytes },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    outgoing.on('error', () => resolve('cut off'));
    outgoing.end(Buffer.alloc(bytes, 'a'));
  });
}
