/**
 * What clients notice of the comparison of stage shadow: the median of a read through a server in stage proxy and
 * through one in stage shadow that compares every request, in turn. `npm run bench:shadow` prints both at a steady rate
 * and with one request after the other, and exits with 1 where the comparison adds 5 % or more at the steady rate.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { startLegacySystem } from '../test/support/legacy-system.ts';
import { startServerProcess } from '../test/support/server-process.ts';

const ROUNDS = 30;
/** Requests a round. */
const READS = 50;
/** Milliseconds from one request to the next, at a steady rate. */
const EVERY = 10;
const MOST = 1.05;

const BASE = '/api/therapist/v1';
const WHO = { email: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };

const system = await startLegacySystem();
system.add('visitnote', WHO);

async function start(stage: 'proxy' | 'shadow') {
  const legacy = { url: system.url, stage, rate: '1000000/1s', shadow: { sample: 1 } };
  const { url, stop } = await startServerProcess({
    environment: { NODE_ENV: 'test' },
    config: {
      ...{ demo: false, log: { level: 'error' }, audit: { log: false } },
      dialects: { visitnote: { enabled: true, legacy } },
    },
  });
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${url}${BASE}/sign-in`, { method: 'POST', headers, body: JSON.stringify(WHO) });
  const { data }: { data: { token: string } } = JSON.parse(await reply.text());
  const me = async (): Promise<number> => {
    const begun = performance.now();
    const profile = await fetch(`${url}${BASE}/my-profile`, {
      headers: { authorization: `Bearer ${data.token}` },
    });
    if ((await profile.text()) === '' || !profile.ok) throw new Error(`my-profile answers ${profile.status}`);
    return performance.now() - begun;
  };
  return { me, stop };
}

type Me = () => Promise<number>;

async function steadily(me: Me): Promise<number[]> {
  const asked: Promise<number>[] = [];
  for (let made = 0; made < READS; made += 1) {
    asked.push(me());
    await pause(EVERY);
  }
  return Promise.all(asked);
}

async function oneAfterTheOther(me: Me): Promise<number[]> {
  const took: number[] = [];
  while (took.length < READS) took.push(await me());
  return took;
}

const median = (figures: number[]) => figures.sort((a, b) => a - b)[figures.length >> 1] ?? Number.NaN;

const servers = { proxy: await start('proxy'), shadow: await start('shadow') };
const ways = { steadily, 'one after the other': oneAfterTheOther };
const rows = [];
for (const [way, work] of Object.entries(ways)) {
  const figures = { proxy: [] as number[], shadow: [] as number[] };
  for (const { me } of Object.values(servers)) await work(me);
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = (['proxy', 'shadow'] as const).toSorted(() => (round % 2 === 0 ? 1 : -1));
    for (const name of order) figures[name].push(median(await work(servers[name].me)));
  }
  // Round by round, so that what else the machine does falls on both.
  const ratio = median(figures.shadow.map((shadow, round) => shadow / (figures.proxy[round] ?? Number.NaN)));
  const [proxy, shadow] = [median(figures.proxy), median(figures.shadow)];
  rows.push({
    way,
    'proxy (ms)': proxy.toFixed(2),
    'shadow (ms)': shadow.toFixed(2),
    ratio: ratio.toFixed(3),
  });
}
console.table(rows);
if (Number(rows[0]?.ratio) >= MOST) process.exitCode = 1;
await Promise.all([...Object.values(servers).map(({ stop }) => stop()), system.close()]);
