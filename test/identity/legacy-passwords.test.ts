/** Lazy migration at the password: the table of states and answers as data, without a network. */
import { expect } from 'chai';
import { deleteAccount } from '../../src/identity/accounts/delete-account.ts';
import { setStatus } from '../../src/identity/accounts/set-status.ts';
import type { LegacyAnswer } from '../../src/identity/legacy-systems.ts';
import { requestReset } from '../../src/identity/self-service/request-password-reset.ts';
import { setPassword } from '../../src/identity/self-service/set-password.ts';
import { checkPassword } from '../../src/identity/sign-in/reauthenticate.ts';
import { sendSignInCode } from '../../src/identity/sign-in/send-code.ts';
import { eventually } from '../support/in-time.ts';
import { type FakeLegacy, fakeLegacy, together, yes } from './legacy-fake.ts';
import { from, openWorld, PASSWORD, refusal, signInByPassword, type World } from './world.ts';

const OTHER = 'Another-Meadow-Falcon-17';
const EMAIL = 'ada@north.example';
/** Who signs in, and from where. */
let who = { email: EMAIL, vendorId: 'v-1', address: '192.0.2.1' };
const itIsHer = () => yes({ vendorId: who.vendorId, account: { email: who.email } });
const AWAY = { away: 'time-out', retryAfter: 7 } as const;
const DAY = 86_400;

let world: World;
let legacy: FakeLegacy;

const signIn = async (password: string, login = who.email, channel = 'hosted') => {
  const { account } = await signInByPassword(world.identity, {
    ...{ organization: 'north', login, password, by: ['email', 'username'] },
    context: { ...from(who.address), channel },
  });
  return account;
};
const byEmail = () => world.identity.stores.accounts.byEmail('north', who.email);
const present = async () => {
  const account = await byEmail();
  if (account === undefined) throw new Error('There is no such account.');
  return account;
};
const outcome = (call: Promise<unknown>) =>
  call.then(
    () => 'in',
    () => refusal(call),
  );
const until = (holds: () => boolean) => eventually(() => expect(holds()).to.equal(true));
const lastSignIn = () => world.audit.filter(({ event }) => event === 'sign-in').at(-1);

async function open(rules: Parameters<typeof fakeLegacy>[1] = {}): Promise<void> {
  legacy = fakeLegacy('visitnote', rules);
  world = await openWorld({ legacy });
  who = { email: EMAIL, vendorId: 'v-1', address: '192.0.2.1' };
}

/** A roster row: who is at the legacy system, without a password. */
const roster = () =>
  world.person({
    email: who.email,
    aliases: { visitnote: who.vendorId },
    legacy: { visitnote: { password: 'legacy' } },
  });

async function takenOver(): Promise<void> {
  legacy.says = itIsHer();
  await signIn(PASSWORD);
  legacy.calls.length = 0;
}

/** How a person comes into each state. */
const STATES: Readonly<Record<string, () => Promise<unknown>>> = {
  U: async () => {},
  R: roster,
  I: takenOver,
  'I, older': async () => {
    await takenOver();
    world.pass(DAY + 1);
  },
  H: async () => {
    await takenOver();
    const { id: accountId } = await present();
    await setPassword(world.identity, { accountId, password: PASSWORD, minimum: 12 });
  },
  B: async () => {
    await takenOver();
    await setStatus(world.identity, { accountId: (await present()).id, status: 'blocked' });
  },
  G: async () => {
    await takenOver();
    await deleteAccount(world.identity, { accountId: (await present()).id });
  },
};

const ANSWERS: Readonly<Record<string, () => LegacyAnswer>> = {
  yes: itIsHer,
  no: () => 'no',
  away: () => AWAY,
};

interface Row {
  readonly state: string;
  readonly password: string;
  readonly answer: string;
  readonly ends: string;
  /** Calls at the legacy system. */
  readonly calls: number;
}

const row = (state: string, password: string, answer: string, ends: string, calls: number): Row => ({
  ...{ state, password, answer, ends, calls },
});
const refused = 'sign-in-refused';
/** Whatever the legacy system would say, it is not asked. */
const notAsked = (state: string, password: string, ends: string) =>
  Object.keys(ANSWERS).map((answer) => row(state, password, answer, ends, 0));

/** The table of the design, section 4. */
const TABLE: readonly Row[] = [
  row('U', PASSWORD, 'yes', 'in', 1),
  row('U', PASSWORD, 'no', refused, 1),
  row('U', PASSWORD, 'away', 'unavailable', 1),
  row('R', PASSWORD, 'yes', 'in', 1),
  row('R', PASSWORD, 'no', refused, 1),
  row('R', PASSWORD, 'away', 'unavailable', 1),
  ...notAsked('I', PASSWORD, 'in'),
  row('I', OTHER, 'yes', 'in', 1),
  row('I', OTHER, 'no', refused, 1),
  row('I', OTHER, 'away', 'unavailable', 1),
  row('I, older', PASSWORD, 'yes', 'in', 1),
  row('I, older', PASSWORD, 'no', refused, 1),
  row('I, older', PASSWORD, 'away', 'in', 1),
  row('I, older', OTHER, 'yes', 'in', 1),
  row('I, older', OTHER, 'no', refused, 1),
  row('I, older', OTHER, 'away', 'unavailable', 1),
  ...notAsked('H', PASSWORD, 'in'),
  ...['B', 'G'].flatMap((state) => [
    ...notAsked(state, PASSWORD, refused),
    ...notAsked(state, OTHER, refused),
  ]),
  ...notAsked('H', OTHER, refused),
];

describe('a password in stage primary', function () {
  this.timeout(60_000);
  afterEach(() => world.close());

  it('M4 M7 is judged as the table of states says, and only a yes writes', async () => {
    await open();
    for (const [index, { state, password, answer, ends, calls }] of TABLE.entries()) {
      const what = `${state}, ${password === PASSWORD ? 'right' : 'other'}, ${answer}`;
      who = { email: `p${index}@north.example`, vendorId: `p-${index}`, address: `192.0.2.${index}` };
      await STATES[state]?.();
      const before = await byEmail();
      legacy.says = ANSWERS[answer]?.() ?? 'no';
      legacy.calls.length = 0;
      expect(await outcome(signIn(password)), what).to.equal(ends);
      expect(legacy.calls, what).to.have.lengthOf(calls);
      const after = await byEmail();
      if (answer === 'away' || ends !== 'in') {
        // A fresh no takes the password away, and nothing else.
        const dropped = state === 'I, older' && password === PASSWORD && answer === 'no';
        if (dropped) expect(after, what).to.not.have.property('passwordHash');
        else expect({ ...after, lastSignInAt: 0 }, what).to.deep.equal({ ...before, lastSignInAt: 0 });
      }
    }
  });

  it('M4 a confirmed person is made as the legacy system shows them, and is known from then on', async () => {
    await open({ addressesVerified: true });
    const createdAt = new Date('2019-04-05T06:07:08Z');
    const account = {
      email: 'Ada@North.example',
      claims: { given_name: 'Ada', family_name: 'North' },
      vendor: { role: 'clinician' },
    };
    legacy.says = yes({ account, createdAt });
    await signIn('short');
    const made = await present();
    expect(made).to.deep.include({
      email: EMAIL,
      emailVerified: true,
      claims: account.claims,
      aliases: { visitnote: 'v-1' },
      vendor: { visitnote: { role: 'clinician' } },
      openedAt: 'visitnote',
      createdAt,
    });
    expect(made.legacy?.visitnote).to.deep.equal({
      password: 'legacy',
      confirmedAt: world.identity.clock.now().toISOString(),
    });
    expect(lastSignIn()).to.deep.include({ outcome: 'success', subject: made.id });
    expect(lastSignIn()?.detail).to.include({ confirmed: 'yes' });
    legacy.primary = false;
    // M5: six characters are too few for a new password, and this one is not new.
    expect((await signIn('short')).id).to.equal(made.id);
    expect(legacy.calls).to.deep.equal(['signIn']);
  });

  it('M4 a roster row gets what it lacks at the first yes, and keeps what it has', async () => {
    await open();
    const { id } = await world.person({
      email: EMAIL,
      claims: { given_name: 'Adelaide' },
      legacy: { visitnote: { password: 'legacy' } },
    });
    legacy.says = yes({
      account: {
        email: EMAIL,
        claims: { given_name: 'Ada', family_name: 'North' },
        vendor: { role: 'clinician' },
      },
    });
    await signIn(PASSWORD);
    expect(await present()).to.deep.include({
      id,
      claims: { given_name: 'Adelaide', family_name: 'North' },
      aliases: { visitnote: 'v-1' },
      vendor: { visitnote: { role: 'clinician' } },
    });
  });

  it('M5 a password set here is the only one from then on, wherever it was set', async () => {
    await open();
    await takenOver();
    const { id: accountId } = await present();
    await setPassword(world.identity, { accountId, password: OTHER, minimum: 12 });
    legacy.says = yes();
    expect(await refusal(signIn(PASSWORD))).to.equal(refused);
    expect((await signIn(OTHER)).id).to.equal(accountId);
    expect(legacy.calls).to.deep.equal([]);
    expect((await present()).legacy).to.deep.equal({ visitnote: { password: 'portico' } });
  });

  it('M5 a password that the legacy system does not confirm any more is right nowhere', async () => {
    await open();
    await takenOver();
    world.pass(DAY + 1);
    legacy.says = 'no';
    expect(await refusal(signIn(PASSWORD))).to.equal(refused);
    expect(lastSignIn()?.detail).to.include({ why: 'wrong', confirmed: 'no' });
    legacy.primary = false;
    expect(await refusal(signIn(PASSWORD))).to.equal(refused);
  });

  it('M7 an older password signs in while the legacy system is away, and the audit says so', async () => {
    await open();
    await takenOver();
    world.pass(DAY + 1);
    legacy.says = AWAY;
    await signIn(PASSWORD);
    expect(lastSignIn()).to.deep.include({ outcome: 'success' });
    expect(lastSignIn()?.detail).to.include({ confirmed: 'away' });
  });

  it('M14 a no and an away count as tries, and a full counter asks nothing', async () => {
    await open();
    legacy.says = (_question) => (legacy.calls.length % 2 === 0 ? 'no' : AWAY);
    const results = [];
    for (let tries = 0; tries < 11; tries += 1) results.push(await refusal(signIn(PASSWORD)));
    expect(results.slice(0, 10).every((reason) => reason !== 'too-many-requests')).to.equal(true);
    expect(results.at(-1)).to.equal('too-many-requests');
    expect(legacy.calls).to.have.lengthOf(10);
  });

  it('M8 a deleted person stays deleted for the vendor’s id and the address, until the address registers anew', async () => {
    await open();
    await takenOver();
    const { id } = await present();
    await deleteAccount(world.identity, { accountId: id });
    legacy.says = yes();
    // The address is known as gone; the id is when it comes under another name.
    expect(await refusal(signIn(PASSWORD))).to.equal(refused);
    expect(legacy.calls).to.deep.equal([]);
    expect(await refusal(signIn(PASSWORD, 'ada'))).to.equal(refused);
    expect(await byEmail()).to.equal(undefined);
    const again = await world.person({ email: EMAIL, password: OTHER });
    expect(again.id).to.not.equal(id);
    expect((await signIn(OTHER)).id).to.equal(again.id);
    await deleteAccount(world.identity, { accountId: again.id });
    // Not a person of the legacy system: it left no mark, so the address is asked about; the id still is gone.
    expect(await refusal(signIn(PASSWORD))).to.equal(refused);
    expect(legacy.calls).to.deep.equal(['signIn', 'signIn']);
    legacy.says = yes({ vendorId: 'v-2' });
    expect((await signIn(PASSWORD)).aliases).to.deep.equal({ visitnote: 'v-2' });
  });

  it('M10 an id of another organization is no answer, and a conflict for the operator', async () => {
    await open();
    await world.person({ email: 'x@south.example', aliases: { visitnote: 'v-1' } }, 'south');
    legacy.says = yes();
    expect(await refusal(signIn(PASSWORD))).to.equal('unavailable');
    expect(await byEmail()).to.equal(undefined);
    expect(world.audit.map(({ event }) => event)).to.include('migration.conflict');
  });

  it('asking for the password again asks the legacy system as a sign-in does', async () => {
    await open();
    const { id: accountId } = await roster();
    const check = (password: string) =>
      checkPassword(world.identity, { accountId, password, context: { ...from(), channel: 'visitnote' } });
    legacy.says = 'no';
    expect(await check(PASSWORD)).to.equal(false);
    legacy.says = AWAY;
    expect(await refusal(check(PASSWORD))).to.equal('unavailable');
    legacy.says = yes();
    expect(await check(PASSWORD)).to.equal(true);
    legacy.says = 'no';
    expect(await check(PASSWORD)).to.equal(true);
  });
});

describe('emails of a legacy system', () => {
  afterEach(() => world.close());

  it('M15 are asked for when the reply is out, for people who are unknown here and were not deleted', async () => {
    await open();
    const { promise: reply, resolve: answer } = Promise.withResolvers<void>();
    const ask = async (name: string) => {
      const account = await world.identity.stores.accounts.byEmail('north', name);
      const context = { ...from(who.address), answered: () => reply };
      const login = { organization: 'north', name, account, context };
      await sendSignInCode(world.identity, { ...login, purpose: 'hosted-sign-in', request: name });
      await requestReset(world.identity, { organization: 'north', login: name, context });
    };
    await ask(EMAIL);
    await new Promise(setImmediate);
    expect(legacy.calls).to.deep.equal([]);
    answer();
    await until(() => legacy.calls.length > 1);
    expect(legacy.calls).to.have.members(['sendCode', 'reset']);
    await roster();
    world.pass(60);
    await ask(EMAIL);
    const emails = () => world.emails.filter(({ to }) => to === EMAIL).map(({ name }) => name);
    await until(() => emails().length > 1);
    expect(emails()).to.deep.equal(['code', 'reset-link']);
    expect(legacy.calls).to.have.length(2);
  });
});

describe('the address of an account that the legacy system does not know', function () {
  this.timeout(60_000);
  afterEach(() => world.close());

  /** The legacy system knows her by a name of hers, so that the name leads to no account here. */
  const cases = [
    { here: true, there: true, ends: 'in', what: 'joined' },
    { here: false, there: true, ends: 'in', what: 'reclaimed' },
    { here: true, there: false, ends: refused, what: 'conflict' },
    { here: false, there: false, ends: refused, what: 'conflict' },
  ];
  for (const { here, there, ends, what } of cases)
    it(`M4 is ${what} when it is ${here ? '' : 'not '}proved here and ${there ? '' : 'not '}there`, async () => {
      await open();
      const own = await world.person({ email: EMAIL, emailVerified: here, openedAt: 'hosted' });
      legacy.says = yes({ addressVerified: there });
      expect(await outcome(signIn(PASSWORD, 'ada'))).to.equal(ends);
      const after = await present();
      expect(after.id).to.equal(own.id);
      expect(after.aliases).to.deep.equal(ends === 'in' ? { visitnote: 'v-1' } : {});
      expect(after.emailVerified).to.equal(here || ends === 'in');
      const conflicts = world.audit.filter(({ event }) => event === 'migration.conflict');
      expect(conflicts.map(({ subject }) => subject)).to.have.members(ends === 'in' ? [] : [own.id]);
    });

  it('keeps the password that was set here as the only one when it joins', async () => {
    await open();
    const { id } = await world.person({ email: EMAIL, emailVerified: true, password: OTHER });
    legacy.says = yes({ addressVerified: true });
    expect(await refusal(signIn(PASSWORD, 'ada'))).to.equal(refused);
    expect((await present()).aliases).to.deep.equal({ visitnote: 'v-1' });
    expect((await signIn(OTHER)).id).to.equal(id);
    expect(await refusal(signIn(PASSWORD))).to.equal(refused);
  });

  it('is a conflict when the account has another id of the vendor', async () => {
    await open();
    await world.person({ email: EMAIL, emailVerified: true, aliases: { visitnote: 'v-0' } });
    legacy.says = yes({ addressVerified: true });
    expect(await refusal(signIn(PASSWORD))).to.equal(refused);
    expect((await present()).aliases).to.deep.equal({ visitnote: 'v-0' });
  });

  it('W7 no refusal at the pages takes another number of checks for a person with a password at each of two vendors', async () => {
    const vsee = fakeLegacy('vsee');
    legacy = fakeLegacy('visitnote');
    world = await openWorld({ legacy: together(legacy, vsee) });
    // Both are off: no legacy system is asked.
    legacy.primary = vsee.primary = false;
    const passwordHash = await world.identity.hasher.hash(PASSWORD);
    const both = { visitnote: { password: 'legacy' }, vsee: { password: 'legacy', passwordHash } } as const;
    await world.person({ email: 'native@north.example' });
    await world.person({ email: 'both@north.example', legacy: both });
    await world.person({ email: 'shut@north.example', legacy: both, status: 'blocked' });
    let checks = 0;
    const { hasher } = world.identity;
    const verify: typeof hasher.verify = (...asked) => {
      checks += 1;
      return hasher.verify(...asked);
    };
    Object.assign(world.identity, { hasher: { ...hasher, verify } });
    const cases: [login: string, password: string, channel: string, checks: number][] = [
      ['native@north.example', OTHER, 'hosted', 2],
      ['both@north.example', OTHER, 'hosted', 2],
      ['shut@north.example', OTHER, 'hosted', 2],
      ['shut@north.example', PASSWORD, 'hosted', 2],
      ['nobody@north.example', OTHER, 'hosted', 2],
      ['native@north.example', OTHER, 'vsee', 1],
      ['both@north.example', OTHER, 'vsee', 1],
      ['nobody@north.example', OTHER, 'vsee', 1],
    ];
    for (const [login, password, channel, expected] of cases) {
      checks = 0;
      const what = `${login} ${password} ${channel}`;
      expect(await outcome(signIn(password, login, channel)), what).to.not.equal('in');
      expect(checks, what).to.equal(expected);
    }
  });

  it('two legacy systems keep a password each until one is set here', async () => {
    const vsee = fakeLegacy('vsee', { addressesVerified: true });
    legacy = fakeLegacy('visitnote', { addressesVerified: true });
    world = await openWorld({ legacy: together(legacy, vsee) });
    legacy.says = yes();
    await signIn(PASSWORD, EMAIL, 'visitnote');
    const { id } = await present();
    vsee.says = yes({ vendorId: '200' });
    expect((await signIn(OTHER, EMAIL, 'vsee')).id).to.equal(id);
    expect((await present()).aliases).to.deep.equal({ visitnote: 'v-1', vsee: '200' });
    legacy.says = 'no';
    vsee.says = 'no';
    for (const [password, channel, ends] of [
      [PASSWORD, 'visitnote', 'in'],
      [OTHER, 'visitnote', refused],
      [OTHER, 'vsee', 'in'],
      [PASSWORD, 'vsee', refused],
      [PASSWORD, 'hosted', 'in'],
      [OTHER, 'hosted', 'in'],
    ] as const)
      expect(await outcome(signIn(password, EMAIL, channel)), channel).to.equal(ends);
    await setPassword(world.identity, { accountId: id, password: 'Third-Quartz-Lantern-9', minimum: 12 });
    for (const channel of ['visitnote', 'vsee', 'hosted']) {
      expect(await refusal(signIn(PASSWORD, EMAIL, channel))).to.equal(refused);
      expect(await refusal(signIn(OTHER, EMAIL, channel))).to.equal(refused);
    }
  });

  it('a proof of the address ends what a legacy system confirmed to another person', async () => {
    await open();
    await takenOver();
    const { reclaimAccount } = await import('../../src/identity/accounts/reclaim-account.ts');
    await reclaimAccount(world.identity, { account: await present() });
    legacy.says = yes();
    expect(await refusal(signIn(PASSWORD))).to.equal(refused);
    expect(await present()).to.not.have.property('passwordHash');
  });

  it('M3 fifty first sign-ins at once make one account', async () => {
    await open();
    legacy.says = yes();
    const from2 = (index: number) => from(`192.0.2.${index}`);
    const signedIn = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        signInByPassword(world.identity, {
          ...{ organization: 'north', login: EMAIL, password: PASSWORD, by: ['email'] },
          context: from2(index),
        }),
      ),
    );
    expect(new Set(signedIn.map(({ account }) => account.id)).size).to.equal(1);
    expect(await world.identity.stores.accounts.page('north', { limit: 10 })).to.have.lengthOf(1);
  });
});
