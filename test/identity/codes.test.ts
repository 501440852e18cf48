import { createHash, createHmac } from 'node:crypto';
import { expect } from 'chai';
import { createApiKey, listApiKeys } from '../../src/identity/accounts/api-keys.ts';
import { setStatus } from '../../src/identity/accounts/set-status.ts';
import { RESET, readLinkToken, sendLinkToken } from '../../src/identity/codes/link-token.ts';
import { attemptCode, SIX_DIGITS, sendCode } from '../../src/identity/codes/one-time-code.ts';
import { requestReset } from '../../src/identity/self-service/request-password-reset.ts';
import { sendSignInCode } from '../../src/identity/sign-in/send-code.ts';
import { signInWithCode } from '../../src/identity/sign-in/with-code.ts';
import { linkIdentity } from '../../src/identity/upstream/link-identity.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import { from, openWorld, PASSWORD, refusal, type World } from './world.ts';

const PURPOSE = 'sign-in';

/** Tells the name of each method that is called. */
function counted<Port extends object>(port: Port, called: (method: string) => void): Port {
  return new Proxy(port, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...values: unknown[]) => {
        called(String(name));
        return method.apply(target, values);
      };
    },
  });
}
const WIDE = {
  pair: { limit: 1000, window: 900 },
  address: { limit: 1000, window: 900 },
  login: { limit: 1000, window: 900 },
  codes: { limit: 1000, window: 900 },
};

describe('one-time codes', () => {
  let world: World;
  let account: AccountRecord;
  beforeEach(async () => {
    world = await openWorld();
    account = await world.person({ email: 'codes@clinic.test', emailVerified: true, password: PASSWORD });
  });
  afterEach(() => world.close());

  const send = async (more: Partial<Parameters<typeof sendCode>[1]> = {}) => {
    const toSomebody = () => world.emails.filter(({ to }) => to !== '');
    const before = toSomebody().length;
    const terms = { purpose: PURPOSE, form: SIX_DIGITS, lifetime: 600, tries: 5, email: 'code' } as const;
    await sendCode(world.identity, { account, asker: from(), ...terms, ...more });
    return toSomebody().length > before ? String(toSomebody().at(-1)?.data.code) : undefined;
  };
  const sent = async (more: Partial<Parameters<typeof sendCode>[1]> = {}) => (await send(more)) ?? '';
  const signIn = (code: string, more: Partial<Parameters<typeof signInWithCode>[1]> = {}) =>
    signInWithCode(
      world.identity,
      {
        organization: 'north',
        email: 'codes@clinic.test',
        code,
        purpose: PURPOSE,
        context: from(),
        ...more,
      },
      async (account) => account,
    );
  const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

  it('O1 are six digits, uniform over every place, leading zeros kept', async () => {
    // Ten thousand writes would be the test's whole time; what is drawn and sent is the same without them.
    const { codes: store } = world.identity.stores;
    Object.assign(store, { put: async () => {} });
    const codes: string[] = [];
    for (let i = 0; i < 10_000; i += 1) codes.push(await sent());
    expect(codes.filter((code) => !/^\d{6}$/.test(code))).to.deep.equal([]);
    expect(codes.filter((code) => code.startsWith('0')).length).to.be.within(860, 1140);
    for (let place = 0; place < 6; place += 1) {
      const counts = Array.from(
        { length: 10 },
        (_, digit) => codes.filter((code) => code[place] === String(digit)).length,
      );
      const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
      // 9 degrees of freedom: exceeded once in a hundred thousand runs for each place.
      expect(chiSquare).to.be.lessThan(39);
    }
  }).timeout(30_000);

  it('CL10 are read as people paste them', async () => {
    const arabic = (code: string) =>
      code.replace(/\d/g, (digit) => String.fromCodePoint(0x660 + Number(digit)));
    const fullWidth = (code: string) =>
      code.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
    const spellings: Record<string, (code: string) => string> = {
      'with a full stop': (code) => `${code}.`,
      'with a Japanese full stop': (code) => `${code}\u3002`,
      'with zero-width marks': (code) => `\ufeff${code.slice(0, 3)}\u200b${code.slice(3)}\u200e`,
      'with dashes of three kinds': (code) =>
        [...code].join('\u2013').replace('\u2013', '-').replace('\u2013', '\u2212'),
      'with blanks': (code) => `\u00a0${code.slice(0, 3)} ${code.slice(3)}\n`,
      'in full-width digits': fullWidth,
      'in Arabic-Indic digits': arabic,
      'in digits of Devanagari': (code) =>
        code.replace(/\d/g, (digit) => String.fromCodePoint(0x966 + Number(digit))),
    };
    for (const [how, spelled] of Object.entries(spellings)) {
      const code = await sent({ asker: from(`192.0.2.${Object.keys(spellings).indexOf(how) + 10}`) });
      expect((await signIn(spelled(code))).id, how).to.equal(account.id);
    }
    const code = await sent({ asker: from('192.0.2.40') });
    for (const other of [`${code}0`, code.slice(1), arabic(wrong(code)), `${code}!`])
      expect(await refusal(signIn(other)), other).to.equal('code-refused');
  });

  it('O2 live ten minutes, judged by our clock', async () => {
    const code = await sent();
    world.pass(599);
    await signIn(code);
    const late = await sent();
    world.pass(600);
    expect(await refusal(signIn(late))).to.equal('code-refused');
  });

  it('O2 the newest kills the older one of the same client address', async () => {
    const first = await sent();
    let second = await sent();
    while (second === first) second = await sent();
    expect(await refusal(signIn(first))).to.equal('code-refused');
    await signIn(second);
  });

  it('O3 are accepted once, of fifty at the same time', async () => {
    await world.close();
    world = await openWorld({ limits: WIDE });
    account = await world.person({ email: 'codes@clinic.test', emailVerified: true });
    const code = await sent();
    const all = await Promise.allSettled(Array.from({ length: 50 }, () => signIn(code)));
    expect(all.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect(await refusal(signIn(code))).to.equal('code-refused');
  });

  it('O4 are dead after five wrong tries, also of two hundred at the same time with the right one last', async () => {
    await world.close();
    world = await openWorld({ limits: WIDE });
    account = await world.person({ email: 'codes@clinic.test', emailVerified: true });
    const code = await sent();
    const guesses = [...Array.from({ length: 199 }, () => signIn(wrong(code))), signIn(code)];
    const all = await Promise.allSettled(guesses);
    expect(all.filter(({ status }) => status === 'fulfilled')).to.have.length(0);
    expect(await refusal(signIn(code))).to.equal('code-refused');
  });

  it('B7 a stranger neither ends nor uses up the code that a person waits for', async () => {
    const [person, stranger] = [from('198.51.100.1'), from('203.0.113.1')];
    for (const request of [undefined, 'interaction'] as const) {
      const mine = { request, address: person.address };
      const theirs = { request: request && 'another', address: stranger.address };
      const own = request === undefined ? {} : { request };
      const others = theirs.request === undefined ? {} : { request: theirs.request };
      const code = await sent({ asker: mine });
      for (let round = 0; round < 2; round += 1) {
        for (let i = 0; i < 5; i += 1) {
          const guess = signIn(wrong(code), { context: stranger, ...others });
          expect(await refusal(guess)).to.equal('code-refused');
        }
        await sent({ asker: theirs });
      }
      // Typed where the person reads mail: another client address again, unless the interaction decides.
      await signIn(code, { context: request === undefined ? from('192.0.2.77') : person, ...own });
      await world.close();
      world = await openWorld();
      account = await world.person({ email: 'codes@clinic.test', emailVerified: true, password: PASSWORD });
    }
  });

  it('B7 the limits of emails are those that are configured', async () => {
    const codes = { limit: 1, window: 60 };
    const identity = { ...world.identity, emailLimits: { ...world.identity.emailLimits, codes } };
    const ask = (request: string) =>
      sendSignInCode(identity, {
        ...{ organization: 'north', account, name: 'codes@clinic.test', purpose: PURPOSE, request },
        context: from('203.0.113.1'),
      });
    expect(await ask('first')).to.equal(true);
    const refused = await ask('second').catch((error: unknown) => error);
    expect(refused).to.include({ reason: 'too-many-requests', about: 'emails', retryAfter: 60 });
  });

  it('B7 a stranger uses up its own share of the emails, and who is over it hears so, known or not', async () => {
    const ask = (email: string, address: string, request: string) =>
      sendSignInCode(world.identity, {
        ...{ organization: 'north', name: email, purpose: PURPOSE, request, context: from(address) },
        account: email === account.email ? account : undefined,
      });
    for (const email of ['codes@clinic.test', 'nobody@clinic.test']) {
      for (let i = 0; i < 5; i += 1) expect(await ask(email, '203.0.113.1', `s${i}`)).to.equal(true);
      for (let again = 0; again < 2; again += 1) {
        const refused = await ask(email, '203.0.113.1', 'more').catch((error: unknown) => error);
        expect(refused, email).to.include({ reason: 'too-many-requests', about: 'emails', retryAfter: 600 });
      }
      expect(await ask(email, '198.51.100.1', 'person'), 'from elsewhere').to.equal(true);
      for (const [i, far] of ['2', '3', '4'].entries())
        for (let k = 0; k < 5 - Number(i === 2); k += 1) await ask(email, `203.0.113.${far}`, `t${far}${k}`);
      expect(await refusal(ask(email, '203.0.113.9', 'last')), 'one mailbox').to.equal('too-many-requests');
    }
    expect(world.emails.filter(({ to }) => to === account.email)).to.have.length(20);
    world.pass(600);
    expect(await ask('codes@clinic.test', '203.0.113.1', 'later')).to.equal(true);
  });

  it('O5 a new code does not give a new budget of tries', async () => {
    for (let round = 0; round < 5; round += 1) {
      const code = await sent();
      for (let i = 0; i < 2; i += 1) expect(await refusal(signIn(wrong(code)))).to.equal('code-refused');
    }
    expect(await refusal(signIn(await sent()))).to.equal('too-many-requests');
  });

  it('O5 R4 B9 fifty wrong codes of an account a day are judged in all, its owner hears of it once and still comes in', async () => {
    const owner = from('198.51.100.9');
    await signIn(await sent(), { context: owner });
    const told = () => world.emails.filter(({ name }) => name === 'wrong-codes');
    let guesses = 0;
    const guess = async (email: string) => {
      guesses += 1;
      const context = from(`203.0.113.${Math.floor(guesses / 8)}`);
      return refusal(signIn('000000', { email, context }));
    };
    for (const email of ['codes@clinic.test', 'nobody@clinic.test']) {
      const reasons: string[] = [];
      for (let i = 0; i < 60; i += 1) {
        reasons.push(await guess(email));
        if (i < 49)
          expect(told(), 'not before it is too much').to.have.length(Number(email !== account.email));
        // The counter of an hour is not what stops it.
        world.pass(600);
      }
      expect(reasons.indexOf('too-many-requests'), email).to.equal(50);
      expect(new Set(reasons.slice(50)), email).to.deep.equal(new Set(['too-many-requests']));
    }
    expect(told().map(({ to }) => to)).to.deep.equal(['codes@clinic.test']);
    const late = { asker: { address: '192.0.2.200' } };
    expect(await refusal(signIn(await sent(late), { context: from('192.0.2.200') }))).to.equal(
      'too-many-requests',
    );
    await signIn(await sent({ asker: owner }), { context: owner });
    world.pass(86_400);
    await signIn(await sent(late), { context: from('192.0.2.200') });
  });

  it('O5 one code tried at many accounts runs into the limit of the address', async () => {
    const tries: string[] = [];
    for (let i = 0; i < 101; i += 1)
      tries.push(await refusal(signIn('123456', { email: `p${i}@clinic.test` })));
    expect(tries.filter((reason) => reason === 'code-refused')).to.have.length(100);
    expect(tries.at(-1)).to.equal('too-many-requests');
  });

  it('O5 past the quota of emails nothing is sent and the code that was sent stays good', async () => {
    const quota = { limit: 2, window: 3600 };
    await sent({ quota });
    const last = await sent({ quota });
    expect(await send({ quota })).to.equal(undefined);
    await signIn(last);
    world.pass(3600);
    expect(await send({ quota })).to.match(/^\d{6}$/);
  });

  it('O6 are bound to organization, account, purpose and transaction', async () => {
    const other = await world.person({ email: 'codes@clinic.test' }, 'south');
    const neighbour = await world.person({ email: 'other@clinic.test' });
    expect(other.id).not.to.equal(account.id);
    const flow = { request: 'flow-a', binding: 'codes@clinic.test' };
    const code = await sent({ asker: { ...from(), request: 'flow-a' }, binding: flow.binding });
    for (const other of [
      { request: 'flow-b' },
      { binding: 'other@clinic.test' },
      { purpose: 'reset' },
      { organization: 'south' },
      { email: neighbour.email ?? '' },
    ])
      expect(await refusal(signIn(code, { ...flow, ...other })), JSON.stringify(other)).to.equal(
        'code-refused',
      );
    expect(await refusal(signIn(code))).to.equal('code-refused');
    expect(await signIn(code, flow)).to.have.property('id', account.id);
  });

  it('O7 cannot be found in the store by hashing all million of them', async () => {
    const code = await sent();
    const dump = world.dump();
    expect(dump).not.to.contain(code);
    const plain = ['hex', 'base64', 'base64url'] as const;
    for (const text of [code, `${account.id}${code}`, `${account.id}:${PURPOSE}:${code}`]) {
      for (const encoding of plain) {
        expect(dump).not.to.contain(createHash('sha256').update(text).digest(encoding));
        expect(dump).not.to.contain(createHmac('sha256', account.id).update(text).digest(encoding));
      }
    }
  });

  it('of an account that is not let in are not spent, and look like wrong ones', async () => {
    const code = await sent();
    expect(await refusal(signIn(code, { admits: () => false }))).to.equal('code-refused');
    await signIn(code);
  });

  it('end when the account is blocked', async () => {
    const code = await sent();
    await setStatus(world.identity, { accountId: account.id, status: 'blocked' });
    await setStatus(world.identity, { accountId: account.id, status: 'active' });
    expect(await refusal(signIn(code))).to.equal('code-refused');
  });

  it('F5 the first proof of an unverified address takes away what was made before it', async () => {
    account = await world.person({
      email: 'victim@clinic.test',
      password: PASSWORD,
      claims: { name: 'Vic' },
    });
    await linkIdentity(world.identity, {
      accountId: account.id,
      issuer: 'https://idp.test',
      subject: 'squatter',
    });
    const form = { alphabet: 'abcdef', length: 20 };
    await createApiKey(world.identity, {
      organization: 'north',
      vendor: 'v',
      accountId: account.id,
      name: 'k',
      scopes: [],
      id: form,
      key: form,
    });
    const older = await sent({ purpose: 'delete-account' });
    await sendLinkToken(world.identity, {
      ...{ account, purpose: RESET, prefix: 'rst_', lifetime: 3600, supersedes: true },
      ...{ email: 'reset-link', link: 'https://id.test/reset?token={token}' },
    });
    const token = new URL(String(world.emails.at(-1)?.data.link)).searchParams.get('token') ?? '';
    expect(await readLinkToken(world.identity, { token, purpose: RESET })).to.not.equal(undefined);
    const proven = await signIn(await sent(), { email: 'victim@clinic.test' });
    expect(await readLinkToken(world.identity, { token, purpose: RESET })).to.equal(undefined);
    const asked = { accountId: account.id, purpose: 'delete-account', code: older, asker: from() };
    expect(await attemptCode(world.identity, asked)).to.equal('dead');
    expect(proven).to.include({ id: account.id, emailVerified: true });
    expect(proven.claims.name).to.equal('Vic');
    expect(proven.passwordHash).to.equal(undefined);
    expect(world.ended).to.deep.equal(Array(2).fill({ accountId: account.id, keep: undefined }));
    expect(await listApiKeys(world.identity, { accountId: account.id })).to.deep.equal([]);
    expect(await world.identity.stores.identities.listByAccount(account.id)).to.deep.equal([]);
  });

  it('F5 a proven address loses nothing by a code', async () => {
    const again = await signIn(await sent());
    expect(again.passwordHash).to.equal(account.passwordHash);
    expect(world.ended).to.deep.equal([]);
  });

  it('a code after the password, in one sign-in, only marks the address verified', async () => {
    account = await world.person({ email: 'new@clinic.test', password: PASSWORD });
    const proven = await signIn(await sent(), { email: 'new@clinic.test', confirms: true });
    expect(proven.emailVerified).to.equal(true);
    expect(proven.passwordHash).to.equal(account.passwordHash);
  });

  it('W7 an email for nobody costs the same calls of the store as one for somebody', async () => {
    // What they cost is too little to be seen in times, and much the same.
    const callsOf = async (work: (identity: World['identity']) => Promise<unknown>) => {
      const calls: string[] = [];
      const emails = world.emails.length;
      const stores = Object.entries(world.identity.stores).map(([port, methods]) => [
        port,
        typeof methods === 'object' ? counted(methods, (name) => calls.push(`${port}.${name}`)) : methods,
      ]);
      await work({ ...world.identity, stores: Object.fromEntries(stores) });
      return [...calls.sort(), `${world.emails.length - emails} emails`];
    };
    const common = { organization: 'north', context: from() };
    const askCode = (name: string, to: AccountRecord | undefined) =>
      callsOf((identity) =>
        sendSignInCode(identity, { ...common, account: to, name, purpose: PURPOSE, request: name }),
      );
    const askReset = (login: string) => callsOf((identity) => requestReset(identity, { ...common, login }));
    const code = await askCode('codes@clinic.test', account);
    expect(code).to.include.members(['codes.put', '1 emails']);
    expect(await askCode('nobody@clinic.test', undefined)).to.deep.equal(code);
    const reset = await askReset('codes@clinic.test');
    expect(reset).to.include.members(['linkTokens.put', '1 emails']);
    expect(await askReset('nobody@clinic.test')).to.deep.equal(reset);
  });

  it('W7 where no email is due one is made for nobody, and nobody can use it', async () => {
    await sendSignInCode(world.identity, {
      ...{ organization: 'north', account: undefined, name: 'nobody@clinic.test' },
      ...{ purpose: PURPOSE, request: 'i-1', context: from() },
    });
    expect(world.emails.map(({ to }) => to)).to.deep.equal(['']);
    const code = String(world.emails[0]?.data.code);
    const asker = { ...from(), request: 'i-1' };
    for (const accountId of [undefined, account.id]) {
      const asked = { accountId, purpose: PURPOSE, code, asker };
      expect(await attemptCode(world.identity, asked)).to.equal('dead');
    }
  });
});
