/**
 * N7, N11, N12: what an organization asks of its people, what a dialect does about it, and each way into the five
 * dialects. One server for each setting; the clock leads from one policy to the next.
 */
import { mock } from 'node:test';
import { expect } from 'chai';
import { randomText, randomToken } from '../../../src/core/crypto.ts';
import { KEY_FORMS } from '../../../src/dialects/avycenna/api-keys.ts';
import { HEX } from '../../../src/dialects/contract/tokens.ts';
import { splitSettings } from '../../../src/dialects/runtime/mounted.ts';
import { createApiKey } from '../../../src/identity/accounts/api-keys.ts';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import {
  appPasswordsOf,
  makeAppPassword,
  type OldClientRule,
  revokeAppPassword,
} from '../../../src/identity/factors/app-passwords.ts';
import { linkIdentity } from '../../../src/identity/upstream/link-identity.ts';
import type { AccountRecord } from '../../../src/model/account.ts';
import type { FactorPolicy, Factors } from '../../../src/model/factors.ts';
import type { DialectInfo } from '../../conformance/dialect-under-test.ts';
import type { Incoming } from '../../support/http-client.ts';
import { gmail, signInWithGoogle } from '../avycenna/google.ts';
import { avycenna, visitnote, vsee } from '../vendors.ts';
import { inDefault } from './channels.ts';
import { openWorld, PASSWORD, pointed, type World } from './world.ts';

const DAY = 86_400_000;

/** A moment that the test moves on. */
let now = new Date();
const later = (milliseconds: number) => {
  now = new Date(now.getTime() + milliseconds);
};
const ago = (days: number) => new Date(now.getTime() - days * DAY).toISOString();

interface Case {
  readonly name: string;
  readonly policy: () => FactorPolicy;
  readonly hasFactor?: boolean;
  readonly roles?: readonly string[];
  /** Whether the account's own password is not enough. */
  readonly needs: boolean;
}

const CASES: readonly Case[] = [
  { name: 'optional, without a factor', policy: () => ({ require: 'optional' }), needs: false },
  { name: 'optional, with a factor', policy: () => ({ require: 'optional' }), hasFactor: true, needs: true },
  { name: 'required, in grace', policy: () => ({ require: 'required', since: ago(1) }), needs: false },
  { name: 'required, after grace', policy: () => ({ require: 'required', since: ago(20) }), needs: true },
  {
    name: 'required, with a factor',
    policy: () => ({ require: 'required', since: ago(20) }),
    ...{ hasFactor: true, needs: true },
  },
  {
    name: 'required for a role that the person has',
    policy: () => ({ require: 'required-for-roles', roles: ['surgeon'], since: ago(20) }),
    ...{ roles: ['surgeon'], needs: true },
  },
  {
    name: 'required for a role that the person lacks',
    policy: () => ({ require: 'required-for-roles', roles: ['surgeon'], since: ago(20) }),
    ...{ roles: ['nurse'], needs: false },
  },
];

const RULES: readonly OldClientRule[] = ['refuse', 'allow', 'app-passwords'];

/** What the person of a case holds from before the policies. */
interface Held {
  readonly account: AccountRecord;
  readonly invited: AccountRecord;
  /** The clinic's own code of a person whom it signs in. */
  readonly clinicCode: string;
}

async function openWith(rule: OldClientRule): Promise<World> {
  const settings = Object.fromEntries(inDefault.map(({ dialect }) => [dialect.name, { factors: rule }]));
  const clock = { now: () => now };
  return openWorld({ clock, config: { dialects: settings, attempts: { address: { limit: 1000 } } } });
}

async function setPolicy({ server }: World, policy: FactorPolicy) {
  const { organizations } = server.running.stores;
  for (const id of ['default', 'clinicdev']) {
    const organization = await organizations.byId(id);
    if (organization) await organizations.put({ ...organization, factors: policy });
  }
  // A policy is seconds old at most.
  later(6000);
}

const app = (): Factors => ({ app: { salt: 'salt', step: 0, createdAt: ago(20) } });

const prepare = async (world: World, { roles = [] }: Case, index: number): Promise<Held> => {
  const clinicCode = `matrix-${index}`;
  await clinicSignIn(world, clinicCode);
  return {
    account: await world.person({ organization: 'default', roles }),
    invited: await world.person({ organization: 'default', roles, status: 'inactive', password: null }),
    clinicCode,
  };
};

function clinicSignIn(world: World, code: string): Promise<Incoming> {
  const json = { first_name: 'Cora', last_name: 'Clinic', type: 200, code };
  const headers = { 'x-accountcode': 'clinicdev', ...vsee.apiKey };
  return world.send({ method: 'POST', path: '/api_v3/users/sso', json, headers });
}

const change = (world: World, id: string, more: Partial<AccountRecord>) =>
  updateAccount(world.server.running.identity, id, (present) => ({ ...present, ...more }));

/** What a client sees of a refusal: all of it but what is new in every reply. */
const seen = ({ status, headers, text }: Incoming) => {
  const { date: _, 'x-request-id': __, ...others } = headers;
  return { status, headers: others, text };
};

interface Line {
  readonly subject?: string;
  readonly outcome?: string;
  readonly detail?: { readonly channel?: string; readonly factor?: string; readonly why?: string };
}

/** Why the audit says that the person was refused at a dialect, of the latest refusal. */
function whyRefused({ server }: World, subject: string, channel: string): string | undefined {
  const lines = server.logged.flatMap(({ audit }) => (audit === undefined ? [] : [audit as Line]));
  const own = lines.filter((line) => line.subject === subject && line.detail?.channel === channel);
  return own.filter(({ outcome }) => outcome === 'refused').at(-1)?.detail?.why;
}

/** A way in: what it says when it lets the person in, and a reply that is refused for a reason that all know. */
interface Way {
  readonly name: string;
  readonly dialect: string;
  readonly admitted: number;
  ask(world: World, held: Held): Promise<Incoming>;
  /** The same with a wrong secret; where nothing of it can be wrong, with a wrong password. */
  wrong(world: World, held: Held): Promise<Incoming>;
  /** False: it goes on with one, and leaves no line of its own. */
  readonly isSignIn?: false;
  /** Whose sign-in it is; default: the account's. */
  whose?(world: World, held: Held): Promise<string>;
}

/** Of an ID token that is made now. */
const times = () => ({ iat: Math.floor(now.getTime() / 1000), exp: Math.floor(now.getTime() / 1000) + 300 });

const email = ({ account }: Held) => account.email ?? '';

const byPassword = (vendor: DialectInfo): Way => ({
  name: `${vendor.dialect.name} password`,
  dialect: vendor.dialect.name,
  admitted: vendor.signIn.status,
  ask: (world, held) => world.signIn(vendor, email(held)),
  wrong: (world, held) => world.signIn(vendor, email(held), { password: 'Wrong-Harbour-12' }),
});

const byLiveToken = (vendor: DialectInfo): Way => ({
  name: `${vendor.dialect.name} me with a live token`,
  dialect: vendor.dialect.name,
  admitted: 200,
  isSignIn: false,
  ask: async (world, { account }) => world.me(vendor, (await world.mint(vendor, account)).access),
  async wrong(world, { account }) {
    const { access } = await world.mint(vendor, account);
    await world.revoke(access);
    return world.me(vendor, access);
  },
});

const byRefresh = (vendor: DialectInfo, path: string): Way => {
  const sent = (world: World, refresh_token: string) =>
    world.send({ method: 'POST', path, json: { refresh_token }, headers: { ...vendor.headers } });
  return {
    name: `${vendor.dialect.name} refresh`,
    dialect: vendor.dialect.name,
    admitted: 200,
    isSignIn: false,
    ask: async (world, { account }) => sent(world, (await world.mint(vendor, account)).refresh),
    async wrong(world, { account }) {
      const { access, refresh } = await world.mint(vendor, account);
      await world.revoke(access);
      return sent(world, refresh);
    },
  };
};

const byCode: Way = {
  name: 'avycenna code',
  dialect: 'avycenna',
  admitted: 200,
  async ask(world, held) {
    await world.send({ method: 'POST', path: '/api/v1/auth/otp/send', json: { email: email(held) } });
    const otp = /\b(\d{6})\b/.exec((await world.server.mail.take(email(held))).text)?.[1];
    return world.send({ method: 'POST', path: '/api/v1/auth/otp/verify', json: { email: email(held), otp } });
  },
  wrong: (world, held) =>
    world.send({
      ...{ method: 'POST', path: '/api/v1/auth/otp/verify' },
      json: { email: email(held), otp: '000000' },
    }),
};

const byInvitation: Way = {
  name: 'vsee code of an invitation',
  dialect: 'vsee',
  admitted: 200,
  async ask(world, { invited }) {
    const to = invited.email ?? '';
    await world.send({ method: 'POST', path: '/api_v3/users/reset_password', json: { email: to } });
    const email_token = /Your code: ([a-z]{6})\b/.exec((await world.server.mail.take(to)).text)?.[1];
    const json = { email: to, email_token };
    return world.send({ method: 'POST', path: '/api_v3/users/login', json });
  },
  wrong: (world, { invited }) =>
    world.send({
      ...{ method: 'POST', path: '/api_v3/users/login' },
      json: { email: invited.email, email_token: 'aaaaaa' },
    }),
  whose: async (_, { invited }) => invited.id,
};

const bySocial: Way = {
  name: 'visitnote social',
  dialect: 'visitnote',
  admitted: 200,
  async ask(world, { account }) {
    const sub = randomToken('google-');
    const { upstream, running } = world.server;
    await linkIdentity(running.identity, {
      ...{ accountId: account.id, issuer: upstream.issuers.google, subject: sub },
    });
    const claims = { sub, email: account.email, email_verified: true, ...times() };
    const id_token = await upstream.signIdToken('google', claims);
    const names = { email: account.email, first_name: 'Ada', last_name: 'Quill' };
    return world.send({
      ...{ method: 'POST', path: '/api/therapist/v1/sign-in/social' },
      json: { provider: 'google', id_token, ...names },
    });
  },
  // The vendor's words for a wrong password.
  wrong: (world, held) => world.signIn(visitnote, email(held), { password: 'Wrong-Harbour-12' }),
};

/** By the browser's redirects, whose refusal is an address. */
function byGoogle({ server }: World, { account }: Held) {
  const person = gmail(`matrix-${account.id.toLowerCase()}`, times());
  const link = { accountId: account.id, issuer: server.upstream.issuers.google, subject: person.sub };
  return linkIdentity(server.running.identity, link).then(() => signInWithGoogle(server, person));
}

async function byApiKey(world: World, { account }: Held): Promise<number> {
  const { key } = await createApiKey(world.server.running.identity, {
    ...{ organization: 'default', vendor: 'avycenna', accountId: account.id, name: 'reader' },
    ...{ scopes: ['read:users'], id: KEY_FORMS.id, key: KEY_FORMS.key },
  });
  return (await world.send({ method: 'GET', path: '/api/v1/auth/me', headers: { 'x-api-key': key } })).status;
}

const byClinic: Way = {
  name: 'vsee single sign-on',
  dialect: 'vsee',
  admitted: 200,
  ask: (world, { clinicCode }) => clinicSignIn(world, clinicCode),
  wrong: (world, held) => world.signIn(vsee, email(held), { password: 'Wrong-Harbour-12' }),
  whose: idInClinic,
};

async function idInClinic({ server }: World, { clinicCode }: Held): Promise<string> {
  const { running } = server;
  for (const account of await running.stores.accounts.page('clinicdev', { limit: 100 }))
    if (account.vendor.vsee?.sso_code === clinicCode) return account.id;
  throw new Error(`The clinic has no person ${clinicCode}.`);
}

const byBrowserLink: Way = {
  name: 'vsee browser link',
  dialect: 'vsee',
  admitted: 303,
  isSignIn: false,
  ask: async (world, { account }) => browserLink(world, (await world.mint(vsee, account)).access),
  async wrong(world, { account }) {
    const { access } = await world.mint(vsee, account);
    await world.revoke(access);
    return browserLink(world, access);
  },
};

const browserLink = (world: World, token: string) =>
  world.send({ method: 'GET', path: `/auth?sso_token=${token}` });

const inDefaultVSee: DialectInfo = { ...vsee, headers: {} };

/** A token that a legacy system made, of a sign-in of which nothing is known. */
const byLegacyToken: Way = {
  name: 'vsee me with a token of a legacy system',
  dialect: 'vsee',
  admitted: 200,
  isSignIn: false,
  ask: async (world, { account }) => world.me(inDefaultVSee, await adopted(world, account)),
  async wrong(world, { account }) {
    const token = await adopted(world, account);
    await world.revoke(token);
    return world.me(inDefaultVSee, token);
  },
};

async function adopted({ server }: World, { id, organization }: AccountRecord): Promise<string> {
  const value = randomText({ alphabet: HEX, length: 32 });
  const { clientId } = inVSee(server);
  await server.running.oidc.grants.adopt({
    ...{ clientId, accountId: id, organization, scope: vsee.dialect.tokens.scope },
    access: {
      ...{ value, expiresAt: Math.floor(now.getTime() / 1000) + 600, audience: inVSee(server).audience },
      claims: { user_id: '1', user_type: '200', account_code: organization },
    },
  });
  return value;
}

function inVSee({ config, issuer }: World['server']) {
  const { dialect } = vsee;
  const settings = dialect.settings.parse(splitSettings(config.dialects.vsee).own);
  return { clientId: dialect.clientId(settings), audience: dialect.tokens.audience(settings, issuer) };
}

const WAYS: readonly Way[] = [
  ...inDefault.map(byPassword),
  ...inDefault.map(byLiveToken),
  byRefresh(avycenna, '/api/v1/auth/refresh'),
  byRefresh(inDefaultVSee, '/api_v3/tokens/refresh'),
  ...[byCode, byInvitation, bySocial, byClinic, byBrowserLink, byLegacyToken],
];

for (const rule of RULES) {
  describe(`dialects with factors: ${rule}`, () => {
    let world: World;
    const held = new Map<Case, Held>();
    before(async function () {
      this.timeout(60_000);
      now = new Date();
      world = await openWith(rule);
      for (const [index, one] of CASES.entries()) held.set(one, await prepare(world, one, index));
      // From here on no account is new.
      later(40 * DAY);
    });
    after(() => world.close());

    for (const one of CASES) {
      it(`N7 N12 ${one.name}: each way in is as the setting says, and a refusal is that of a wrong secret`, async function () {
        this.timeout(30_000);
        const of = held.get(one);
        if (of === undefined) throw new Error('The case has no person.');
        await setPolicy(world, one.policy());
        const ids = [of.account.id, of.invited.id, await idInClinic(world, of)];
        const factors = one.hasFactor === true && { factors: app() };
        for (const id of ids) await change(world, id, { ...factors, roles: [...(one.roles ?? [])] });
        const isOpen = rule === 'allow' || !one.needs;
        for (const way of WAYS) {
          if (isOpen) {
            const reply = await way.ask(world, of);
            expect(reply.status, `${way.name}: ${reply.text}`).to.equal(way.admitted);
            continue;
          }
          const refused = await way.wrong(world, of);
          const reply = await way.ask(world, of);
          expect(seen(reply), way.name).to.deep.equal(seen(refused));
          if (way.isSignIn === false) continue;
          const id = (await way.whose?.(world, of)) ?? of.account.id;
          expect(whyRefused(world, id, way.dialect), way.name).to.equal('factor-needed');
        }
        const { access } = await world.mint(avycenna, of.account);
        expect((await world.introspect(access)).active, 'introspection').to.equal(isOpen);
        expect(await byApiKey(world, of), 'an API key is no sign-in').to.equal(200);
        const { location } = await byGoogle(world, of);
        expect(location, 'avycenna Google').to.match(isOpen ? /^(?!.*error=)/ : /error=access_denied$/);
      });
    }
  });
}

describe('a dialect that refuses a person who lacks a factor', () => {
  let world: World;
  before(async function () {
    this.timeout(60_000);
    now = new Date();
    world = await openWith('refuse');
  });
  after(() => world.close());

  it('N12 W7 takes the work of a wrong password, whatever is wrong', async () => {
    await setPolicy(world, { require: 'required', since: ago(20), graceDays: 0 });
    const { email: login = '' } = await world.person({ organization: 'default' });
    const { hasher } = world.server.running.identity;
    const verify = mock.method(hasher, 'verify');
    try {
      const worked = async (vendor: DialectInfo, name: string, password?: string) => {
        const before = verify.mock.callCount();
        await world.signIn(vendor, name, password === undefined ? {} : { password });
        return verify.mock.callCount() - before;
      };
      for (const vendor of inDefault) {
        const { name } = vendor.dialect;
        const right = await worked(vendor, login);
        expect(right, name).to.be.greaterThan(0);
        expect(await worked(vendor, login, 'Wrong-Harbour-12'), name).to.equal(right);
        expect(await worked(vendor, 'nobody-here@matrix.test'), name).to.equal(right);
      }
    } finally {
      verify.mock.restore();
    }
  });

  it('N7 a registration opens the account, and without a grace period signs no person in', async () => {
    await setPolicy(world, { require: 'required', since: ago(20), graceDays: 0 });
    for (const [vendor, path, names] of [
      [visitnote, '/api/therapist/v1/register', { first_name: 'Vic', last_name: 'Note' }],
      [avycenna, '/api/v1/auth/register', { name: 'Dr. Ava' }],
    ] as const) {
      const email = `opened@${vendor.dialect.name}.test`;
      const reply = await world.send({ method: 'POST', path, json: { ...names, email, password: PASSWORD } });
      expect([reply.status, reply.json()]).to.deep.equal([vendor.refused.status, vendor.refused.json]);
      expect(await world.server.running.stores.accounts.byEmail('default', email)).to.include({ email });
    }
  });

  it('N14 the code of an address’s owner ends a stranger’s factor, and is not refused for it', async () => {
    await setPolicy(world, { require: 'optional' });
    const { id, email: to = '' } = await world.person({ organization: 'default', verified: false });
    await change(world, id, { factors: app(), openedAt: 'avycenna' });
    const held = { account: { email: to } as AccountRecord } as Held;
    expect((await byCode.ask(world, held)).status).to.equal(200);
    expect((await world.server.running.stores.accounts.byId(id))?.factors).to.equal(undefined);
  });
});

describe('app passwords', () => {
  let world: World;
  before(async function () {
    this.timeout(60_000);
    now = new Date();
    world = await openWith('app-passwords');
    await setPolicy(world, { require: 'required', since: ago(20) });
  });
  after(() => world.close());

  const context = { address: '192.0.2.7', requestId: 'r', clientId: 'account', channel: 'hosted' };
  const withFactor = async () => {
    const { id } = await world.person({ organization: 'default' });
    return change(world, id, { factors: app() });
  };
  const make = async (account: AccountRecord, dialect: string) => {
    const input = { accountId: account.id, dialect, name: 'My phone', context };
    return (await makeAppPassword(world.server.running.identity, input)) ?? '';
  };
  const present = async ({ id }: AccountRecord) => {
    const account = await world.server.running.stores.accounts.byId(id);
    if (account === undefined) throw new Error('There is no such account.');
    return account;
  };

  it('N11 one signs in at its own dialect alone, goes on by refresh, and ends with all its sign-ins', async function () {
    this.timeout(30_000);
    for (const vendor of inDefault) {
      const { name } = vendor.dialect;
      const account = await withFactor();
      const login = account.email ?? '';
      const password = await make(account, name);
      for (const other of inDefault) {
        const typed = other === vendor ? password.replaceAll('-', ' ').toUpperCase() : password;
        const reply = await world.signIn(other, login, { password: typed });
        const status = other === vendor ? vendor.signIn.status : other.refused.status;
        expect(reply.status, `of ${name} at ${other.dialect.name}`).to.equal(status);
      }
      const signedIn = (await world.signIn(vendor, login, { password })).json();
      const access = String(pointed(signedIn, vendor.signIn.token));
      const pathOf: Record<string, string> = {
        avycenna: '/api/v1/auth/refresh',
        vsee: '/api_v3/tokens/refresh',
      };
      const path = pathOf[name];
      const refresh = (token: unknown) =>
        world.send({ method: 'POST', path: path ?? '', json: { refresh_token: token } });
      const renewed = path && (await refresh(pointed(signedIn, vendor.signIn.refreshToken ?? '')));
      const tokens = [access, ...(renewed ? [String(pointed(renewed.json(), vendor.signIn.token))] : [])];
      for (const token of tokens) expect((await world.me(vendor, token)).status, name).to.equal(200);
      expect((await world.introspect(access)).active, name).to.equal(true);

      const [stored] = appPasswordsOf(await present(account), name);
      expect(stored?.lastUsedAt).to.equal(now.toISOString());
      const { identity } = world.server.running;
      await revokeAppPassword(identity, { accountId: account.id, id: stored?.id ?? '', context });
      for (const token of tokens) {
        const dead = await world.me(vendor, token);
        expect([dead.status, dead.json()], name).to.deep.equal([
          vendor.deadToken.status,
          vendor.deadToken.json,
        ]);
        expect((await world.introspect(token)).active, name).to.equal(false);
      }
      expect((await world.signIn(vendor, login, { password })).status, name).to.equal(vendor.refused.status);
    }
  });

  it('N11 N13 ten at most, only beside a factor, and no text of one is stored or logged', async () => {
    const bare = await world.person({ organization: 'default' });
    expect(await make(bare, 'vsee')).to.equal('');
    const account = await withFactor();
    const made = [];
    for (let i = 0; i < 12; i += 1) made.push(await make(account, 'vsee'));
    expect(made.filter((text) => text !== '')).to.have.lengthOf(10);
    expect(new Set(made.slice(0, 10)).size).to.equal(10);
    const stored = JSON.stringify(await present(account)) + world.server.logText();
    for (const text of made.slice(0, 10)) {
      expect(text).to.match(/^[a-z2-9]{4}(-[a-z2-9]{4}){4}$/);
      expect(stored).to.not.include(text).and.not.include(text.replaceAll('-', ''));
    }
  });

  it('N11 one counts only while the account has the factor that it stands beside', async () => {
    const account = await withFactor();
    const password = await make(account, 'medisync');
    const medisync = inDefault.find(({ dialect }) => dialect.name === 'medisync');
    if (medisync === undefined) throw new Error('There is no MediSync.');
    const status = async () => (await world.signIn(medisync, account.email ?? '', { password })).status;
    expect(await status()).to.equal(200);
    const { factors } = await present(account);
    const { app: _, ...others } = factors ?? {};
    await change(world, account.id, { factors: others, createdAt: new Date(ago(40)) });
    expect(await status()).to.equal(401);
  });

  it('N11 C1 wrong ones count with wrong passwords, and lock the account at that address', async () => {
    const account = await withFactor();
    const password = await make(account, 'visitnote');
    const from = '203.0.113.77';
    const sent = (text: string) => world.signIn(visitnote, account.email ?? '', { password: text, from });
    const wrong = await Promise.all(
      Array.from({ length: 30 }, (_, i) => sent(`abcd-efgh-ijkm-npqr-${i}aaa`)),
    );
    expect(wrong.filter(({ status }) => status === 401)).to.have.lengthOf(10);
    expect((await sent(password)).status).to.equal(429);
  });
});
