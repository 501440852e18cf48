/**
 * Applications that are no npm packages, each in a process of its own. `prepare`, beside this file, installs
 * and builds them where this file looks for them; .ci/run calls it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, takesConnections } from '../../support/ports.ts';

const PREPARED = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'portico-clients');
const PYTHON = path.join(PREPARED, 'venv/bin/python');
const HERE = import.meta.dirname;
/** Milliseconds: the JVM takes its time on a busy machine. */
const START = 120_000;

export interface Startable {
  readonly name: string;
  /** What must be there for it. */
  readonly needs: string;
  readonly command: readonly string[];
}

export interface Program extends Startable {
  /** Path of its redirect URI. Default: /callback. */
  readonly callback?: string;
  /** Where it signs out, and goes to `/signed-out` from there. */
  readonly logout: (at: { url: string; issuer: string }) => string;
  /** For one that stands in front of an application: what it tells it in headers. */
  readonly header?: { readonly name?: string; readonly email: string; readonly roles: string };
}

const signedOut = (url: string) => encodeURIComponent(`${url}/signed-out`);
const oauth2Proxy = path.join(PREPARED, 'bin/oauth2-proxy');
const rustClient = path.join(PREPARED, 'bin/rust-client');
const VERIFY_JWT = path.join(PREPARED, 'bin/verify-jwt');

export const PROGRAMS: readonly Program[] = [
  {
    name: 'Apache with mod_auth_openidc',
    needs: '/usr/lib/apache2/modules/mod_auth_openidc.so',
    command: ['/usr/sbin/apache2', '-D', 'FOREGROUND', '-f', path.join(HERE, 'apache.conf')],
    logout: ({ url }) => `/callback?logout=${signedOut(url)}`,
    header: { name: 'oidc_claim_name', email: 'oidc_claim_email', roles: 'oidc_claim_roles' },
  },
  {
    name: 'oauth2-proxy',
    needs: oauth2Proxy,
    command: [oauth2Proxy, `--config=${path.join(HERE, 'oauth2-proxy.cfg')}`],
    callback: '/oauth2/callback',
    // It ends its own session alone, and leads on to where it is told.
    logout: ({ url, issuer }) => {
      const end = `${issuer}/logout?client_id=web-app&post_logout_redirect_uri=${signedOut(url)}`;
      return `/oauth2/sign_out?rd=${encodeURIComponent(end)}`;
    },
    header: { email: 'x-forwarded-email', roles: 'x-forwarded-groups' },
  },
  {
    name: 'mozilla-django-oidc',
    needs: PYTHON,
    command: [PYTHON, path.join(HERE, 'python/django_app.py')],
    callback: '/oidc/callback/',
    logout: () => '/oidc/logout/',
  },
  {
    name: 'openidconnect for Rust',
    needs: rustClient,
    command: [rustClient],
    logout: () => '/logout',
  },
];

const EXAMPLES_FOLDER = path.join(HERE, '../../../examples');
const nodeExample = (name: string, folder: string) => {
  const file = path.join(EXAMPLES_FOLDER, folder, 'app.mjs');
  return { name, needs: file, command: [process.execPath, file] };
};
const goExample = path.join(PREPARED, 'bin/go-example');
const springExample = path.join(PREPARED, 'spring-example/target/app-1.jar');

/** The applications of docs/first-application.md, by the names of its sections. */
export const EXAMPLES: readonly Startable[] = [
  nodeExample('Express', 'express'),
  nodeExample('Auth.js', 'auth-js'),
  { name: 'Flask', needs: PYTHON, command: [PYTHON, path.join(EXAMPLES_FOLDER, 'flask/app.py')] },
  { name: 'Go', needs: goExample, command: [goExample] },
  {
    name: 'Spring Boot',
    needs: springExample,
    command: ['java', '-XX:TieredStopAtLevel=1', '-jar', springExample],
  },
];

/** Judges of access tokens: issuer and audience on the command line, one token a line, one verdict a line. */
export const JUDGES: readonly Startable[] = [
  { name: 'PyJWT', needs: PYTHON, command: [PYTHON, path.join(HERE, 'python/verify_jwt.py')] },
  { name: 'go-jose', needs: VERIFY_JWT, command: [VERIFY_JWT] },
];

/** With CI=true a program that is not there is a failure; elsewhere the end of the run says it. */
export function isPrepared({ name, needs }: Startable): boolean {
  if (existsSync(needs)) return true;
  const note = `There is no ${needs}: ${name} did NOT run. test/clients/others/prepare installs it.`;
  if (process.env.CI === 'true') throw new Error(note);
  process.on('exit', () => process.stderr.write(`\n*** ${note}\n\n`));
  return false;
}

type Settings = Readonly<Record<string, string>>;

export interface RunningProgram {
  readonly url: string;
  stop(): void;
}

/** It learns what it needs from its environment: `environment` is asked when its address is known. */
export async function startProgram(
  { name, command: [file = '', ...values] }: Startable,
  environment: (url: string) => Settings | Promise<Settings>,
): Promise<RunningProgram> {
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-client-'));
  const own = await environment(`http://localhost:${port}`);
  const child = spawn(file, values, {
    env: { ...process.env, ...settingsOf(port, folder), ...own },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = () => {
    process.off('exit', stop);
    child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', stop);
  await answers(name, child, port);
  return { url: `http://localhost:${port}`, stop };
}

function settingsOf(port: number, folder: string): Record<string, string> {
  const url = `http://localhost:${port}`;
  return {
    ...{ PORT: String(port), FOLDER: folder, TMPDIR: folder },
    OAUTH2_PROXY_HTTP_ADDRESS: `127.0.0.1:${port}`,
    OAUTH2_PROXY_REDIRECT_URL: `${url}/oauth2/callback`,
  };
}

async function answers(name: string, child: ChildProcess, port: number): Promise<void> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  const deadline = performance.now() + START;
  while (!(await takesConnections(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${name} did not start:\n${output}`);
    }
    await wait(50);
  }
}
