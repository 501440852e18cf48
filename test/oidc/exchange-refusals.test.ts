/**
 * TX5: what a token exchange is refused for, as data. Each case is one exchange that would succeed but for what its
 * name says; the audit trail has its reason, and nothing is stored.
 */
import { mock } from 'node:test';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { TOKEN_EXCHANGE } from '../../src/model/client.ts';
import { onItsOwn, secretOf } from './api-flows.ts';
import {
  ACCESS_TOKEN,
  BILLING,
  dpopKey,
  exchange,
  OPAQUE,
  openExchangeWorld,
  putExchanger,
  RECORDS,
  signedIn,
  signedInAtDialect,
} from './exchange-support.ts';
import { basic, post, type Reply, refresh, revoke, type World } from './support.ts';

const TYPE = 'urn:ietf:params:oauth:token-type:';
/** One answer for every subject token that is refused. */
const REFUSED = 'subject_token is unknown, has ended, or is not one that the client may exchange for this';

type Form = Record<string, string>;

interface Refusal {
  /** Default: the backend of the records API. */
  readonly by?: string;
  /** Default: of a sign-in at the application, for the records API. */
  readonly token?: (world: World) => Promise<string>;
  /** Over a form that is right. '' takes a parameter away. */
  readonly form?: Form;
  readonly headers?: (world: World) => Promise<Form>;
  readonly error: string;
  readonly status?: number;
  /** What the audit trail says besides. */
  readonly reason?: string;
}

const token = async (world: World) => (await signedIn(world)).access;
const ofDialect = async (world: World) => (await signedInAtDialect(world)).access.value;
const request = (error = 'invalid_request') => ({ error });
const subject = (reason: string, make: Refusal['token'], more: Partial<Refusal> = {}): Refusal => ({
  ...{ error: 'invalid_request', reason },
  ...(make && { token: make }),
  ...more,
});

const PARAMETERS: Readonly<Record<string, Refusal>> = {
  'no subject_token': { form: { subject_token: '' }, ...request() },
  'no subject_token_type': { form: { subject_token_type: '' }, ...request() },
  'an ID token as type': { form: { subject_token_type: `${TYPE}id_token` }, ...request() },
  'a refresh token as type': { form: { subject_token_type: `${TYPE}refresh_token` }, ...request() },
  'SAML as type': { form: { subject_token_type: `${TYPE}saml2` }, ...request() },
  'an opaque token called a JWT': {
    form: { subject_token_type: `${TYPE}jwt`, subject_token: 'opaque' },
    ...request(),
  },
  'an actor': { form: { actor_token: 'x', actor_token_type: ACCESS_TOKEN }, ...request() },
  'the type of an actor alone': { form: { actor_token_type: ACCESS_TOKEN }, ...request() },
  'a refresh token asked for': { form: { requested_token_type: `${TYPE}refresh_token` }, ...request() },
  'an ID token asked for': { form: { requested_token_type: `${TYPE}id_token` }, ...request() },
  'a JWT for an API of opaque tokens': {
    form: { requested_token_type: `${TYPE}jwt`, resource: OPAQUE },
    ...request(),
  },
  'audience and resource that differ': { form: { audience: OPAQUE }, ...request() },
};

const TARGETS: Readonly<Record<string, Refusal>> = {
  'no API': { form: { resource: '' }, error: 'invalid_target' },
  'an unknown API': { form: { resource: 'https://unknown.test' }, error: 'invalid_target' },
  'an API that the client was not granted': { form: { resource: RECORDS }, error: 'invalid_target' },
  'an API of another organization': { form: { resource: 'https://api.test/south' }, error: 'invalid_target' },
  'a dialect without exchanges_to': { form: { resource: 'visits' }, error: 'invalid_target' },
  'a fragment': { form: { resource: `${BILLING}#x` }, error: 'invalid_target' },
};

const readOnly = async (world: World) =>
  (await signedIn(world, { resource: RECORDS, scope: 'openid read' })).access;
const scope = (text: string, more: Partial<Refusal> = {}): Refusal => ({
  ...{ form: { scope: text }, error: 'invalid_scope' },
  ...more,
});

const SCOPES: Readonly<Record<string, Refusal>> = {
  'a scope that the subject token lacks': scope('read write', { token: readOnly }),
  'a scope that the client was not granted': scope('secret'),
  'a scope that the person lacks the role for': scope('purge', { by: 'module', token: ofDialect }),
  'a scope beyond the client, for a dialect’s token': scope('write', { by: 'module', token: ofDialect }),
  'an unknown scope': scope('unknown'),
  'a scope of signing in': scope('openid'),
  'offline_access without exchanges_offline': scope('read offline_access', {
    by: 'module',
    token: ofDialect,
  }),
  'offline_access for a token of an API': scope('read offline_access', { by: 'offline-backend' }),
  'nothing in common': { by: 'writer', token: readOnly, error: 'invalid_scope' },
};

const exchanged = async (world: World) => {
  const form = { subject_token: await ofDialect(world), resource: RECORDS };
  return String((await exchange(world, 'module', form)).body.access_token);
};
const refreshedAfterExchange = async (world: World) => {
  const form = { subject_token: await ofDialect(world), resource: RECORDS, scope: 'read offline_access' };
  const { body } = await exchange(world, 'offline', form);
  const next = await refresh(world, String(body.refresh_token), {}, secretOf('offline'));
  return String(next.body.access_token);
};
const revoked = async (world: World) => {
  const { access } = await signedIn(world);
  expect((await revoke(world, access, secretOf('app'))).status).to.equal(200);
  return access;
};
const changed = (text: string) => `${text.slice(0, -2)}${text.endsWith('AA') ? 'BB' : 'AA'}`;
const SUBJECTS: Readonly<Record<string, Refusal>> = {
  'an unknown token': subject('is-unknown', async () => 'unknown-and-long-enough-for-a-token'),
  'a token of another server': subject('is-unknown', async () => 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJub3JhIn0.x'),
  'a changed signature': subject('is-unknown', async (world) => changed(await token(world))),
  'the bare jti': subject('is-unknown', async (world) => String(decodeJwt(await token(world)).jti)),
  'what a JWT is stored under': subject('is-unknown', async () => `jwt~${'a'.repeat(43)}`),
  'a refresh token': subject('is-unknown', async (world) => (await signedIn(world)).refresh),
  'a dialect’s refresh token': subject(
    'is-unknown',
    async (world) => String((await signedInAtDialect(world)).refresh?.value),
    { by: 'module', form: { resource: RECORDS } },
  ),
  'a revoked token': subject('is-unknown', revoked),
  'a token of a sign-in that ended': subject(
    'is-unknown',
    async (world) => {
      const { access, grantId } = await signedInAtDialect(world);
      await world.oidc.grants.endGrant(grantId);
      return access.value;
    },
    { by: 'module', form: { resource: RECORDS } },
  ),
  'a token of a client for itself': subject('is-of-a-client', async (world) => {
    const { reply } = await onItsOwn(world, 'robot', { resource: RECORDS, scope: 'read' });
    return String(reply.body.access_token);
  }),
  'a token that was exchanged': subject('is-exchanged', exchanged),
  'a token that was refreshed after an exchange': subject('is-exchanged', refreshedAfterExchange),
  'a token for userinfo': subject('is-for-userinfo', async (world) => {
    return (await signedIn(world, { scope: 'openid profile' })).access;
  }),
  'a token for an API that the client does not list': subject('is-not-listed', token, {
    by: 'billing-backend',
  }),
  'a dialect’s token at the backend of an API': subject('is-not-listed', ofDialect),
  'an API’s token at a client for dialects': subject('is-not-listed', token, {
    by: 'module',
    form: { resource: RECORDS },
  }),
  'a person of an organization that the client does not serve': subject('account-is-not-let-in', token, {
    by: 'southern',
    form: { resource: BILLING },
  }),
};

const CLIENTS: Readonly<Record<string, Refusal>> = {
  'a client without the grant type': { by: 'app', error: 'unauthorized_client' },
  'a client with a wrong secret': {
    headers: async () => basic('backend', 'wrong'),
    ...{ error: 'invalid_client', status: 401 },
  },
  'no client': { headers: async () => ({}), ...request() },
  'the client of a dialect': {
    headers: async () => ({}),
    form: { client_id: 'visits-legacy' },
    error: 'invalid_client',
  },
  'an API as itself': {
    headers: async () => basic('records', 'secret-of-records'),
    error: 'unauthorized_client',
  },
  'a public client of another party': {
    headers: async (world) => ({ DPoP: await (await dpopKey(world)).proof() }),
    form: { client_id: 'strange-public' },
    error: 'unauthorized_client',
  },
  'a public client without a proof': {
    headers: async () => ({}),
    form: { client_id: 'own-public' },
    ...request(),
  },
  'a proof for another endpoint': {
    headers: async (world) => ({
      ...secretOf('backend'),
      DPoP: await (await dpopKey(world)).proof({ path: '/revoke' }),
    }),
    error: 'invalid_dpop_proof',
  },
  'no proof of a client that must send one': { by: 'bound', error: 'invalid_grant' },
};

async function putExchangers(world: World): Promise<void> {
  const right = { exchanges: [RECORDS], apis: { [BILLING]: ['read', 'write'] } };
  await putExchanger(world, 'writer', { ...right, apis: { [BILLING]: ['write'] } });
  await putExchanger(world, 'billing-backend', { ...right, exchanges: [BILLING] });
  const offline = { exchanges_offline: true, grant_types: [TOKEN_EXCHANGE, 'refresh_token'] };
  await putExchanger(world, 'offline-backend', { ...right, ...offline });
  await putExchanger(world, 'southern', right, { organization: 'south' });
  await putExchanger(world, 'bound', { ...right, dpop_bound_access_tokens: true });
  const robot = { grant_types: ['client_credentials'], apis: { [RECORDS]: ['read'] } };
  await putExchanger(world, 'robot', robot);
  const open = { ...right, grant_types: [TOKEN_EXCHANGE], token_endpoint_auth_method: 'none' };
  for (const [clientId, firstParty] of [
    ['own-public', true],
    ['strange-public', false],
  ] as const) {
    await world.putClient({ clientId, traits: { firstParty }, metadata: open });
  }
}

describe('token exchange', () => {
  let world: World;
  before(async () => {
    world = await openExchangeWorld();
    await putExchangers(world);
  });
  after(() => world.close());
  afterEach(() => mock.timers.reset());

  const grantsOfNora = async () => (await world.oidc.accountAccess.listGrants('nora')).length;

  async function ask(refusal: Refusal): Promise<{ reply: Reply; sent: string; stored: number }> {
    const { by = 'backend', form = {}, headers = async () => secretOf(by) } = refusal;
    const sent = form.subject_token ?? (await (refusal.token ?? token)(world));
    const right = {
      ...{ grant_type: TOKEN_EXCHANGE, subject_token: sent, subject_token_type: ACCESS_TOKEN },
      resource: refusal.by === 'module' ? RECORDS : BILLING,
    };
    const all = Object.entries({ ...right, ...form }).filter(([, value]) => value !== '');
    const proven = await headers(world);
    const before = await grantsOfNora();
    world.audit.length = 0;
    const reply = await post(world, '/token', Object.fromEntries(all), proven);
    return { reply, sent, stored: (await grantsOfNora()) - before };
  }

  for (const [what, cases] of Object.entries({ PARAMETERS, TARGETS, SCOPES, SUBJECTS, CLIENTS })) {
    it(`TX5 is refused for ${what.toLowerCase()}: ${Object.keys(cases).length} ways`, async () => {
      for (const [name, refusal] of Object.entries(cases)) {
        const { reply, sent, stored } = await ask(refusal);
        expect([reply.status, reply.body.error], `${name}: ${JSON.stringify(reply.body)}`).to.deep.equal([
          refusal.status ?? 400,
          refusal.error,
        ]);
        if (what === 'SUBJECTS') expect(reply.body.error_description, name).to.equal(REFUSED);
        expect(stored, name).to.equal(0);
        const told = world.audit.filter(({ event }) => event === 'token.exchange');
        expect(told, name).to.have.lengthOf(1);
        expect(told[0], name).to.include({ outcome: 'refused' });
        if (refusal.reason) expect(told[0]?.detail, name).to.include({ detail: refusal.reason });
        if (sent) expect(JSON.stringify(world.audit), name).to.not.include(sent);
      }
    });
  }

  it('TX5 is refused for a parameter that comes twice', async () => {
    const all = { grant_type: TOKEN_EXCHANGE, subject_token_type: ACCESS_TOKEN, resource: BILLING };
    for (const twice of [
      'subject_token',
      'subject_token_type',
      'resource',
      'audience',
      'scope',
      'actor_token',
    ]) {
      const form = new URLSearchParams({ ...all, subject_token: await token(world) });
      for (const value of ['one', 'two']) form.append(twice, value);
      const { status, body } = await post(world, '/token', form, secretOf('backend'));
      expect([status, body.error], twice).to.deep.equal([400, 'invalid_request']);
    }
  });

  it('TX5 is refused once the token has expired', async () => {
    const form = { subject_token: await token(world), resource: BILLING };
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_601_000 });
    const { body } = await exchange(world, 'backend', form);
    expect(body.error_description).to.equal(REFUSED);
  });

  it('TX5 is refused by the account’s status now, at the dialect and here', async () => {
    const otto = async () => {
      const account = await world.stores.accounts.byId('otto');
      if (!account) throw new Error('Otto is gone.');
      return account;
    };
    const tokens = [
      ['backend', (await signedIn(world, undefined, { person: 'otto' })).access, BILLING],
      ['module', (await signedInAtDialect(world, { accountId: 'otto' })).access.value, RECORDS],
    ] as const;
    for (const status of ['blocked', 'inactive', 'active'] as const) {
      await world.stores.accounts.update({ ...(await otto()), status });
      for (const [by, subject_token, resource] of tokens) {
        const { body } = await exchange(world, by, { subject_token, resource });
        const told = status === 'active' ? undefined : REFUSED;
        expect(body.error_description, `${by} ${status}`).to.equal(told);
      }
    }
    await world.stores.accounts.remove('otto');
    for (const [by, subject_token, resource] of tokens) {
      const { body } = await exchange(world, by, { subject_token, resource });
      expect(body.error_description, `${by} deleted`).to.equal(REFUSED);
    }
  });
});
