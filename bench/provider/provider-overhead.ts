/**
 * What Portico costs beside the provider in it: the same requests to both, in turn, each in a process of its own.
 * The bare provider keeps its records in memory and forgets them when it ends; Portico writes them to its file,
 * hashed, with an audit trail. `npm run bench:provider -- 2000` sets the number of rounds.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { basicAuth, webApp } from '../../test/support/clients.ts';
import { relyingParty, signIn } from '../../test/support/relying-party.ts';
import { CLIENTS, PEOPLE } from '../../test/support/server.ts';
import { startServerProcess } from '../../test/support/server-process.ts';
import { interleave, printFigures, type Timed } from '../interleave.ts';

const rounds = Number(process.argv[2] ?? 1000);

/** One of the two servers, and a sign-in at it. */
interface Side {
  readonly name: string;
  readonly url: string;
  /** The Authorization header of the client. */
  readonly client: string;
  readonly access: string;
  refresh: string;
}

async function send(url: string, init: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(url, init);
  const body = (await response.json()) as Record<string, unknown>;
  if (response.status !== 200) throw new Error(`${url}: ${response.status} ${JSON.stringify(body)}`);
  return body;
}

function form(side: Side, route: string, fields: Record<string, string>) {
  return send(side.url + route, {
    method: 'POST',
    headers: { authorization: side.client },
    body: new URLSearchParams(fields),
  });
}

type Act = (side: Side, paths: Paths) => Promise<void>;
type Paths = Record<'token' | 'introspection' | 'userinfo', string>;

const ACTS: Record<string, Act> = {
  discovery: async ({ url }) => void (await send(`${url}/.well-known/openid-configuration`, {})),
  async introspection(side, paths) {
    const { active } = await form(side, paths.introspection, { token: side.access });
    if (active !== true) throw new Error(`${side.name}: the token is not active.`);
  },
  async userinfo(side, paths) {
    const headers = { authorization: `Bearer ${side.access}` };
    const { sub } = await send(side.url + paths.userinfo, { headers });
    if (typeof sub !== 'string') throw new Error(`${side.name}: nobody.`);
  },
  async 'refresh with rotation'(side, paths) {
    const fields = { grant_type: 'refresh_token', refresh_token: side.refresh };
    const { refresh_token } = await form(side, paths.token, fields);
    if (typeof refresh_token !== 'string' || refresh_token === side.refresh)
      throw new Error(`${side.name}: the token was not rotated.`);
    side.refresh = refresh_token;
  },
};

async function startBare() {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'bare-provider.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // The provider says something before.
  let line = '';
  for await (const said of createInterface(child.stdout)) {
    line = said;
    if (line.startsWith('{')) break;
  }
  const said = JSON.parse(line) as Record<string, string>;
  const { issuer: url = '', client_id: clientId = '', client_secret: secret = '' } = said;
  const { accessToken: access = '', refreshToken: refresh = '' } = said;
  const side: Side = {
    ...{ name: 'bare engine', url, access, refresh },
    client: basicAuth({ clientId, secret, redirectUri: '' }),
  };
  const paths = { token: '/token', introspection: '/token/introspection', userinfo: '/me' };
  return { side, paths, stop: () => child.kill() };
}

async function startPortico() {
  const server = await startServerProcess({
    seeds: [PEOPLE, CLIENTS],
    config: { log: { level: 'warn' } },
  });
  const party = await relyingParty(server.issuer, webApp);
  const { tokens } = await signIn(party, {
    ...{ login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' },
    parameters: { scope: 'openid profile email offline_access', prompt: 'consent' },
  });
  const side: Side = {
    ...{ name: 'Portico', url: server.issuer, client: basicAuth(webApp) },
    ...{ access: tokens.access_token, refresh: tokens.refresh_token ?? '' },
  };
  const paths = { token: '/token', introspection: '/introspect', userinfo: '/userinfo' };
  return { side, paths, stop: () => server.stop() };
}

const both = await Promise.all([startBare(), startPortico()]);
try {
  for (const [name, act] of Object.entries(ACTS)) {
    const timed = both.map(
      ({ side, paths }): Timed => ({ name: side.name, request: () => act(side, paths) }),
    );
    printFigures(`${name}, ${rounds} rounds, interleaved`, await interleave(timed, rounds));
  }
} finally {
  await Promise.all(both.map(({ stop }) => stop()));
}
