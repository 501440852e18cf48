/**
 * The memory of one process while it issues tokens: `node bench/memory.ts 1000000`. What a process holds goes up and
 * down with the collections of its garbage, so it is read every second, and the means of parts of the run are compared.
 * Fails where a later tenth holds more than five per cent above the second: the first has code yet to be compiled.
 */
import { casesOf } from './cases.ts';
import { memoryOf } from './cpu.ts';
import { putLoad } from './load.ts';
import { startPortico } from './peers/portico.ts';

const tokens = Number(process.argv[2] ?? 1_000_000);
const PARTS = 10;
const ALLOWED = 1.05;
/** Seconds. */
const TURN = 5;

const server = await startPortico({
  ...{ name: 'portico', root: `${import.meta.dirname}/..` },
  ...{ store: 'embedded', workers: 1 },
});
try {
  const [, second = 0, ...later] = await measure();
  const growth = Math.max(...later) / second;
  console.log(`At most ${growth.toFixed(3)} of what it held in the second tenth.`);
  if (growth > ALLOWED) process.exitCode = 1;
} finally {
  await server.stop();
}

/** Megabytes, mean of each part. */
async function measure(): Promise<number[]> {
  const load = await casesOf(server)['client_credentials opaque']?.();
  if (load === undefined) throw new Error('There is no such case.');
  const means: number[] = [];
  let seen: number[] = [];
  const watch = setInterval(() => seen.push(memoryOf(server.processes.server)), 1000);
  for (let issued = 0; means.length < PARTS; ) {
    issued += (await putLoad(load, TURN)).requests;
    if (issued < (tokens / PARTS) * (means.length + 1)) continue;
    const mean = seen.reduce((sum, megabytes) => sum + megabytes, 0) / seen.length;
    means.push(mean);
    console.log(
      `${issued.toLocaleString('en')} tokens: ${mean.toFixed(0)} MB (${Math.min(...seen)} to ${Math.max(...seen)})`,
    );
    seen = [];
  }
  clearInterval(watch);
  return means;
}
