/**
 * M28: a new module exchanges the token of an old app for one of its own, by the libraries that people use, and that
 * one ends within a second of whatever ends the old app's sign-in.
 */
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { type RandomForm, randomText } from '../../../src/core/crypto.ts';
import { KEY_FORMS } from '../../../src/dialects/avycenna/api-keys.ts';
import { createApiKey } from '../../../src/identity/accounts/api-keys.ts';
import { deleteAccount } from '../../../src/identity/accounts/delete-account.ts';
import { setStatus } from '../../../src/identity/accounts/set-status.ts';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import { setPassword } from '../../../src/identity/self-service/set-password.ts';
import { TOKEN_EXCHANGE } from '../../../src/model/client.ts';
import type { DialectInfo } from '../../conformance/dialect-under-test.ts';
import { inTime } from '../../support/in-time.ts';
import { relyingParty, signIn } from '../../support/relying-party.ts';
import { CLIENTS, PEOPLE } from '../../support/server.ts';
import { avycenna, careportals, vendors, visitnote, vsee } from '../vendors.ts';
import { liveToken, openWorld, PASSWORD, type World } from './world.ts';

const EXCHANGE = `${import.meta.dirname}/exchange.yaml`;
const MODULE = { clientId: 'new-module', secret: 'Pilot-Glacier-Saffron-91', redirectUri: '' };
const NEW_APP = {
  clientId: 'new-app',
  secret: 'Quartz-Lantern-Harbour-28',
  redirectUri: 'https://new.test/callback',
};
const CHARTS = { clientId: 'charts', secret: 'Beacon-Thicket-Walrus-17', redirectUri: '' };
const API = 'https://charts.test';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

interface Held {
  readonly world: World;
  readonly vendor: DialectInfo;
  readonly accountId: string;
  readonly access: string;
  readonly refresh: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

const posted = async ({ world, headers }: Held, path: string, json: unknown) =>
  expect((await world.send({ method: 'POST', path, json, headers })).status, path).to.equal(200);

/** What ends a sign-in in an old app. */
const ENDS: Readonly<Record<string, { at: readonly DialectInfo[]; end(held: Held): Promise<unknown> }>> = {
  'VisitNote’s sign-out': {
    at: [visitnote],
    end: (held) => posted(held, '/api/therapist/v1/logout', {}),
  },
  'AVYCENNA’s sign-out': {
    at: [avycenna],
    end: (held) => posted(held, '/api/v1/auth/logout', { refresh_token: held.refresh }),
  },
  'VSee’s sign-out': {
    at: [vsee],
    end: (held) => posted(held, '/api_v3/users/logout', { tokens: [held.access] }),
  },
  'a revocation': { at: vendors, end: ({ world, access }) => world.revoke(access) },
  'a block': {
    at: vendors,
    end: ({ world, accountId }) => setStatus(world.server.running.identity, { accountId, status: 'blocked' }),
  },
  'a deletion': {
    at: vendors,
    end: ({ world, accountId }) => deleteAccount(world.server.running.identity, { accountId }),
  },
  'a new password': {
    at: vendors,
    end: ({ world, accountId }) =>
      setPassword(world.server.running.identity, { accountId, password: 'Thicket-Harbour-61', minimum: 8 }),
  },
  'the person, on my account': {
    at: vendors,
    async end({ world, accountId }) {
      const { accountAccess } = world.server.running.oidc;
      const grants = await accountAccess.listGrants(accountId);
      const old = grants.find(({ clientId }) => clientId.endsWith('-legacy'));
      expect(await accountAccess.endGrant(accountId, String(old?.grantId))).to.include('grant');
    },
  },
};

describe('token exchange at the dialects', () => {
  let world: World;
  let configuration: oidc.Configuration;
  before(async () => {
    // VSee lets old clients in without a second factor.
    const config = { dialects: { vsee: { factors: 'allow' } } };
    world = await openWorld({ seeds: [PEOPLE, CLIENTS, EXCHANGE], config });
    ({ configuration } = await relyingParty(world.server.issuer, MODULE));
  });
  after(() => world.close());

  /** `mints`: as the dialect would, without a password. */
  async function held(vendor: DialectInfo, mints = false): Promise<Held> {
    const { organization } = vendor;
    const account = await world.person({ organization, ...(mints && { password: null }) });
    const signedIn = mints ? world.mint(vendor, account) : world.tokens(vendor, account.email ?? '');
    const tokens = await signedIn;
    const headers = { ...vendor.headers, ...vendor.me.headers(tokens.access) };
    return { world, vendor, accountId: account.id, ...tokens, headers };
  }

  const exchanged = (subject_token: string, more: Record<string, string> = {}) =>
    oidc.genericGrantRequest(configuration, TOKEN_EXCHANGE, {
      ...{ subject_token, subject_token_type: ACCESS_TOKEN, resource: API, ...more },
    });
  const isActive = async (token: string) => (await world.introspect(token, CHARTS)).active;

  it('TX6 openid-client’s genericGrantRequest gets a token for that of each dialect', async () => {
    for (const vendor of vendors) {
      const { access, accountId } = await held(vendor);
      const tokens = await exchanged(access);
      expect(tokens, vendor.dialect.name).to.include({
        issued_token_type: ACCESS_TOKEN,
        scope: 'charts:read',
      });
      expect(decodeJwt(tokens.access_token)).to.deep.include({
        ...{ sub: accountId, aud: API, acr: 'urn:portico:acr:legacy', amr: ['pwd'], client_id: 'new-module' },
      });
      expect(await isActive(tokens.access_token)).to.equal(true);
    }
  });

  it('TX6 oauth4webapi exchanges too', async () => {
    const http = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(world.server.issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, http));
    expect(as.grant_types_supported).to.include(TOKEN_EXCHANGE);
    const client: oauth.Client = { client_id: MODULE.clientId };
    const { access } = await held(vsee);
    const form = { subject_token: access, subject_token_type: ACCESS_TOKEN, resource: API };
    const secret = oauth.ClientSecretBasic(MODULE.secret);
    const reply = await oauth.genericTokenEndpointRequest(as, client, secret, TOKEN_EXCHANGE, form, http);
    const tokens = await oauth.processGenericTokenEndpointResponse(as, client, reply);
    expect(tokens.issued_token_type).to.equal(ACCESS_TOKEN);
    expect(await isActive(tokens.access_token)).to.equal(true);
  });

  for (const [what, { at, end }] of Object.entries(ENDS)) {
    it(`M28 ${what} ends what was exchanged within a second, refresh token and all`, () =>
      inTime(async (watch) => {
        for (const vendor of at) {
          const old = await held(vendor, at === vendors);
          const tokens = await exchanged(old.access, { scope: 'charts:read offline_access' });
          const next = await oidc.refreshTokenGrant(configuration, String(tokens.refresh_token));
          for (const token of [tokens.access_token, next.access_token])
            expect(await isActive(token), vendor.dialect.name).to.equal(true);
          await end(old);
          const told = await watch.around(`${what} at ${vendor.dialect.name}`, 1000, async () => [
            ...(await Promise.all([tokens.access_token, next.access_token].map(isActive))),
            await oidc.refreshTokenGrant(configuration, String(next.refresh_token)).then(
              () => 'refreshed',
              (error) => error.error,
            ),
          ]);
          expect(told, vendor.dialect.name).to.deep.equal([false, false, 'invalid_grant']);
          const again = await exchanged(old.access).then(
            () => 'exchanged',
            (error) => error.error,
          );
          expect(again, vendor.dialect.name).to.equal('invalid_request');
        }
      }));
  }

  it('M28 ending what was exchanged leaves the old app signed in, and its other exchanges', async () => {
    const old = await held(vsee);
    const tokens = await exchanged(old.access);
    await oidc.tokenRevocation(configuration, tokens.access_token);
    expect(await isActive(tokens.access_token)).to.equal(false);
    expect((await world.me(vsee, old.access)).status).to.equal(200);
    expect(await isActive((await exchanged(old.access)).access_token)).to.equal(true);
  });

  it('N7 a sign-in that lacks a second factor, or has an app password for one, is exchanged for nothing', async () => {
    const old = await held(vsee);
    const { stores, identity, oidc: server } = world.server.running;
    expect((await exchanged(old.access)).scope).to.equal('charts:read');
    const app = { salt: 'salt', step: 0, createdAt: new Date(Date.now() - 1000).toISOString() };
    const appPasswords = [{ id: 'one', dialect: 'vsee', name: 'Phone', hash: '', createdAt: app.createdAt }];
    await updateAccount(identity, old.accountId, (account) => ({
      ...account,
      factors: { app, appPasswords },
    }));
    const live = await liveToken(world, vsee, old.access);
    if (live === undefined) throw new Error('The token is not there.');
    const { clientId, accountId, organization, scope, audience = '', claims } = live;
    const issue = async (amr: readonly string[], appPassword?: string) => {
      const issued = await server.grants.issue({
        ...{ clientId, accountId, organization, scope, amr, ...(appPassword && { appPassword }) },
        access: {
          value: randomText(vsee.dialect.tokens.access as RandomForm),
          lifetime: 600,
          audience,
          claims,
        },
      });
      return issued.access.value;
    };
    const outcome = async (token: string) =>
      exchanged(token).then(
        () => 'exchanged',
        (error) => error.error,
      );
    const byPassword = await issue(['pwd']);
    expect((await world.me(vsee, byPassword)).status, 'what the dialect lets pass').to.equal(200);
    expect(await outcome(byPassword)).to.equal('invalid_request');
    expect(await outcome(await issue(['app-password'], 'one'))).to.equal('invalid_request');
    expect(await outcome(await issue(['pwd', 'otp', 'mfa']))).to.equal('exchanged');
    const lines = await stores.audit.latest({ limit: 20 });
    expect(
      lines.filter(({ event, outcome }) => event === 'token.exchange' && outcome === 'refused'),
    ).to.not.equal([]);
  });

  it('TX8 a new app gets a token of each dialect for its own, where its person has a place there', async () => {
    const party = await relyingParty(world.server.issuer, NEW_APP);
    // As they are configured here, CarePortals serves every organization, and the other four the default one.
    for (const [organization, served] of [
      ['default', vendors],
      ['north_clinic', [careportals]],
    ] as const) {
      const account = await world.person({ organization });
      const login = account.email ?? '';
      const { tokens } = await signIn(party, { login, password: PASSWORD, parameters: { organization } });
      for (const vendor of vendors) {
        const { name } = vendor.dialect;
        const form = { subject_token: tokens.access_token, subject_token_type: ACCESS_TOKEN, audience: name };
        const given = await oidc.genericGrantRequest(party.configuration, TOKEN_EXCHANGE, form).then(
          (reply) => reply.access_token,
          () => undefined,
        );
        expect(given !== undefined, `${name} for ${organization}`).to.equal(served.includes(vendor));
        if (given === undefined || vendor.organization !== organization) continue;
        expect((await world.me(vendor, given)).status, name).to.equal(200);
        await world.revoke(given);
        expect((await world.me(vendor, given)).status, name).to.equal(401);
      }
    }
  });

  it('TX7 an API key of a person is no subject token', async () => {
    const { accountId } = await held(avycenna, true);
    const owned = { organization: 'default', vendor: 'avycenna', accountId, name: 'Key' };
    const made = { ...owned, scopes: ['read:users'], ...KEY_FORMS };
    const { key } = await createApiKey(world.server.running.identity, made);
    expect((await world.introspect(key)).active).to.equal(true);
    const refused = await exchanged(key).then(
      () => 'exchanged',
      (error) => error.error,
    );
    expect(refused).to.equal('invalid_request');
  });
});
