/**
 * Debian's nginx with the configuration that is shipped, on free ports and a certificate made for it. Only
 * addresses and paths are replaced; a line that is not found stops the test.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { freePort, takesConnections } from '../support/ports.ts';

const SHIPPED = path.join(import.meta.dirname, '../../deploy/nginx');

export interface Nginx {
  /** https://localhost:<port> */
  readonly url: string;
  readonly port: number;
  readonly httpPort: number;
  /** PEM text; nginx's own, signed by itself. */
  readonly certificate: string;
  close(): Promise<void>;
}

/** The program, or undefined after a note for the end of the run. Throws with CI=true. */
export function nginxProgram(): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin']) {
    try {
      accessSync(path.join(folder, 'nginx'), constants.X_OK);
      return path.join(folder, 'nginx');
    } catch {
      // The next folder may have it.
    }
  }
  const note = 'There is no nginx: the tests of deploy/nginx did NOT run.';
  if (process.env.CI === 'true') throw new Error(`${note} Install it (apt-get install nginx).`);
  process.on('exit', () => process.stderr.write(`\n*** ${note}\n\n`));
  return undefined;
}

/**
 * `nodes`: the ports of the two upstream servers. `port`: where TLS is; a free one by default. `changes`: texts of
 * the shipped file, each there once, and what a test has in their places. `mtls`: with mtls.conf, too, on this port;
 * the authorities are PEM.
 */
export async function startNginx(
  program: string,
  nodes: readonly [number, number],
  port?: number,
  changes: readonly [string, string][] = [],
  mtls?: { readonly port: number; readonly authorities: string },
): Promise<Nginx> {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-nginx-'));
  // Its workers may run as another user.
  chmodSync(folder, 0o755);
  const [tlsPort, httpPort] = [port ?? (await freePort()), await freePort()];
  await makeCertificate(folder);
  const replacements: [string, string][] = [
    ['server portico-1:3000', `server 127.0.0.1:${nodes[0]}`],
    ['server portico-2:3000', `server 127.0.0.1:${nodes[1]}`],
    ['listen 80 default_server;', `listen 127.0.0.1:${httpPort} default_server;`],
    ['listen 443 ssl default_server;', `listen 127.0.0.1:${tlsPort} ssl default_server;`],
    ['/etc/nginx/tls/certificate.pem', path.join(folder, 'certificate.pem')],
    ['/etc/nginx/tls/key.pem', path.join(folder, 'key.pem')],
    ...changes,
  ];
  writeFileSync(path.join(folder, 'portico.conf'), shipped('portico.conf', replacements));
  if (mtls !== undefined) {
    const authorities = path.join(folder, 'client-authorities.pem');
    writeFileSync(authorities, mtls.authorities);
    const own: [string, string][] = [
      ['listen 443 ssl;', `listen 127.0.0.1:${mtls.port} ssl;`],
      ['server_name mtls.id.example.org;', 'server_name localhost;'],
      ['/etc/nginx/tls/certificate.pem', path.join(folder, 'certificate.pem')],
      ['/etc/nginx/tls/key.pem', path.join(folder, 'key.pem')],
      ['/etc/nginx/tls/client-authorities.pem', authorities],
    ];
    writeFileSync(path.join(folder, 'portico-mtls.conf'), shipped('mtls.conf', own));
  }
  writeFileSync(path.join(folder, 'nginx.conf'), mainFile(folder));
  const child = spawn(program, ['-p', folder, '-c', path.join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const clean = () => {
    child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', clean);
  await answers(tlsPort, child);
  return {
    url: `https://localhost:${tlsPort}`,
    port: tlsPort,
    httpPort,
    certificate: readFileSync(path.join(folder, 'certificate.pem'), 'utf8'),
    async close() {
      process.off('exit', clean);
      const gone = child.exitCode === null ? once(child, 'exit') : undefined;
      clean();
      await gone;
    },
  };
}

/** A shipped file with each text replaced that is there once. */
function shipped(name: string, replacements: readonly [string, string][]): string {
  let file = readFileSync(path.join(SHIPPED, name), 'utf8');
  for (const [from, to] of replacements) {
    if (file.split(from).length !== 2) throw new Error(`deploy/nginx/${name} does not have once: ${from}`);
    file = file.replace(from, to);
  }
  return file;
}

/** What surrounds conf.d/ in Debian's package and in the image, as far as it matters. */
function mainFile(folder: string): string {
  const own = (name: string) => path.join(folder, name);
  return [
    ...(userInfo().uid === 0 ? ['user root;'] : []),
    'daemon off;',
    'worker_processes 1;',
    `pid ${own('pid')};`,
    'error_log stderr;',
    'events { worker_connections 256; }',
    'http {',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${own(kind)};`),
    'access_log off;',
    `include ${own('portico*.conf')};`,
    '}',
    '',
  ].join('\n');
}

async function makeCertificate(folder: string): Promise<void> {
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-keyout', path.join(folder, 'key.pem'), '-out', path.join(folder, 'certificate.pem')],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
  ]);
}

/** Milliseconds, on a machine with other work to do. */
const PATIENCE = 60_000;

async function answers(port: number, child: ChildProcess): Promise<void> {
  const written: string[] = [];
  child.stderr?.on('data', (chunk) => written.push(String(chunk)));
  const deadline = Date.now() + PATIENCE;
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}:\n${written.join('')}`);
    if (Date.now() > deadline)
      throw new Error(`nginx did not answer within ${PATIENCE} ms:\n${written.join('')}`);
    await wait(50);
  }
}

/** Sends bytes over TLS as they are, and resolves with all that came back until the other side closed or fell silent. */
export function sendRaw(nginx: Pick<Nginx, 'port'>, bytes: string, silence = 400): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      port: nginx.port,
      host: '127.0.0.1',
      servername: 'localhost',
      rejectUnauthorized: false,
    });
    const chunks: Buffer[] = [];
    const done = () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    socket.once('secureConnect', () => socket.write(bytes, 'latin1'));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      socket.setTimeout(silence);
    });
    socket.setTimeout(3000);
    socket.once('timeout', done).once('end', done);
    socket.once('error', (error) => (chunks.length > 0 ? done() : reject(error)));
  });
}
