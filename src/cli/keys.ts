import type { KeysStatus, KeyView, ReEncryptionView } from '../keys/keys-status.ts';
import type { KeyCounts } from '../keys/re-encryption.ts';
import type { SigningKeyView } from '../oidc/contract.ts';
import { command, group } from './command.ts';
import { type CommandContext, inContext } from './context.ts';
import { CommandRefused, type JsonOption, note, say, sayJson, sayList, sayTable } from './output.ts';

export const keysCommand = group('keys', 'keys that encrypt, sign cookies, and sign tokens', [
  command({
    name: 'status',
    about: 'print all keys: how old, in which state, what ends when',
    options: [
      ['--count', 'read everything that is encrypted, and count what is under which server key'],
      ['--json', 'print it as JSON'],
    ],
    help: `
Server and cookie keys are told by ids of eight signs; no key is printed. An old server key may leave the
configuration when its line says so.

Examples:
  portico keys status
  portico keys status --count`,
    run: inContext(status),
  }),
  command({
    name: 're-encrypt',
    about: 'encrypt everything in the store under the server key that encrypts now',
    help: `
Servers that run do the same in the background, more slowly. Only one process works at a time; one that breaks
off is gone on with. Nothing is asked of users: no session, token or secret ends.

Example:
  portico keys re-encrypt`,
    run: inContext(reEncrypt),
  }),
  command({
    name: 'list',
    about: 'print the signing keys and their states',
    options: [['--json', 'print them as JSON']],
    help: `
next: published, does not sign yet. current: signs. previous: still verifies. retired: gone.

Example:
  portico keys list`,
    run: inContext(async (context, options: JsonOption) => {
      const { oidc } = await context.tools();
      const keys = oidc.signingKeys().map(({ kid, alg, state, since }) => ({ kid, alg, state, since }));
      const nothing = 'There are no signing keys yet. The server makes them at its first start.';
      sayList(options, keys, { row: (key) => key, nothing });
    }),
  }),
  command({
    name: 'rotate',
    about: 'let a new pair of keys sign tokens now; the old pair goes on verifying',
    help: 'Servers that run notice within a minute.\n\nExample:\n  portico keys rotate',
    run: inContext(async (context) => {
      await (await context.tools()).oidc.rotateKeys({ force: true });
      await context.note('signing-key.rotate', {});
      say('A new pair of keys signs. See: portico keys list');
    }),
  }),
]);

async function status(context: CommandContext, options: JsonOption & { count?: boolean }): Promise<void> {
  const [{ keysStatus }, { readKeyRecord }, { countByKey }] = await Promise.all([
    import('../keys/keys-status.ts'),
    import('../keys/key-record.ts'),
    import('../keys/re-encryption.ts'),
  ]);
  const { stores, keyIds: ids, config, clock } = context;
  const record = await readKeyRecord(stores.metadata);
  if (record === undefined) throw new CommandRefused('The store has no record of its keys.');
  const view = keysStatus({ record, ids, sessions: config.sessions, now: clock.now() });
  const counted = options.count ? await countByKey(context, told('counted')) : undefined;
  const signingKeys = (await context.tools()).oidc.signingKeys();
  if (options.json) return sayJson({ ...view, signingKeys, ...(counted && { counted }) });
  tell(view, { signingKeys, counted, now: clock.now(), derived: config.keys.cookies.length === 0 });
}

interface Told {
  readonly signingKeys: readonly SigningKeyView[];
  readonly counted: KeyCounts | undefined;
  readonly now: Date;
  /** Whether the cookie keys come from the server keys. */
  readonly derived: boolean;
}

function tell(
  { serverKeys, reEncryption, cookieKeys, nodes }: KeysStatus,
  { signingKeys, counted, now, derived }: Told,
): void {
  const row = (key: KeyView) => ({
    id: key.id,
    age: age(key.knownSince, now),
    used: key.usedSince === undefined ? 'never' : `${day(key.usedSince)} to ${day(key.usedUntil ?? now)}`,
    status: key.next,
  });
  say('Server keys');
  sayTable(serverKeys.map(row), 'none');
  if (reEncryption) say(`\n${progressLine(reEncryption)}`);
  if (counted) say(`\n${countLine(counted)}`);
  const places = nodes.map((node) => `${node.keys.join(' + ')} (seen ${node.seenAt.toISOString()})`);
  say(`\nNodes that serve: ${places.length === 0 ? 'none' : places.join(', ')}`);
  say(`\nCookie keys${derived ? ' (they come from the server keys, in the same order)' : ''}`);
  sayTable(cookieKeys.map(row), 'none');
  say('\nSigning keys');
  const next = {
    next: 'signs from',
    current: 'signs until',
    previous: 'verifies until',
    retired: 'gone; listed until',
  };
  sayTable(
    signingKeys.map(({ kid, alg, state, since, until }) => ({
      ...{ kid, alg, state, age: age(since, now), status: `${next[state]} ${day(until)}` },
    })),
    'none',
  );
}

function progressLine(view: ReEncryptionView): string {
  const { done, all, percent, unreadable, finishedAt, secondsLeft } = view;
  const lost = unreadable > 0 ? ` ${unreadable} open under no key of this configuration.` : '';
  if (finishedAt) return `Re-encryption: finished at ${finishedAt.toISOString()}, ${done} records.${lost}`;
  const left = secondsLeft === undefined ? '' : `, about ${duration(secondsLeft)} left`;
  return `Re-encryption: ${done} of about ${all} records (${percent} %)${left}.${lost}`;
}

function countLine({ byKey, unreadable }: KeyCounts): string {
  const parts = Object.entries(byKey).map(([id, count]) => `${count} under ${id}`);
  return `Counted: ${[...parts, `${unreadable} under none of these`].join(', ')}.`;
}

async function reEncrypt(context: CommandContext): Promise<void> {
  const { reEncrypt: run } = await import('../keys/re-encryption.ts');
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const progress = told('re-encrypted');
  for (let waited = false; ; waited = true) {
    const outcome = await run({
      ...context,
      store: context.config.store.kind,
      rest: 0,
      stopped: stop.signal,
      progress: ({ read, all }) => progress(read, Math.max(all, read)),
    });
    if (outcome === 'finished') return done(context);
    if (outcome === 'nothing') return say('Everything is under the server key that encrypts.');
    if (outcome === 'stopped') return say('Stopped. The next run, or a server, goes on where it was.');
    if (outcome === 'mixed') throw new CommandRefused(MIXED);
    if (!waited) note('Another process re-encrypts. This one takes over when that one pauses or dies.');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

const MIXED =
  'Nodes that serve encrypt under different server keys. Give every node the same keys.encryption first; ' +
  'a node that was killed counts for three minutes.';

async function done(context: CommandContext): Promise<void> {
  await context.note('server-key.re-encrypt', {});
  say('Everything is under the server key that encrypts. See when the old one may go: portico keys status');
}

/** A line each few thousand records. */
function told(what: string): (read: number, all?: number) => void {
  let said = 0;
  return (read, all) => {
    if (read - said < 10_000) return;
    said = read;
    note(`${what} ${read}${all === undefined ? '' : ` of about ${all}`} records`);
  };
}

function day(date: Date): string {
  return date.toISOString().slice(0, 16).replace('T', ' ');
}

function age(since: Date, now: Date): string {
  return duration((now.getTime() - since.getTime()) / 1000);
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
