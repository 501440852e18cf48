/** Each way into the five dialects, and what the person who goes it holds from before the policies. */
import { randomText, randomToken } from '../../../../src/core/crypto.ts';
import { KEY_FORMS } from '../../../../src/dialects/avycenna/api-keys.ts';
import { HEX } from '../../../../src/dialects/contract/tokens.ts';
import { splitSettings } from '../../../../src/dialects/runtime/mounted.ts';
import { createApiKey } from '../../../../src/identity/accounts/api-keys.ts';
import { linkIdentity } from '../../../../src/identity/upstream/link-identity.ts';
import type { AccountRecord } from '../../../../src/model/account.ts';
import type { DialectInfo } from '../../../conformance/dialect-under-test.ts';
import type { Incoming } from '../../../support/http-client.ts';
import { gmail, signInWithGoogle } from '../../avycenna/google.ts';
import { avycenna, visitnote, vsee } from '../../vendors.ts';
import { inDefault } from '../channels.ts';
import type { World } from '../world.ts';
import { now } from './factor-world.ts';

/** What the person of a case holds from before the policies. */
export interface Held {
  readonly account: AccountRecord;
  readonly invited: AccountRecord;
  /** The clinic's own code of a person whom it signs in. */
  readonly clinicCode: string;
}

export function clinicSignIn(world: World, code: string): Promise<Incoming> {
  const json = { first_name: 'Cora', last_name: 'Clinic', type: 200, code };
  const headers = { 'x-accountcode': 'clinicdev', ...vsee.apiKey };
  return world.send({ method: 'POST', path: '/api_v3/users/sso', json, headers });
}

/** A way in: what it says when it lets the person in, and a reply that is refused for a reason that all know. */
export interface Way {
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

export const byCode: Way = {
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
export function byGoogle({ server }: World, { account }: Held) {
  const person = gmail(`matrix-${account.id.toLowerCase()}`, times());
  const link = { accountId: account.id, issuer: server.upstream.issuers.google, subject: person.sub };
  return linkIdentity(server.running.identity, link).then(() => signInWithGoogle(server, person));
}

export async function byApiKey(world: World, { account }: Held): Promise<number> {
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

export async function idInClinic({ server }: World, { clinicCode }: Held): Promise<string> {
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

export const WAYS: readonly Way[] = [
  ...inDefault.map(byPassword),
  ...inDefault.map(byLiveToken),
  byRefresh(avycenna, '/api/v1/auth/refresh'),
  byRefresh(inDefaultVSee, '/api_v3/tokens/refresh'),
  ...[byCode, byInvitation, bySocial, byClinic, byBrowserLink, byLegacyToken],
];
