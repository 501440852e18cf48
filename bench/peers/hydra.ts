/**
 * Ory Hydra with a PostgreSQL of its own and the login and consent app that it leaves to its operator; this file, run
 * as a program, is that app. It signs with ES256: its own default is a key of 4096 bits, which costs it more.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { hash, verify } from '@node-rs/argon2';
import { stringify } from 'yaml';
import { z } from 'zod';
import { freePort } from '../../test/support/ports.ts';
import { ARGON2, PEOPLE, REDIRECT_URI, type Subject } from '../subject.ts';
import { startPostgres } from './postgres.ts';
import { cached, Missing, programOf, run, startProgram, temporaryFolder } from './programs.ts';

/** The newest that the Go module proxy has. */
const VERSION = 'v2.3.0';
const MODULE = 'github.com/ory/hydra/v2';

export async function startHydra(): Promise<Subject> {
  const binary = built();
  const postgres = await startPostgres('hydra');
  const [port, adminPort, loginPort] = [await freePort(), await freePort(), await freePort()];
  const [url, admin, login] = [port, adminPort, loginPort].map((at) => `http://127.0.0.1:${at}`);
  if (!url || !admin || !login) throw new Error('There are no ports.');
  // Outside its development mode the issuer must be https, as behind a proxy.
  const issuer = `https://127.0.0.1:${port}`;
  const dsn = `postgres://${postgres.address}?sslmode=disable&max_conns=20&max_idle_conns=20`;
  const file = path.join(temporaryFolder(), 'hydra.yaml');
  writeFileSync(file, stringify(configuration({ dsn, issuer, port, adminPort, login })));
  run(binary, ['migrate', 'sql', 'up', '--read-from-env', '--yes'], { env: { ...process.env, DSN: dsn } });
  const server = startProgram(binary, ['serve', 'all', '-c', file]);
  const app = startProgram(process.execPath, [import.meta.filename, login, admin]);
  await server.answers(`${admin}/health/ready`, 300);
  const secret = randomBytes(24).toString('hex');
  await prepare(admin, secret);
  const discovery = `${url}/.well-known/openid-configuration`;
  const confidential = { id: 'confidential', secret };
  return {
    ...{ name: 'hydra', version: VERSION.slice(1) },
    settings:
      'Go, without --dev, PostgreSQL with 20 connections, opaque access tokens, ES256, client secrets by PBKDF2 with 25,000 rounds (its default), a login app in Node with argon2id m=19456 t=2 p=1',
    endpoints: {
      ...{ discovery, jwks: `${url}/.well-known/jwks.json`, authorization: `${url}/oauth2/auth` },
      ...{ token: `${url}/oauth2/token`, introspection: `${admin}/admin/oauth2/introspect` },
      userinfo: `${url}/userinfo`,
    },
    behindProxy: { from: issuer, to: url },
    ...{ confidential, public: { id: 'public' }, scope: 'openid offline_access profile email' },
    machine: { opaque: { client: confidential }, jwt: { client: { id: 'confidential-jwt', secret } } },
    introspectionOpen: true,
    ownCases: {},
    processes: { server: [server.pid, app.pid], store: [postgres.pid] },
    warmUp: 1.5,
    async stop() {
      await Promise.all([server.stop(), app.stop()]);
      await postgres.stop();
    },
  };
}

/** The program, built once from the published module. Throws Missing. */
function built(): string {
  const binary = cached(`hydra-${VERSION}`);
  if (existsSync(binary)) return binary;
  const go = programOf('go', 'Hydra is built with it: https://go.dev/dl/', ['/usr/local/go/bin']);
  const env = { ...process.env, GOFLAGS: '-mod=mod' };
  const { stdout } = spawnSync(go, ['mod', 'download', '-json', `${MODULE}@${VERSION}`], {
    env,
    encoding: 'utf8',
  });
  const { Dir, Error: why } = z
    .object({ Dir: z.string().optional(), Error: z.string().optional() })
    .parse(JSON.parse(stdout));
  if (!Dir) throw new Missing(`Hydra cannot be downloaded: ${why}`);
  const source = path.join(temporaryFolder(), 'hydra');
  cpSync(Dir, source, { recursive: true });
  chmodSync(source, 0o755);
  chmodSync(path.join(source, 'go.mod'), 0o644);
  chmodSync(path.join(source, 'go.sum'), 0o644);
  const options = { cwd: source, env };
  // The line points at a folder that the published module has not.
  run(go, ['mod', 'edit', '-dropreplace', 'github.com/ory/hydra-client-go/v2'], options);
  run(go, ['build', '-buildvcs=false', '-o', `${binary}.part`, '.'], options);
  renameSync(`${binary}.part`, binary);
  return binary;
}

function configuration(input: {
  dsn: string;
  issuer: string;
  port: number;
  adminPort: number;
  login: string;
}) {
  const listener = { host: '127.0.0.1', request_log: { disable_for_health: true } };
  const secret = () => [randomBytes(24).toString('hex')];
  return {
    ...{ dsn: input.dsn, log: { level: 'warn' }, sqa: { opt_out: true } },
    serve: { public: { ...listener, port: input.port }, admin: { ...listener, port: input.adminPort } },
    urls: {
      self: { issuer: input.issuer },
      login: `${input.login}/login`,
      consent: `${input.login}/consent`,
    },
    secrets: { system: secret(), cookie: secret() },
  };
}

/** Keys of ES256, before the first use makes others; then the clients. */
async function prepare(admin: string, secret: string): Promise<void> {
  for (const set of ['hydra.openid.id-token', 'hydra.jwt.access-token'])
    await ask(`${admin}/admin/keys/${set}`, 'POST', { alg: 'ES256', use: 'sig', kid: 'bench' });
  const client = {
    ...{ redirect_uris: [REDIRECT_URI], response_types: ['code'], skip_consent: true },
    scope: 'openid offline_access profile email',
  };
  const grants = ['authorization_code', 'refresh_token'];
  const withSecret = { ...client, client_secret: secret, grant_types: [...grants, 'client_credentials'] };
  for (const one of [
    { ...withSecret, client_id: 'confidential' },
    { ...withSecret, client_id: 'confidential-jwt', access_token_strategy: 'jwt' },
    { ...client, client_id: 'public', grant_types: grants, token_endpoint_auth_method: 'none' },
  ])
    await ask(`${admin}/admin/clients`, 'POST', one);
}

/* ------------------------------------------------------------------ the login and consent app */

const answer = z.looseObject({
  redirect_to: z.string().optional(),
  subject: z.string().optional(),
  requested_scope: z.array(z.string()).optional(),
});

async function ask(url: string, method: string, body?: object) {
  const reply = await fetch(url, {
    ...{ method, headers: { 'content-type': 'application/json' } },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!reply.ok) throw new Error(`${url}: ${reply.status} ${await reply.text()}`);
  return answer.parse(await reply.json());
}

function createApp(admin: string, hashes: ReadonlyMap<string, string>) {
  const at = (kind: string, challenge: string | null, verb = '') =>
    `${admin}/admin/oauth2/auth/requests/${kind}${verb}?${kind}_challenge=${encodeURIComponent(challenge ?? '')}`;

  async function consent(challenge: string | null) {
    const { subject, requested_scope } = await ask(at('consent', challenge), 'GET');
    const session = { id_token: { name: `User ${subject}`, email: `${subject}@example.test` } };
    return ask(at('consent', challenge, '/accept'), 'PUT', { grant_scope: requested_scope, session });
  }

  async function login(form: URLSearchParams) {
    const subject = form.get('username') ?? '';
    if (!(await verify(hashes.get(subject) ?? '', form.get('password') ?? '')))
      throw new Error('Wrong password.');
    const accepted = { subject, remember: true, remember_for: 3600 };
    return ask(at('login', form.get('challenge'), '/accept'), 'PUT', accepted);
  }

  return async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://login');
    if (pathname === '/login' && request.method === 'GET') {
      const challenge = searchParams.get('login_challenge');
      await ask(at('login', challenge), 'GET');
      response.setHeader('content-type', 'text/html');
      response.end(
        `<!doctype html><title>Sign in</title><form method="post" action="/login"><input type="hidden" name="challenge" value="${challenge}"><input name="username"><input name="password" type="password"><button>Sign in</button></form>`,
      );
      return;
    }
    const { redirect_to = '' } = await (pathname === '/consent'
      ? consent(searchParams.get('consent_challenge'))
      : login(new URLSearchParams(await text(request))));
    response.writeHead(302, { location: redirect_to }).end();
  };
}

async function serve(login: string, admin: string): Promise<void> {
  const hashed = PEOPLE.map(
    async ({ username, password }) => [username, await hash(password, ARGON2)] as const,
  );
  const app = createApp(admin, new Map(await Promise.all(hashed)));
  const server = createServer((request, response) => {
    app(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await once(server.listen(Number(new URL(login).port), '127.0.0.1'), 'listening');
  process.once('disconnect', () => process.exit());
}

if (import.meta.main) {
  const [login = '', admin = ''] = process.argv.slice(2);
  await serve(login, admin);
}
