/**
 * What people whom Portico knows notice of a legacy system that hangs: their sign-in and their me, at a server without
 * a legacy system and at one whose legacy system takes every call and answers none, in turn. `npm run
 * bench:legacy-away` prints medians and ratios, and exits with 1 where one is above 1.3.
 */
import { startLegacySystem } from '../test/support/legacy-system.ts';
import { startTestServer, type TestServer } from '../test/support/server.ts';

const ROUNDS = 40;
/** Requests a round. */
const SIGN_INS = 2;
const READS = 20;
/** Strangers who wait for the legacy system all the time. */
const WAITING = 8;
const MOST = 1.3;

const BASE = '/api/therapist/v1';
const NO_LIMITS = { limits: { auth: 1_000_000, general: 1_000_000 } };

async function signIn({ url }: TestServer, email: string, password: string): Promise<string | undefined> {
  const reply = await fetch(`${url}${BASE}/sign-in`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  const { data }: { data?: { token: string } } = JSON.parse(await reply.text());
  return data?.token;
}

const mara = async (server: TestServer) => {
  const token = await signIn(server, 'mara@clinic.test', 'Harbour-Lantern-Quartz-41');
  if (token === undefined) throw new Error('a person who is known is refused');
  return token;
};

async function me({ url }: TestServer, token: string): Promise<void> {
  const reply = await fetch(`${url}${BASE}/my-profile`, { headers: { authorization: `Bearer ${token}` } });
  if ((await reply.text()) === '' || !reply.ok) throw new Error(`my-profile answers ${reply.status}`);
}

async function millisecondsOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let made = 0; made < count; made += 1) await work();
  return (performance.now() - begun) / count;
}

const median = (figures: number[]) => figures.sort((a, b) => a - b)[figures.length >> 1] ?? Number.NaN;

const system = await startLegacySystem();
system.suffer({ kind: 'hang' });
const legacy = { url: system.url, stage: 'primary', timeout: '2s', concurrency: WAITING };
const attempts = { address: { limit: 1_000_000 }, login: { limit: 1_000_000 }, pair: { limit: 1_000_000 } };
const [alone, behind] = await Promise.all([
  startTestServer({ config: { attempts, dialects: { visitnote: NO_LIMITS } } }),
  startTestServer({ config: { attempts, dialects: { visitnote: { ...NO_LIMITS, legacy } } } }),
]);
let over = false;
let served = 0;
const strangers = Array.from({ length: WAITING }, async (_, index) => {
  while (!over) {
    await signIn(behind, `stranger-${index}@clinic.test`, 'Unknown-Password-1');
    served += 1;
  }
});
const tokens = { alone: await mara(alone), behind: await mara(behind) };
const figures = { signIn: { alone: [], behind: [] }, me: { alone: [], behind: [] } } as Record<
  'signIn' | 'me',
  Record<'alone' | 'behind', number[]>
>;
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [name, server] of [['alone', alone] as const, ['behind', behind] as const]) {
    figures.signIn[name].push(await millisecondsOf(SIGN_INS, () => mara(server)));
    figures.me[name].push(await millisecondsOf(READS, () => me(server, tokens[name])));
  }
}
over = true;
await Promise.all(strangers);
const rows = (['signIn', 'me'] as const).map((what) => {
  const [without, hanging] = [median(figures[what].alone), median(figures[what].behind)];
  const ratio = hanging / without;
  return {
    what,
    'alone (ms)': without.toFixed(2),
    'hanging (ms)': hanging.toFixed(2),
    ratio: ratio.toFixed(2),
  };
});
console.table(rows);
console.log(`${served} strangers waited; ${system.sockets.most} connections at most, ${WAITING} allowed`);
if (rows.some(({ ratio }) => Number(ratio) > MOST) || system.sockets.most > WAITING) process.exitCode = 1;
await Promise.all([alone.close(), behind.close(), system.close()]);
