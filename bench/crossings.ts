/**
 * How much of Portico one request crosses: files of src/ that run, and calls to a store's port. Counts, no
 * clock: the same on every machine. `npm run bench:crossings -- --json` prints them for a program.
 *
 * A file counts when one of its functions is called between the request and its reply; V8's precise coverage
 * tells. Each request is sent once before it is counted, so that nothing is counted that a process does once; and
 * again when the server looked at its outbox or added to the usage meanwhile, which it does not for a request.
 */
import { randomUUID } from 'node:crypto';
import { type Profiler, Session } from 'node:inspector/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { startTestServer, type TestServer } from '../test/support/server.ts';

const SRC = pathToFileURL(`${path.join(import.meta.dirname, '../src')}/`).href;

export interface Crossing {
  readonly name: string;
  readonly files: readonly string[];
  /** 'port.method', in the order of the calls. */
  readonly storeCalls: readonly string[];
}

/** A sign-in and a me of the vendor VSee. */
export async function crossings(): Promise<Crossing[]> {
  const now = new Date();
  // The clock stands still: nothing is read again because time went by.
  const server = await startTestServer({ clock: { now: () => now } });
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    const calls = countStoreCalls(server.running.stores);
    const measure = async (name: string, request: () => Promise<void>): Promise<Crossing> => {
      await request();
      let result: Profiler.ScriptCoverage[];
      do {
        await session.post('Profiler.takePreciseCoverage');
        calls.length = 0;
        await request();
        ({ result } = await session.post('Profiler.takePreciseCoverage'));
      } while (calls.includes('deliveries.due') || calls.includes('usage.change'));
      const ran = result.filter(({ functions }) =>
        // A script's own top level is the function without a name: it runs when the script is loaded.
        functions.some(({ functionName, ranges }) => functionName !== '' && (ranges[0]?.count ?? 0) > 0),
      );
      const files = ran.map(({ url }) => url).filter((url) => url.startsWith(SRC));
      return { name, files: files.map((url) => url.slice(SRC.length)).sort(), storeCalls: [...calls] };
    };
    const token = await signIn(server);
    return [
      await measure('vendor sign-in', async () => void (await signIn(server))),
      // Another client each time, so that no kept answer is given.
      await measure('GET me', () => me(server, token, randomUUID())),
      await measure('GET me again', () => me(server, token, 'the same')),
    ];
  } finally {
    session.disconnect();
    await server.close();
  }
}

async function signIn(server: TestServer): Promise<string> {
  const response = await fetch(`${server.url}/api_v3/users/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-accountcode': 'clinicdev' },
    body: JSON.stringify({ username: 'pat@x.test', password: 'Willow-Compass-Ember-87' }),
  });
  const { data } = (await response.json()) as { data?: { token?: string } };
  if (data?.token === undefined) throw new Error(`The sign-in answered ${response.status}.`);
  return data.token;
}

async function me(server: TestServer, token: string, client: string): Promise<void> {
  const headers = { 'x-apitoken': token, 'user-agent': client };
  const response = await fetch(`${server.url}/api_v3/me`, { headers });
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`GET me answered ${response.status}.`);
}

/** Writes down every call to a port. */
export function countStoreCalls(stores: object): string[] {
  const calls: string[] = [];
  for (const [port, methods] of Object.entries(stores)) {
    if (typeof methods !== 'object' || methods === null) continue;
    for (const [method, original] of Object.entries(methods)) {
      if (typeof original !== 'function') continue;
      Object.defineProperty(methods, method, {
        value(this: unknown, ...given: unknown[]) {
          calls.push(`${port}.${method}`);
          return Reflect.apply(original, this, given);
        },
      });
    }
  }
  return calls;
}

if (import.meta.main) {
  const counted = await crossings();
  if (process.argv.includes('--json')) console.log(JSON.stringify(counted, null, 2));
  else {
    for (const { name, files, storeCalls } of counted) {
      console.log(`${name}: ${files.length} files, ${storeCalls.length} store calls`);
      console.log(`  ${storeCalls.join(', ')}`);
    }
  }
}
