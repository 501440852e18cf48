/**
 * What a page costs beside /livez, which does nothing: interleaved in one run on one server process.
 * `npm run bench:pages -- 2000` sets the number of rounds.
 */
import { ownApp } from '../test/support/clients.ts';
import { relyingParty } from '../test/support/relying-party.ts';
import { CLIENTS, PEOPLE } from '../test/support/server.ts';
import { startServerProcess } from '../test/support/server-process.ts';
import { openWebSession, type WebSession } from '../test/support/web-session.ts';
import { interleave, printFigures, type Timed } from './interleave.ts';

const rounds = Number(process.argv[2] ?? 1000);
const server = await startServerProcess({
  seeds: [PEOPLE, CLIENTS],
  config: { log: { level: 'warn' }, attempts: { pair: { limit: 1_000_000 }, address: { limit: 1_000_000 } } },
});

/** One request each, with the session's cookies; the reply has to be the page that is meant. */
function get(
  name: string,
  session: WebSession,
  url: string,
  expected: { status: number; says: string },
): Timed {
  return {
    name,
    async request() {
      const response = await session.request(url);
      const body = await response.text();
      if (response.status !== expected.status || !body.includes(expected.says))
        throw new Error(`${name}: ${response.status} ${body.slice(0, 500)}`);
    },
  };
}

async function everyPage(): Promise<Timed[]> {
  const session = openWebSession();
  const { url } = await (await relyingParty(server.issuer, ownApp)).begin();
  const signIn = await session.open(url);
  if (typeof signIn === 'string') throw new Error(`The browser was sent to ${signIn}.`);
  const sheet = /<link rel="stylesheet" href="([^"]+)"/.exec(signIn.body)?.[1] ?? '';
  const page = (name: string, path: string, says: string, status = 200) =>
    get(name, session, server.url + path, { status, says });
  return [
    page('/livez', '/livez', ''),
    page('sign-in', new URL(signIn.url).pathname, 'type="password"'),
    page('enter a device’s code', '/device', 'name="user_code"'),
    page('forgot password', '/forgot', 'name="login"'),
    page('a sign-in that is over', '/interaction/gone', '<h1>', 410),
    page('nothing here', '/nowhere', '<h1>', 404),
    page('the stylesheet', sheet, ':root'),
    page('discovery', '/.well-known/openid-configuration', 'issuer'),
    page('/jwks', '/jwks', 'keys'),
  ];
}

try {
  printFigures(`pages, ${rounds} rounds, interleaved`, await interleave(await everyPage(), rounds));
} finally {
  await server.stop();
}
