/** Ports of this machine, for what is started on one. */
import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';

/**
 * Below the ports that the system hands out by itself (from 32768 on Linux), which may go to a connection or to a
 * server on port 0 before the test's own program takes them. Browsers refuse none of these.
 */
const [FIRST, COUNT] = [12_000, 20_000];

/** Counted, so that no port is given twice, from a random one: other processes of tests count too. */
let last = randomInt(COUNT);

/** A port that was free a moment ago, and another one at each call. */
export async function freePort(): Promise<number> {
  last = (last + 1) % COUNT;
  const port = FIRST + last;
  return (await isFree(port)) ? port : freePort();
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** True when a server takes connections there. */
export function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => done(true)).once('error', () => done(false));
  });
}
