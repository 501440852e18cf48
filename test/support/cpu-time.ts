/**
 * How long this thread works, not how long it waits: what other processes of the machine do, and hashing in
 * other threads, does not count. A server of tests lives in this thread, and while the thread works for one
 * request every other request waits.
 */

/** Milliseconds of this thread's work. */
export async function workOf(run: () => unknown): Promise<number> {
  const before = process.threadCpuUsage();
  await run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** The least of several runs: garbage collection and compiling fall into some of them only. */
export async function leastWorkOf(run: () => unknown, runs = 4): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i += 1) least = Math.min(least, await workOf(run));
  return least;
}
