import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect } from 'chai';
import { createUnfinishedRequests } from '../../src/http/middleware/unfinished-requests.ts';
import { isOfConnection } from '../../src/observe/connection-errors.ts';
import { createLog } from '../../src/observe/log.ts';
import { startTestServer } from '../support/server.ts';

describe('Requests that never come whole', function () {
  this.timeout(20_000);

  /** What a client does instead of sending the rest of its body. */
  const ENDS = {
    'breaks off': (socket: ReturnType<typeof connect>) => socket.destroy(),
    'resets the connection': (socket: ReturnType<typeof connect>) => socket.resetAndDestroy(),
    'says that there is no more': (socket: ReturnType<typeof connect>) => socket.end(),
    'sends what is no chunk': (socket: ReturnType<typeof connect>) => socket.write('zz\r\n'),
  };

  it('B10 A5 L2 are one line with their number, and no line, audit record or stack each', async () => {
    const server = await startTestServer({ config: { log: { level: 'info' } } });
    const { port } = new URL(server.url);
    const from = server.logged.length;
    const paths = ['/token', '/introspect', '/revoke', '/par', '/device_authorization', '/forgot', '/reset'];
    const vendors = ['/api_v3/users/login', '/api/v1/auth/login', '/api/login', '/patient/auth/login'];
    let sent = 0;
    for (const path of [...paths, ...vendors, '/api/therapist/v1/sign-in']) {
      await Promise.all(
        Object.entries(ENDS).map(async ([how, end]) => {
          const socket = connect(Number(port), '127.0.0.1');
          socket.on('error', () => {});
          const framing =
            how === 'sends what is no chunk' ? 'Transfer-Encoding: chunked' : 'Content-Length: 100';
          const type =
            path.startsWith('/api') || path.startsWith('/patient') ? 'json' : 'x-www-form-urlencoded';
          socket.write(
            `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nExpect: 100-continue\r\nContent-Type: application/${type}\r\n${framing}\r\n\r\n`,
          );
          if (framing.startsWith('Content')) socket.write('{"a":');
          // "100 Continue": the server has the request.
          await once(socket, 'data');
          end(socket);
          socket.resume();
          if (!socket.closed) await once(socket, 'close');
          sent += 1;
        }),
      );
    }
    await server.close();
    const lines = server.logged.slice(from);
    expect(lines.filter(({ level }) => level === 'error' || level === 'warn')).to.deep.equal([]);
    expect(lines.filter(({ audit }) => audit !== undefined)).to.deep.equal([]);
    const told = lines.filter(({ msg }) => msg === 'requests that never came whole');
    expect(told.map(({ requests }) => requests)).to.deep.equal([sent]);
    expect(lines).to.have.length(1);
  });

  it('B10 A5 are told once a minute, and not at all when there are none', async () => {
    const lines: string[] = [];
    const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } });
    const unfinished = createUnfinishedRequests(log);
    await unfinished.tell();
    for (let request = 0; request < 5000; request += 1) unfinished.count();
    await unfinished.tell();
    await unfinished.tell();
    expect(lines.map((line) => JSON.parse(line).requests)).to.deep.equal([5000]);
  });

  it('B10 A5 a request that Node gives up is one of them', async () => {
    const server = createServer({
      requestTimeout: 100,
      headersTimeout: 100,
      connectionsCheckingInterval: 50,
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const failed = once(server, 'request').then(([request]) => once(request, 'error'));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
    const [error] = await failed;
    expect(isOfConnection(error), String(error)).to.equal(true);
    socket.destroy();
    server.close();
  });
});
