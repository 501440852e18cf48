import { expect } from 'chai';
import { z } from 'zod';
import { json, ok } from '../../src/dialects/contract/reply.ts';
import type { Use } from '../../src/dialects/contract/use.ts';
import { registerAccount } from '../../src/identity/accounts/create-account.ts';
import { setStatus } from '../../src/identity/accounts/set-status.ts';
import { updateAccount } from '../../src/identity/accounts/update-account.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { eventually } from '../support/in-time.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { PLAIN, probe, probeEndpoint } from './probe.ts';

const PASSWORD = 'Lantern-Orchard-Pebble-77';

type Name =
  | 'alias'
  | 'binding'
  | 'changes'
  | 'email'
  | 'id'
  | 'issuer'
  | 'owner'
  | 'password'
  | 'provider'
  | 'query'
  | 'subject'
  | 'token';
/** Whatever the test sends; what it is is the test's affair. */
type Given = Readonly<Record<Name, never>>;

/** What a vendor's endpoint may call, and how its result is told. Accounts come as views. */
const CALLS: Record<string, (use: Use, input: Given) => unknown> = {
  signIn: (use, { email, password }) => use.signIn.withPassword({ login: email, password, by: ['email'] }),
  refresh: (use, { token }) => use.signIn.refresh(token),
  endSignIn: (use, { token, owner }) => use.signOut.byToken(token, owner === undefined ? {} : { owner }),
  account: (use, { id }) => use.accounts.byId(id),
  byAlias: (use, { alias }) => use.accounts.byAlias(alias),
  byEmail: (use, { email }) => use.accounts.byEmail(email),
  update: (use, { id, changes }) => use.accounts.update(id, () => changes),
  judge: (use, { password }) => use.passwords.judge(password, { minimum: 8 }),
  check: (use, { id, password }) => use.passwords.check(id, password),
  setPassword: (use, { id, password }) => use.passwords.set(id, password, { minimum: 8 }),
  remove: (use, { id }) => use.accounts.delete(id),
  register: (use, input) => use.accounts.register(input),
  keys: (use, { id }) => use.apiKeys.list(id),
  readLinkToken: (use, { token }) => use.linkTokens.read(token, 'probe'),
  confirmAddress: (use, { token }) => use.linkTokens.confirmAddress(token, 'probe'),
  sendLinkToken: async (use, { email }) => {
    const account = await use.accounts.byEmail(email);
    return use.emails.sendLinkToken({
      account,
      purpose: 'probe',
      prefix: 'prb_',
      lifetime: 60,
      link: 'https://portal.test/?token={token}&in={organization}',
      email: 'reset-link',
      supersedes: true,
    });
  },
  adopted: async (use, { token }) => {
    const before = await use.accounts.byEmail('lea@x.test');
    const account = await use.linkTokens.read(token, 'probe');
    return { before, account, after: await use.accounts.byEmail('lea@x.test') };
  },
  linked: (use, { issuer, subject }) => use.upstreams.findAccount({ issuer, subject }),
  start: (use, { provider }) =>
    use.upstreams.start({ provider, callback: 'http://127.0.0.1/back', carry: { to: 'home' } }),
  finish: (use, { provider, query, binding }) =>
    use.upstreams.finish({ provider, query: new URLSearchParams(query), binding }),
  everyone: async (use) => {
    const emails: (string | undefined)[] = [];
    for await (const batch of use.accounts.all()) emails.push(...batch.map(({ email }) => email));
    return emails;
  },
};

const call = probeEndpoint({
  ...PLAIN,
  path: '/:call',
  accepts: { body: z.looseObject({}) },
  async answer({ body, params, organization }, use) {
    const result = await CALLS[params.call ?? '']?.(use, body as Given);
    return ok({ result: result ?? null, organization: organization.id });
  },
});

const using = (name: string) =>
  probe({
    name,
    endpoints: [call],
    dialect: {
      // '-' stands for a request that names no organization.
      organization: async ({ request }) => {
        const named = request.header('organization') ?? 'default';
        return named === '-' ? undefined : named;
      },
      refusals: Object.fromEntries(
        Object.keys(probe({ name }).refusals).map((reason) => [reason, () => json(400, { refused: reason })]),
      ) as never,
      mints: { code: { alphabet: 'ab', length: 8 } },
    },
  });

type Told = { result: never; refused?: string; organization?: string };

describe('what an endpoint may do', () => {
  let server: TestServer;
  let client: HttpClient;

  before(async () => {
    server = await startTestServer({ dialects: [using('using'), using('other')] });
    client = openClient(server.url);
  });
  after(async () => {
    client.close();
    await server.close();
  });

  let address = '127.0.0.1';
  async function use(
    name: string,
    input: Record<string, unknown> = {},
    organization = 'default',
    vendor = 'using',
  ) {
    const reply = await client.send({
      method: 'POST',
      path: `/${vendor}/${name}`,
      headers: { 'content-type': 'application/json', organization, 'x-forwarded-for': address },
      body: JSON.stringify(input),
    });
    return reply.json() as Told;
  }
  const person = (email: string, organization = 'default') =>
    registerAccount(server.running.identity, { organization, account: { email, password: PASSWORD } });

  /** Records are written beside the request, so they may come a moment after the reply. */
  async function auditOf(subject: string, expected: number) {
    return eventually(async () => {
      const lines = await server.running.stores.audit.latest({ limit: 50, subject });
      const acts = lines.filter(({ clientId }) => clientId === 'using-legacy');
      expect(acts).to.have.length.at.least(expected);
      return acts;
    });
  }

  it('refuses an organization that there is none of', async () => {
    expect((await use('byEmail', { email: 'x' }, 'nowhere')).refused).to.equal('unknown-organization');
  });

  it('C3 never reaches an account of another organization', async () => {
    const { id } = await person('c3@use.test', 'north_clinic');
    const { result } = await use('account', { id }, 'north_clinic');
    const alias = (result as { alias: string }).alias;
    expect(alias).to.match(/^person_/);
    expect((await use('account', { id })).result).to.equal(null);
    expect((await use('byAlias', { alias })).result).to.equal(null);
    expect((await use('byEmail', { email: 'c3@use.test' })).result).to.equal(null);
    for (const name of ['update', 'check', 'setPassword', 'remove', 'keys']) {
      const input = { id, changes: { claims: { name: 'x' } }, password: PASSWORD };
      expect((await use(name, input)).refused, name).to.equal('account-not-found');
    }
    expect(((await use('account', { id }, 'north_clinic')).result as { alias: string }).alias).to.equal(
      alias,
    );
    expect((await use('signIn', { email: 'c3@use.test', password: PASSWORD })).refused).to.equal(
      'sign-in-refused',
    );
  });

  it('shows an account with its vendor id and minted members, the same for life, and no secrets', async () => {
    const { id } = await person('view@use.test');
    const [first, again] = [await use('account', { id }), await use('byEmail', { email: 'VIEW@use.test' })];
    expect(first.result).to.deep.include({ hasPassword: true, status: 'active', emailVerified: false });
    expect((first.result as { vendor: object }).vendor)
      .to.have.property('code')
      .that.matches(/^[ab]{8}$/);
    expect(again.result).to.deep.equal(first.result);
    expect(JSON.stringify(first)).not.to.contain('argon2');
    const other = (await use('account', { id }, 'default', 'other')).result as { alias: string };
    expect(other.alias).not.to.equal((first.result as { alias: string }).alias);
  });

  it('makes one vendor id when many ask at once', async () => {
    const { id } = await person('aliases@use.test');
    const views = await Promise.all(Array.from({ length: 10 }, () => use('account', { id })));
    expect(new Set(views.map(({ result }) => (result as { alias: string }).alias))).to.have.property(
      'size',
      1,
    );
  });

  it('C2 C4 ends and refreshes the tokens of its own client only', async () => {
    await person('own@use.test');
    const { result } = await use('signIn', { email: 'own@use.test', password: PASSWORD });
    const { account, tokens } = result as {
      account: { id: string };
      tokens: Record<'access' | 'refresh', { value: string }>;
    };
    const { access, refresh } = tokens;
    expect((await use('refresh', { token: refresh.value }, 'default', 'other')).refused).to.equal(
      'refresh-refused',
    );
    expect((await use('refresh', { token: refresh.value }, 'north_clinic')).refused).to.equal(
      'refresh-refused',
    );
    expect((await use('refresh', { token: access.value })).refused).to.equal('refresh-refused');
    expect((await use('endSignIn', { token: access.value }, 'default', 'other')).result).to.equal(false);
    expect((await use('endSignIn', { token: access.value, owner: 'somebody else' })).result).to.equal(false);
    const rotated = await use('refresh', { token: refresh.value });
    expect((rotated.result as { account: { id: string } }).account.id).to.equal(account.id);
    expect((await use('endSignIn', { token: refresh.value, owner: account.id })).result).to.equal(true);
    const dead = (rotated.result as { tokens: { refresh: { value: string } } }).tokens.refresh.value;
    expect((await use('refresh', { token: dead })).refused).to.equal('refresh-refused');
  });

  it('takes the organization from the refresh token where the request names none', async () => {
    await person('north@use.test', 'north_clinic');
    const { result } = await use('signIn', { email: 'north@use.test', password: PASSWORD }, 'north_clinic');
    const { value } = (result as { tokens: { refresh: { value: string } } }).tokens.refresh;
    const rotated = await use('refresh', { token: value }, '-');
    expect((rotated.result as { account: { organization: string } }).account.organization).to.equal(
      'north_clinic',
    );
    expect((await use('signIn', { email: 'north@use.test', password: PASSWORD }, '-')).refused).to.equal(
      'unknown-organization',
    );
  });

  it('S4 refuses a refresh token of an account that is blocked', async () => {
    const { id } = await person('blocked@use.test');
    const { result } = await use('signIn', { email: 'blocked@use.test', password: PASSWORD });
    await setStatus(server.running.identity, { accountId: id, status: 'blocked' });
    const { value } = (result as { tokens: { refresh: { value: string } } }).tokens.refresh;
    expect((await use('refresh', { token: value })).refused).to.equal('refresh-refused');
    expect((await use('signIn', { email: 'blocked@use.test', password: PASSWORD })).refused).to.equal(
      'sign-in-refused',
    );
    // Before what it holds is ended, too.
    const late = await person('late@use.test');
    const signedIn = (await use('signIn', { email: 'late@use.test', password: PASSWORD })).result;
    await updateAccount(server.running.identity, late.id, (account) => ({ ...account, status: 'blocked' }));
    const held = (signedIn as { tokens: { refresh: { value: string } } }).tokens.refresh.value;
    expect((await use('refresh', { token: held })).refused).to.equal('refresh-refused');
  });

  it('changes claims and its own vendor members: undefined leaves, null clears', async () => {
    const { id } = await person('change@use.test');
    await use('update', {
      id,
      changes: {
        claims: { name: 'A', phone_number: '+1', phone_number_verified: true },
        vendor: { kept: 1, gone: 2 },
      },
    });
    const { result } = await use('update', {
      id,
      changes: { claims: { name: null, phone_number: '+2' }, vendor: { gone: null } },
    });
    const view = result as { claims: object; vendor: object; updatedAt: string };
    expect(view.claims).to.deep.equal({ phone_number: '+2' });
    expect(view.vendor).to.include({ kept: 1, gone: null });
    const again = (await use('update', { id, changes: { vendor: { kept: 1 } } })).result as {
      updatedAt: string;
    };
    expect(again.updatedAt).to.equal(view.updatedAt);
    expect(
      ((await use('account', { id }, 'default', 'other')).result as { vendor: object }).vendor,
    ).not.to.have.property('kept');
  });

  it('W2 refuses common passwords, and the name of the organization', async () => {
    const judged = async (password: string, organization?: string) =>
      (await use('judge', { password }, organization)).refused;
    expect(await judged('short')).to.equal('password-too-short');
    expect(await judged('password1')).to.equal('password-too-common');
    expect(await judged('North Clinic', 'north_clinic')).to.equal('password-too-common');
    expect(await judged(PASSWORD)).to.equal(undefined);
    const register = { email: 'weak@use.test', password: 'password1' };
    expect((await use('register', register)).refused).to.equal('password-too-common');
    expect((await use('register', { email: 'eight@use.test', password: 'Qz8-kTv2' })).refused).to.equal(
      undefined,
    );
  });

  it('reads a link token without spending it, in its organization alone, and lets it decide where none is named', async () => {
    await person('ticket@use.test', 'north_clinic');
    await use('sendLinkToken', { email: 'ticket@use.test' }, 'north_clinic');
    const [, token = ''] =
      /token=(prb_[\w-]{43})/.exec((await server.mail.take('ticket@use.test', 30_000)).text ?? '') ?? [];
    expect(token).not.to.equal('');
    expect((await use('readLinkToken', { token }, 'default')).result).to.equal(null);
    expect((await use('readLinkToken', { token }, 'north_clinic')).result).to.have.property(
      'email',
      'ticket@use.test',
    );
    const adopted = (await use('adopted', { token }, '-')).result as Record<
      string,
      { organization: string } | null
    >;
    expect(adopted.before ?? null).to.equal(null);
    expect(adopted.account?.organization).to.equal('north_clinic');
    expect(adopted.after?.organization).to.equal('north_clinic');
    expect((await use('confirmAddress', { token }, 'default')).refused).to.equal('link-token-refused');
    const spent = await Promise.all(
      Array.from({ length: 5 }, () => use('confirmAddress', { token }, 'north_clinic')),
    );
    expect(spent.filter(({ refused }) => refused === undefined)).to.have.length(1);
  });

  it('lists the accounts of its organization alone', async () => {
    const emails = (await use('everyone', {}, 'south_clinic')).result as string[];
    expect(emails).to.deep.equal(['lea@x.test']);
  });

  it('F6 binds an upstream sign-in to browser, provider, dialect and organization, and to one use', async () => {
    const begun = (await use('start', { provider: 'google' })).result as { url: string; binding: string };
    const state = new URL(begun.url).searchParams.get('state') ?? '';
    const back = { provider: 'google', query: `state=${state}&error=access_denied`, binding: begun.binding };
    const refused = async (input: object, organization = 'default', vendor = 'using') =>
      (await use('finish', { ...back, ...input }, organization, vendor)).refused;
    const other = (await use('start', { provider: 'google' })).result as { binding: string };
    for (const input of [
      { query: 'error=x' },
      { query: `state=${state}&state=${state}` },
      { query: 'state=unknown' },
      { binding: undefined },
      { binding: 'AAAA' },
      { binding: other.binding },
      { provider: 'apple' },
    ]) {
      expect(await refused(input), JSON.stringify(input)).to.equal('state-refused');
    }
    expect(await refused({}, 'default', 'other')).to.equal('state-refused');
    expect((await use('start', { provider: 'nobody' })).refused).to.equal('not-found');
    const finished = (await use('finish', back)).result as object;
    expect(finished).to.deep.equal({ carry: { to: 'home' }, outcome: 'denied' });
    expect(await refused({})).to.equal('state-refused');
  });

  it('L1 writes one audit line for each act, with who, where and which client', async () => {
    const { id } = await person('audit@use.test');
    // What this address was refused a moment ago would count into its record.
    address = '198.51.100.7';
    await use('signIn', { email: 'audit@use.test', password: PASSWORD });
    await use('signIn', { email: 'audit@use.test', password: 'wrong' });
    await use('update', { id, changes: { claims: { name: 'New' } } });
    const acts = await auditOf(id, 3);
    expect(acts.map(({ event, outcome }) => `${event} ${outcome}`).sort()).to.deep.equal([
      'profile.update success',
      'sign-in refused',
      'sign-in success',
    ]);
    for (const { requestId, organization, ...act } of acts) {
      expect([act.address, organization]).to.deep.equal([address, 'default']);
      expect(requestId).to.match(/^[0-9a-f-]{36}$/);
    }
  });
});
