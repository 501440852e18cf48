/**
 * Whether a stranger can tell by the time of a refusal who has moved (M13), and by the time of "we have sent you an
 * email" whom the legacy system knows (M15). The legacy system takes 100 ms, give or take 50. `npm run bench:refusals`
 * prints medians, and exits with 1 where two kinds of people can be told apart: medians over 5 ms apart, and a
 * Mann-Whitney test with p below 0.01.
 */
import { randomUUID } from 'node:crypto';
import { insertAccount } from '../src/identity/accounts/create-account.ts';
import { deleteAccount } from '../src/identity/accounts/delete-account.ts';
import { updateAccount } from '../src/identity/accounts/update-account.ts';
import { OTHER, PASSWORD, type People, startPeople } from '../test/legacy/people.ts';
import { difference, mannWhitney, median } from '../test/support/timing.ts';

const ROUNDS = Number(process.argv[2] ?? 30);

type Ask = (email: string) => Promise<{ readonly status: number }>;
/** Makes one more person of the kind, and resolves with the address. */
type Kind = () => Promise<string>;

/** In turn, and every round begins with another kind: what comes first must not be one kind's fate. */
async function compare(what: string, people: People, asked: { kinds: Record<string, Kind>; ask: Ask }) {
  const { kinds, ask } = asked;
  const names = Object.keys(kinds);
  const times: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  const statuses = new Set<number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const turned = [...names.slice(round % names.length), ...names.slice(0, round % names.length)];
    for (const name of turned) {
      const email = await kinds[name]?.();
      people.system.suffer({ kind: 'delay', milliseconds: 50 + Math.random() * 100 });
      const began = performance.now();
      statuses.add((await ask(email ?? '')).status);
      times[name]?.push(performance.now() - began);
      people.system.suffer(undefined);
    }
  }
  const [first = []] = Object.values(times);
  const rows = Object.entries(times).map(([kind, taken]) => ({
    ...{ what, kind, 'median (ms)': median(taken).toFixed(1) },
    p: taken === first ? '' : mannWhitney(first, taken).toFixed(3),
    'told apart': difference(first, taken) ?? '',
  }));
  console.table(rows);
  console.log(`${ROUNDS} of each kind; replies: ${[...statuses].join(', ')}`);
  if (statuses.size > 1 || rows.some((row) => row['told apart'] !== '')) process.exitCode = 1;
}

const address = () => `${randomUUID()}@clinic.test`;

const people = await startPeople('embedded', {
  visitnote: { floor: '500ms', timeout: '5s' },
  avycenna: { floor: '1ms', timeout: '5s', organizations: ['default'] },
});
if (people === undefined) throw new Error('The embedded store did not start.');
const { system, server, signIn, post, account } = people;
const { identity } = server.running;

const there = async (vendor: 'visitnote' | 'avycenna' = 'visitnote', more: object = {}) =>
  system.add(vendor, { email: address(), password: PASSWORD, ...more });
const here = async (fields: object = {}) => {
  const email = address();
  await insertAccount(identity, { organization: 'default', account: { email, ...fields } });
  return email;
};
const takenOver = async () => {
  const { email } = await there();
  await signIn(email, PASSWORD);
  return email;
};
const idOf = async (email: string) => (await account(email))?.id ?? '';

await compare('refused sign-in', people, {
  ask: (email) => signIn(email, OTHER),
  kinds: {
    'known nowhere': async () => address(),
    'known there': async () => (await there()).email,
    'blocked there': async () => (await there('visitnote', { blocked: true })).email,
    'on the roster': async () => {
      const { email, id } = await there();
      await insertAccount(identity, {
        organization: 'default',
        account: { email, aliases: { visitnote: id } },
      });
      return email;
    },
    'taken over': takenOver,
    'with a password of their own': () => here({ password: PASSWORD }),
    'blocked here': async () => {
      const email = await takenOver();
      await updateAccount(identity, await idOf(email), (one) => ({ ...one, status: 'blocked' }));
      return email;
    },
    'deleted here': async () => {
      const email = await takenOver();
      await deleteAccount(identity, { accountId: await idOf(email) });
      return email;
    },
  },
});

await compare('code by email', people, {
  ask: (email) => post('/api/v1/auth/otp/send', { email }),
  kinds: {
    'known nowhere': async () => address(),
    'known there': async () => (await there('avycenna')).email,
    'known here': () => here(),
  },
});
await people.close();
