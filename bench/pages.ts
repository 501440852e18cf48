/**
 * What a page costs beside /livez, which does nothing: requests in turn, A B C A B C, to one server process, so that
 * whatever else the machine does falls on all alike.
 * `npm run bench:pages -- 2000` sets the number of rounds.
 */
import { ownApp } from '../test/support/clients.ts';
import { relyingParty } from '../test/support/relying-party.ts';
import { CLIENTS, PEOPLE } from '../test/support/server.ts';
import { startServerProcess } from '../test/support/server-process.ts';
import { openWebSession, type WebSession } from '../test/support/web-session.ts';

interface Timed {
  readonly name: string;
  /** Throws when the reply is not the right one: a fast refusal must not count. */
  readonly request: () => Promise<void>;
}

interface Figures {
  readonly name: string;
  /** Milliseconds. */
  readonly median: number;
  readonly p95: number;
  /** Median over the first one's. */
  readonly ratio: number;
}

async function interleave(timed: readonly Timed[], rounds: number): Promise<Figures[]> {
  const samples = timed.map(() => [] as number[]);
  const warmUp = Math.ceil(rounds / 10);
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const [index, { request }] of timed.entries()) {
      const start = performance.now();
      await request();
      if (round >= 0) samples[index]?.push(performance.now() - start);
    }
  }
  const sorted = samples.map((list) => list.toSorted((a, b) => a - b));
  const at = (list: readonly number[], share: number) => list[Math.floor(list.length * share)] ?? Number.NaN;
  const reference = at(sorted[0] ?? [], 0.5);
  return timed.map(({ name }, index) => {
    const list = sorted[index] ?? [];
    return { name, median: at(list, 0.5), p95: at(list, 0.95), ratio: at(list, 0.5) / reference };
  });
}

function printFigures(title: string, figures: readonly Figures[]): void {
  console.log(`\n${title}`);
  console.table(
    figures.map(({ name, median, p95, ratio }) => ({
      name,
      'median ms': Number(median.toFixed(3)),
      'p95 ms': Number(p95.toFixed(3)),
      'ratio to the first': Number(ratio.toFixed(2)),
    })),
  );
}

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
