/**
 * The server as a process: how long it takes to be ready, how much memory it holds, and how fast it answers other
 * requests while 200 people sign in. `node bench/process.ts 5` sets how often it is started.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startServerProcess } from '../test/support/server-process.ts';
import { memoryOf } from './cpu.ts';

const starts = Number(process.argv[2] ?? 5);
const folder = mkdtempSync(path.join(tmpdir(), 'portico-process-'));
const SIGN_INS = 200;
const LIMIT = { limit: 1_000_000 };

const start = () =>
  startServerProcess({
    folder,
    environment: { NODE_ENV: 'test' },
    config: {
      ...{ demo: false, log: { level: 'error' }, audit: { log: false } },
      attempts: { pair: LIMIT, address: LIMIT, login: LIMIT },
    },
  });

async function get(url: string): Promise<number> {
  const begun = performance.now();
  const response = await fetch(url);
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${url} answers ${response.status}.`);
  return performance.now() - begun;
}

async function signIn(url: string): Promise<void> {
  const response = await fetch(`${url}/api_v3/users/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-accountcode': 'clinicdev' },
    body: JSON.stringify({ username: 'pat@x.test', password: 'Willow-Compass-Ember-87' }),
  });
  if (!response.ok) throw new Error(`The sign-in answers ${response.status}.`);
  await response.arrayBuffer();
}

const at = (list: readonly number[], share: number) =>
  Math.round((list.toSorted((a, b) => a - b)[Math.floor(list.length * share)] ?? Number.NaN) * 10) / 10;

try {
  const figures: { ready: number; idle: number }[] = [];
  for (let turn = 0; turn <= starts; turn += 1) {
    const server = await start();
    await pause(3000);
    // The first start compiles.
    if (turn > 0) figures.push({ ready: server.readyAfter, idle: memoryOf([server.child.pid ?? 0]) });
    await server.stop();
  }
  const ready = figures.map((figure) => figure.ready);
  const idle = figures.map((figure) => figure.idle);
  console.log(`ready after ${at(ready, 0.5)} ms, at best ${Math.min(...ready).toFixed(0)} ms`);
  console.log(`idle: ${at(idle, 0.5)} MB`);

  const server = await start();
  const discovery = `${server.url}/.well-known/openid-configuration`;
  const ask = async (while_: () => boolean) => {
    const took: number[] = [];
    while (while_()) took.push(await get(discovery));
    return took;
  };
  const warm = performance.now() + 2000;
  await ask(() => performance.now() < warm);
  const end = performance.now() + 3000;
  const alone = await ask(() => performance.now() < end);
  let open = SIGN_INS;
  const signIns = Promise.all(
    Array.from({ length: SIGN_INS }, () => signIn(server.url).finally(() => (open -= 1))),
  );
  const beside = await ask(() => open > 0);
  await signIns;
  console.log(
    `discovery, p95: ${at(alone, 0.95)} ms alone, ${at(beside, 0.95)} ms beside ${SIGN_INS} sign-ins`,
  );
  console.log(`after them: ${memoryOf([server.child.pid ?? 0])} MB`);
  await server.stop();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
