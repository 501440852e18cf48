import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { freePort } from '../support/ports.ts';
import { type Nginx, nginxProgram, sendRaw, startNginx } from './nginx-server.ts';
import { type RecordingNode, startRecordingNode } from './recording-node.ts';

/** Longer than a node rests after a failure (fail_timeout). */
const RESTED = 2200;

describe('nginx as shipped, before two nodes', function () {
  this.timeout(60_000);
  let program: string;
  let nginx: Nginx;
  let nodes: [RecordingNode, RecordingNode];
  before(async function () {
    const result = nginxProgram();
    if (!result) return this.skip();
    program = result;
    nodes = [await startRecordingNode(), await startRecordingNode()];
    nginx = await startNginx(program, [nodes[0].port, nodes[1].port]);
  });
  after(async () => {
    await nginx?.close();
    await Promise.all((nodes ?? []).map((node) => node.close()));
  });
  beforeEach(() => {
    for (const node of nodes) {
      node.seen.length = 0;
      node.answer = 200;
    }
  });

  const seen = () => nodes.flatMap((node) => node.seen);
  const statuses = (answer: string) =>
    [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
  const CLOSE = 'Connection: close\r\n\r\n';
  const head = (method: string, target = '/token') =>
    `${method} ${target} HTTP/1.1\r\nHost: id.example.org\r\n`;

  describe('TLS', () => {
    for (const [version, accepted] of [
      ['-tls1', false],
      ['-tls1_1', false],
      ['-tls1_2', true],
      ['-tls1_3', true],
    ] as const) {
      it(`H4 ${accepted ? 'accepts' : 'refuses'} ${version.slice(1)}`, async () => {
        const said = await handshake(nginx.port, version);
        expect(/Cipher is (ECDHE|TLS_)/.test(said), said).to.equal(accepted);
        expect(/alert protocol version/.test(said), said).to.equal(!accepted);
      });
    }

    it('H4 says so itself, and does not rest on what the OpenSSL of a system allows', () => {
      const shipped = readFileSync(path.join(import.meta.dirname, '../../deploy/nginx/portico.conf'), 'utf8');
      expect(shipped.match(/ssl_protocols [^;]*;/g)).to.deep.equal(['ssl_protocols TLSv1.2 TLSv1.3;']);
      expect(shipped).not.to.match(/SECLEVEL/);
    });

    it('H4 the client of this test could speak TLS 1.1: a server that takes it is spoken to', async () => {
      const port = await freePort();
      const folder = mkdtempSync(path.join(tmpdir(), 'portico-tls-'));
      const files = ['-keyout', path.join(folder, 'key'), '-out', path.join(folder, 'cert')];
      await finished(
        spawn('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=x', ...files]),
      );
      const lax = [
        '-cipher',
        'DEFAULT:@SECLEVEL=0',
        '-key',
        path.join(folder, 'key'),
        '-cert',
        path.join(folder, 'cert'),
      ];
      const server = spawn('openssl', ['s_server', '-accept', String(port), '-tls1_1', '-www', ...lax], {
        stdio: 'ignore',
      });
      let said = '';
      for (let tries = 0; tries < 20 && !said.includes('Cipher is ECDHE'); tries += 1) {
        await wait(100);
        said = await handshake(port, '-tls1_1');
      }
      server.kill('SIGKILL');
      rmSync(folder, { recursive: true });
      expect(said).to.match(/Cipher is ECDHE/);
    });

    it('H4 sends whoever comes over clear text to https, before a node sees anything', async () => {
      const reply = await fetch(`http://127.0.0.1:${nginx.httpPort}/authorize?a=b`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'x-forwarded-proto': 'https' },
      });
      expect(reply.status).to.equal(308);
      expect(reply.headers.get('location')).to.equal('https://127.0.0.1/authorize?a=b');
      expect(seen()).to.deep.equal([]);
    });
  });

  describe('the framing of requests', () => {
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: id.example.org\r\n\r\n';
    const cases: [what: string, request: string][] = [
      [
        'Content-Length beside Transfer-Encoding',
        `${head('POST')}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      ],
      [
        'Transfer-Encoding beside Content-Length',
        `${head('POST')}Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n0\r\n\r\n${smuggled}`,
      ],
      [
        'two lengths',
        `${head('POST')}Content-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
      ],
      [
        'the same length twice',
        `${head('POST')}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello${smuggled}`,
      ],
      ['a list of lengths', `${head('POST')}Content-Length: 0, ${smuggled.length}\r\n\r\n${smuggled}`],
      ['a length with a sign', `${head('POST')}Content-Length: +0\r\n\r\n${smuggled}`],
      ['a negative length', `${head('POST')}Content-Length: -1\r\n\r\n${smuggled}`],
      ['a length that is no number', `${head('POST')}Content-Length: 0x0\r\n\r\n${smuggled}`],
      [
        'an unknown transfer coding',
        `${head('POST')}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
      ],
      [
        'two transfer codings',
        `${head('POST')}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
      ],
      [
        'chunked twice',
        `${head('POST')}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      ],
      [
        'a chunk size that is no number',
        `${head('POST')}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${smuggled}`,
      ],
      [
        'a bare LF that hides Transfer-Encoding from some',
        `${head('POST')}Content-Length: 5\r\nX: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
      ],
      [
        'a bare CR in a field',
        `${head('POST')}X: a\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n`,
      ],
      ['a NUL in a field', `${head('POST')}X: a\0b\r\nContent-Length: 0\r\n\r\n`],
      ['no Host', `GET / HTTP/1.1\r\n${CLOSE}`],
      ['two Hosts', `${head('GET')}Host: evil.example\r\n${CLOSE}`],
      ['a Host that is none', `GET / HTTP/1.1\r\nHost: a b\r\n${CLOSE}`],
    ];
    for (const [what, request] of cases) {
      it(`H4 refuses ${what}, and no node sees it`, async () => {
        const answer = await sendRaw(nginx, request);
        expect(statuses(answer)[0], answer).to.be.oneOf(['400', '501']);
        expect(statuses(answer).length, 'the connection ends there').to.equal(1);
        expect(seen()).to.deep.equal([]);
      });
    }

    const bare: [what: string, request: string][] = [
      [
        'in the head',
        `POST /token HTTP/1.1\nHost: id.example.org\nContent-Length: ${smuggled.length}\nConnection: close\n\n${smuggled}`,
      ],
      [
        'at the end of the head',
        `${head('POST')}Content-Length: ${smuggled.length}\r\nConnection: close\n\n${smuggled}`,
      ],
      [
        'after a chunk',
        `${head('POST')}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${smuggled.length.toString(16)}\n${smuggled}\n0\n\n`,
      ],
      [
        'in a chunk extension',
        `${head('POST')}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2;\nxx\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
      ],
    ];
    for (const [where, request] of bare) {
      it(`H4 a bare LF ${where} smuggles nothing: refused, or one request with a framing of nginx's own`, async () => {
        const answer = await sendRaw(nginx, request);
        expect(seen().map(({ url }) => url)).not.to.include('/smuggled');
        if (statuses(answer)[0] === '400') {
          expect(seen()).to.deep.equal([]);
          return;
        }
        expect(statuses(answer)).to.have.length(1);
        const [only, ...more] = seen();
        expect(more).to.deep.equal([]);
        expect(only?.url).to.equal('/token');
        expect(only?.headers['transfer-encoding']).to.equal(undefined);
        expect(only?.headers['content-length']).to.equal(String(Buffer.byteLength(only?.body ?? '')));
      });
    }

    it('H4 a chunked body reaches a node with a length', async () => {
      const answer = await sendRaw(
        nginx,
        `${head('POST')}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      );
      expect(statuses(answer)).to.deep.equal(['200']);
      const [only] = seen();
      expect(only?.body).to.equal('hello');
      expect(only?.headers)
        .to.include({ 'content-length': '5' })
        .and.not.to.have.property('transfer-encoding');
    });

    it('H4 hop-by-hop fields stay behind', async () => {
      await sendRaw(
        nginx,
        `${head('GET', '/')}TE: trailers\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nTrailer: X\r\nConnection: Upgrade, X-Forwarded-For, close\r\n\r\n`,
      );
      const [only] = seen();
      for (const name of ['te', 'upgrade', 'trailer', 'expect'])
        expect(only?.headers).not.to.have.property(name);
      expect(only?.headers['x-forwarded-for'], 'not to be dropped by a word of the client').to.equal(
        '127.0.0.1',
      );
    });
  });

  it('R1 overwrites what a client says about where it comes from', async () => {
    const lies = [
      'X-Forwarded-For: 203.0.113.9',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: evil.example',
      'X-Forwarded-Port: 1',
      'Forwarded: for=203.0.113.9',
      'X-Real-IP: 203.0.113.9',
      'X-Forwarded-Prefix: /evil',
      'X-Original-URL: /evil',
      'X-Rewrite-URL: /evil',
      'X_Forwarded_For: 203.0.113.9',
      'X-Client-Cert: evil',
      'X-Client-Verify: evil',
      'Client-Cert: :evil:',
      'Client-Cert-Chain: :evil:',
    ];
    await sendRaw(nginx, `${head('GET', '/')}${lies.join('\r\n')}\r\n${CLOSE}`);
    const { headers } = seen()[0] ?? { headers: {} };
    expect(headers).to.include({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'id.example.org',
      host: 'id.example.org',
    });
    expect(JSON.stringify(headers)).not.to.match(/203\.0\.113\.9|evil/);
  });

  it('does not tell its version', async () => {
    for (const target of ['/', '/%'])
      expect(await sendRaw(nginx, `${head('GET', target)}${CLOSE}`)).not.to.match(/nginx\/\d/);
  });

  it('refuses a body and a head that are too large', async () => {
    const body = `${head('POST')}Content-Length: 2000000\r\n${CLOSE}`;
    expect(statuses(await sendRaw(nginx, body))).to.deep.equal(['413']);
    const long = `${head('GET')}X: ${'x'.repeat(20_000)}\r\n${CLOSE}`;
    expect(statuses(await sendRaw(nginx, long))).to.deep.equal(['400']);
    expect(seen()).to.deep.equal([]);
  });

  describe('a flood from one address', () => {
    /** A request from an address of this machine; resolves with its status, or with nothing while its body is due. */
    function ask(at: Nginx, from: string, request: string) {
      const socket = connectTls({
        ...{ port: at.port, host: '127.0.0.1', localAddress: from, servername: 'localhost' },
        rejectUnauthorized: false,
      });
      const answer = new Promise<string>((resolve, reject) => {
        let said = '';
        socket.on('data', (chunk) => {
          said += chunk;
        });
        socket.on('error', reject).on('close', () => resolve(said));
      });
      socket.write(request);
      return { answer, socket, under: once(socket, 'secureConnect') };
    }
    const get = `${head('GET')}${CLOSE}`;

    it('B10 B4 of requests is refused with 429 above what a clinic has, and others are served meanwhile', async () => {
      const flooded = await startNginx(program, [nodes[0].port, nodes[1].port]);
      const began = Date.now();
      const answers: string[] = [];
      for (let round = 0; round < 12; round += 1) {
        const burst = Array.from({ length: 50 }, () => ask(flooded, '127.0.0.1', get).answer);
        answers.push(...(await Promise.all(burst)));
      }
      const seconds = (Date.now() - began) / 1000;
      const served = answers.filter((answer) => statuses(answer)[0] === '200').length;
      const refused = answers.filter((answer) => statuses(answer)[0] === '429');
      const other = await ask(flooded, '127.0.0.2', get).answer;
      await flooded.close();
      expect(served, 'a clinic that signs in at once').to.be.at.least(300);
      expect(served).to.be.at.most(310 + 100 * seconds);
      if (seconds < 2) expect(refused).not.to.deep.equal([]);
      for (const answer of refused)
        expect(answer)
          .to.match(/^Retry-After: 1\r$/m)
          .and.contain('"error":"temporarily_unavailable"');
      expect(seen()).to.have.length(served + 1);
      expect(statuses(other)).to.deep.equal(['200']);
    });

    it('B10 B4 of bodies that do not come holds a hundred connections, and others are served meanwhile', async () => {
      const flooded = await startNginx(program, [nodes[0].port, nodes[1].port]);
      const slow = Array.from({ length: 100 }, () =>
        ask(flooded, '127.0.0.1', `${head('POST')}Content-Length: 5\r\n\r\nhel`),
      );
      await Promise.all(slow.map(({ under }) => under));
      await wait(300);
      const more = await ask(flooded, '127.0.0.1', get).answer;
      const other = await ask(flooded, '127.0.0.2', get).answer;
      for (const { socket } of slow) socket.destroy();
      await flooded.close();
      expect(statuses(more)).to.deep.equal(['429']);
      expect(statuses(other)).to.deep.equal(['200']);
    });

    it('B10 B4 counts an IPv6 client by its /64, and an operator’s own servers not at all', async () => {
      const shown = await startNginx(program, [nodes[0].port, nodes[1].port], undefined, [
        [
          'map $limited:$remote_addr',
          'geo $arg_address $own { default 1; 192.0.2.10 0; }\nmap $own:$arg_address',
        ],
        ['default $binary_remote_addr;', 'default alone;'],
        ['limit_req zone', 'if ($arg_address) { return 200 "<$limited_client>"; }\nlimit_req zone'],
      ]);
      const clientOf = async (address: string) =>
        /<(.*)>/.exec(await sendRaw(shown, `${head('GET', `/?address=${address}`)}${CLOSE}`))?.[1];
      const clients = {
        '203.0.113.9': 'alone',
        '192.0.2.10': '',
        '2001:db8:1:2:3:4:5:6': '2001:db8:1:2',
        '2001:db8:1:2::6': '2001:db8:1:2',
        '2001:db8:1:2:a::': '2001:db8:1:2',
        '2001:db8:1::6': '2001:db8:1',
        '2001:db8::a:b:c:d': '2001:db8',
        '::1': 'alone',
      };
      const result: Record<string, string | undefined> = {};
      for (const address of Object.keys(clients)) result[address] = await clientOf(address);
      await shown.close();
      expect(result).to.deep.equal({ ...clients });
    });
  });

  describe('when a node is in trouble', () => {
    const post = `${head('POST')}Content-Length: 5\r\n${CLOSE}hello`;
    const get = `${head('GET')}${CLOSE}`;
    const both = async (request: string) => [await sendRaw(nginx, request), await sendRaw(nginx, request)];
    afterEach(() => wait(RESTED));

    it('R3 a POST that reached a node which broke off is not sent again: 503 with Retry-After', async () => {
      for (const node of nodes) node.answer = 'break-off';
      const answer = await sendRaw(nginx, post);
      expect(seen().map(({ method }) => method)).to.deep.equal(['POST']);
      expect(statuses(answer)).to.deep.equal(['503']);
      expect(answer)
        .to.match(/^Retry-After: 5\r$/m)
        .and.contain('temporarily_unavailable');
    });

    it('a POST that a node answered with 503 is not sent to the other; the answer passes as it is', async () => {
      for (const node of nodes) node.answer = 503;
      const answer = await sendRaw(nginx, post);
      expect(seen()).to.have.length(1);
      expect(statuses(answer)).to.deep.equal(['503']);
      expect(answer)
        .to.match(/^Retry-After: 7\r$/im)
        .and.contain('from the node');
    });

    it('a GET is answered by the other node', async () => {
      nodes[0].answer = 'break-off';
      for (const answer of await both(get)) expect(statuses(answer)).to.deep.equal(['200']);
    });

    it('A1 a node that takes no connection costs no request, not even a POST', async () => {
      const [port] = [await freePort()];
      const half = await startNginx(program, [port, nodes[1].port]);
      const answers = [];
      for (let count = 0; count < 4; count += 1) answers.push(await sendRaw(half, post));
      await half.close();
      expect(answers.map((answer) => statuses(answer)[0])).to.deep.equal(['200', '200', '200', '200']);
      expect(nodes[1].seen).to.have.length(4);
    });

    it('no node at all is 503 with Retry-After, and no page of nginx', async () => {
      const none = await startNginx(program, [await freePort(), await freePort()]);
      const answer = await sendRaw(none, get);
      await none.close();
      expect(statuses(answer)).to.deep.equal(['503']);
      expect(answer)
        .to.match(/^Retry-After: 5\r$/m)
        .and.match(/^Content-Type: application\/json/m);
    });
  });
});

/** What openssl says of a handshake, with every old thing switched on that it has. */
async function handshake(port: number, version: string): Promise<string> {
  const lax = version === '-tls1' || version === '-tls1_1' ? ['-cipher', 'DEFAULT:@SECLEVEL=0'] : [];
  return finished(
    spawn('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-servername',
      'localhost',
      version,
      ...lax,
    ]),
  );
}

async function finished(child: ReturnType<typeof spawn>): Promise<string> {
  child.stdin?.end();
  const said = Promise.all([child.stdout, child.stderr].map((stream) => (stream ? text(stream) : '')));
  await once(child, 'close');
  return (await said).join('\n');
}
