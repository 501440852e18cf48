/**
 * Several Portico processes on one distributed store, as an operator runs them: `node src/main.ts` each,
 * behind a balancer whose URL is the issuer. The balancer gives every request to another node than the one
 * before, so whatever a node kept to itself is missed at the very next step.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { dialectNames } from '../../src/dialects/registry.ts';
import { type MailServer, startMailServer } from './mail-server.ts';
import { freePort } from './ports.ts';
import { CLIENTS, PEOPLE } from './server.ts';
import { withoutSettings } from './server-process.ts';
import { sharedServers, startRedis } from './servers.ts';
import { startUpstream, type TestUpstream } from './upstream.ts';

const root = path.join(import.meta.dirname, '../..');

/** Milliseconds until a process must be ready, on a machine with other work to do. */
const START = 90_000;

export interface PorticoNode {
  /** The node itself, past the balancer. No slash at the end. */
  readonly url: string;
  readonly port: number;
  /** The process of the moment. */
  readonly child: ChildProcess;
  /** What it wrote, over all its lives. */
  output(): string;
  /** Sends the signal and waits until the process is gone; milliseconds that it took. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<{ code: number | null; took: number }>;
  /** Starts it again where it was, and waits until it is ready. */
  start(): Promise<void>;
}

export interface Nodes {
  /** The balancer's; every request to it lands on the next node. Also the issuer. */
  readonly url: string;
  readonly issuer: string;
  readonly nodes: readonly PorticoNode[];
  /** Requests that each node answered for the balancer, in the order of `nodes`. */
  readonly served: readonly number[];
  readonly mail: MailServer;
  readonly upstream: TestUpstream;
  readonly stores: StoreUrls & { readonly database: string };
  /** keys.encryption. */
  readonly key: string;
  /** The configuration file of all nodes. */
  readonly file: string;
  close(): Promise<void>;
}

export interface StoreUrls {
  readonly mongo: string;
  readonly redis: string;
}

export interface NodesOptions {
  /** Default: 2. */
  readonly count?: number;
  readonly stores: StoreUrls;
  /** Merged into the top level of the configuration file. */
  readonly config?: Record<string, unknown>;
}

/** Throws with the output of a process that does not become ready. */
export async function startNodes(options: NodesOptions): Promise<Nodes> {
  const [mail, upstream] = await Promise.all([startMailServer(), startUpstream()]);
  const nodes: PorticoNode[] = [];
  const balancer = await startBalancer(() => nodes.map(({ port }) => port));
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-nodes-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'portico.yaml');
  const stores = { ...options.stores, database: `nodes-${randomUUID()}` };
  const key = randomBytes(32).toString('base64');
  writeFileSync(
    file,
    stringify({
      issuer: balancer.url,
      http: { host: '127.0.0.1', trustedProxies: ['127.0.0.1'], stopDelay: 1 },
      store: {
        kind: 'distributed',
        mongo: { url: stores.mongo, database: stores.database },
        redis: { url: stores.redis },
      },
      keys: { encryption: key },
      mail: { kind: 'smtp', smtp: { url: mail.url } },
      federation: upstream.federation,
      oidc: { rememberConsent: 'session' },
      dialects: Object.fromEntries(dialectNames.map((name) => [name, { enabled: true }])),
      seed: [PEOPLE, CLIENTS],
      ...options.config,
    }),
  );
  const close = async () => {
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
    await Promise.all([balancer.close(), mail.close(), upstream.close()]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (let i = 0; i < (options.count ?? 2); i += 1) nodes.push(prepareNode(file, await freePort()));
    await Promise.all(nodes.map((node) => node.start()));
  } catch (error) {
    await close();
    throw error;
  }
  const { url, served } = balancer;
  return { url, issuer: url, nodes, served, mail, upstream, stores, key, file, close };
}

let shared: Promise<Nodes | undefined> | undefined;

/** Three nodes that tests of this process share and leave as they are; undefined without the stores' servers. */
export function sharedNodes(): Promise<Nodes | undefined> {
  shared ??= (async () => {
    const servers = await sharedServers();
    if (!servers) return undefined;
    // A Redis of their own where one can be started: some tests look at everything that is in it.
    const redis = await startRedis({ own: true }).catch(() => servers.redis);
    return startNodes({ count: 3, stores: { mongo: servers.mongo.url, redis: redis.url } });
  })();
  return shared;
}

/* ------------------------------------------------------------------ one process */

const running = new Set<ChildProcess>();

/** No node outlives the tests, however they end. */
function watch(child: ChildProcess): void {
  if (running.size === 0) process.once('exit', endAll);
  running.add(child);
  child.once('exit', () => {
    running.delete(child);
    if (running.size === 0) process.off('exit', endAll);
  });
}

function endAll(): void {
  for (const child of running) child.kill('SIGKILL');
}

function prepareNode(file: string, port: number): PorticoNode {
  const url = `http://127.0.0.1:${port}`;
  const written: string[] = [];
  let child: ChildProcess | undefined;
  const output = () => written.join('');
  return {
    url,
    port,
    output,
    get child() {
      if (!child) throw new Error('The node was not started.');
      return child;
    },
    async start() {
      child = spawn(process.execPath, ['src/main.ts'], {
        cwd: root,
        env: {
          ...withoutSettings(process.env),
          NODE_ENV: 'test',
          PORTICO_CONFIG: file,
          PORTICO_HTTP__PORT: String(port),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      watch(child);
      child.stdout?.on('data', (chunk) => written.push(String(chunk)));
      child.stderr?.on('data', (chunk) => written.push(String(chunk)));
      await ready(url, child, output);
    },
    async end(signal) {
      const begun = performance.now();
      if (child && child.exitCode === null && child.signalCode === null) {
        const gone = once(child, 'exit');
        // One that was stopped (SIGSTOP) hears nothing but these two.
        child.kill(signal);
        child.kill('SIGCONT');
        await gone;
      }
      return { code: child?.exitCode ?? null, took: performance.now() - begun };
    },
  };
}

async function ready(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = performance.now() + START;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`A node ended with ${child.exitCode}:\n${output()}`);
    if ((await statusOf(`${url}/readyz`)) === 200) return;
    await sleep(50);
  }
  throw new Error(`A node was not ready within ${START} ms:\n${output()}`);
}

/** 0 when there was no answer. */
function statusOf(url: string): Promise<number> {
  return new Promise((resolve) => {
    const request = http.get(url, { agent: false, timeout: 5000 }, (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(0));
  });
}

/* ------------------------------------------------------------------ the balancer */

interface Balancer {
  readonly url: string;
  readonly served: readonly number[];
  close(): Promise<void>;
}

/**
 * Round robin, request by request. A node whose /readyz does not say yes gets nothing while another's does.
 * One that took the request and broke off is a 502, since nobody knows what it did, and rests until it is
 * ready again: a process on its way out still takes connections (nginx rests it, too: max_fails=1).
 */
async function startBalancer(ports: () => readonly number[]): Promise<Balancer> {
  const served: number[] = [];
  const resting = new Set<number>();
  const asked = new Set<number>();
  const look = async (port: number) => {
    asked.add(port);
    const ready = (await statusOf(`http://127.0.0.1:${port}/readyz`)) === 200;
    asked.delete(port);
    if (ready) resting.delete(port);
    else resting.add(port);
  };
  const looking = setInterval(() => {
    for (const port of ports()) if (!asked.has(port)) void look(port);
  }, 200);
  let lease = 0;
  const server = http.createServer(async (request, response) => {
    const all = ports();
    const first = lease;
    lease += 1;
    try {
      const body = await buffer(request);
      const inTurn = all.map((_, i) => (first + i) % all.length);
      const rests = (which: number) => resting.has(all[which] ?? 0);
      for (const which of [...inTurn.filter((one) => !rests(one)), ...inTurn.filter(rests)]) {
        const port = all[which] ?? 0;
        const reply = await forward(port, request, body).catch((error: unknown) => {
          resting.add(port);
          throw error;
        });
        if (reply === 'refused') {
          resting.add(port);
          continue;
        }
        served[which] = (served[which] ?? 0) + 1;
        response.writeHead(reply.statusCode ?? 502, reply.rawHeaders);
        reply.on('error', () => response.destroy()).pipe(response);
        return;
      }
      response
        .writeHead(503, { 'x-from': 'balancer', 'retry-after': '1' })
        .end('No node takes a connection.');
    } catch (error) {
      if (response.headersSent) response.destroy();
      else response.writeHead(502, { 'x-from': 'balancer' }).end(`The node broke off: ${String(error)}`);
    }
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    served,
    async close() {
      clearInterval(looking);
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Rejects when the node broke off. */
function forward(
  port: number,
  request: http.IncomingMessage,
  body: Buffer,
): Promise<http.IncomingMessage | 'refused'> {
  const { connection: _, 'x-forwarded-for': before, ...headers } = request.headers;
  const address = request.socket.remoteAddress ?? '127.0.0.1';
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      {
        ...{
          host: '127.0.0.1',
          port,
          agent: false,
          method: request.method ?? 'GET',
          path: request.url ?? '/',
        },
        // A test that names the client's address stands for a proxy before this one.
        headers: { ...headers, 'x-forwarded-for': before ?? address, 'content-length': body.byteLength },
      },
      resolve,
    );
    if (body.byteLength === 0 && request.method === 'GET') outgoing.removeHeader('content-length');
    outgoing.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNREFUSED' ? resolve('refused') : reject(error),
    );
    outgoing.end(body);
  });
}
