/**
 * Codes and refresh tokens by the fast path against the provider: two sign-ins of the same person go through the same
 * requests, one of them with a header that means nothing and takes it the long way. Replies, what is stored and the
 * audit trail must be the same but for what is random.
 */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { secretsFrom } from '../../src/core/crypto.ts';
import type { Json } from '../../src/model/json.ts';
import { createOidcRecords } from '../../src/oidc/persistence/records.ts';
import {
  basicAuth,
  ownApp,
  putVariants,
  spa,
  type TestClient,
  webApp,
  webAppPost,
} from '../support/clients.ts';
import { relyingParty, signIn, walk } from '../support/relying-party.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
const API = 'https://api.test/';
type Way = 'fast' | 'long';

interface Reply {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Record<string, unknown>;
}

/** Clients as `own-app` is, and what is otherwise in their metadata. */
const VARIANTS: Readonly<Record<string, Record<string, Json>>> = {
  'es256-app': { id_token_signed_response_alg: 'ES256', id_token_claims: true },
  'roaming-app': { organizations: 'all', claims: { staff: 'username' } },
  'kept-app': { rotate_refresh_tokens: false },
  'pairwise-app': { subject_type: 'pairwise' },
  'api-app': { default_api: API },
};

describe('codes and refresh tokens by the fast path', function () {
  this.timeout(120_000);
  let server: TestServer;
  let now = new Date();
  before(async () => {
    const resources = [{ identifier: API, scopes: ['records:read'], open: true }];
    server = await startTestServer({ clock: { now: () => now }, config: { oidc: { resources } } });
    await putVariants(server.running.stores.clients, ownApp, VARIANTS);
  });
  after(() => server.close());

  /** A client of several says which one it means. */
  const organizationOf = ({ clientId }: TestClient): Record<string, string> =>
    clientId === 'roaming-app' ? { organization: 'default' } : {};
  const variant = (clientId: string): TestClient => ({ ...ownApp, clientId });

  const refresh = (client: TestClient, way: Way, fields: Record<string, string>) =>
    ask(client, way, { grant_type: 'refresh_token', ...fields });

  async function ask(client: TestClient, way: Way, form: Record<string, string>): Promise<Reply> {
    const inBody = client.secretIn === 'body' && { client_secret: String(client.secret) };
    const reply = await fetch(`${server.url}/token`, {
      method: 'POST',
      headers: {
        ...(client.secret !== undefined && !inBody && { authorization: basicAuth(client) }),
        ...(way === 'long' && { 'content-encoding': 'identity' }),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: String(
        new URLSearchParams({
          ...form,
          ...((client.secret === undefined || inBody) && { client_id: client.clientId }),
          ...inBody,
        }),
      ),
    });
    const headers = [...reply.headers].filter(([name]) => !/^(date|x-request-id|content-length)$/.test(name));
    return { status: reply.status, headers: headers.flat(), body: (await reply.json()) as Reply['body'] };
  }

  /** Names what is random in the order in which it comes, so that the same value has the same name. */
  function createNames() {
    const known = new Map<unknown, string>();
    return (value: unknown) => {
      if (value === undefined) return undefined;
      const name = known.get(value) ?? `${String(value).length} characters, number ${known.size}`;
      known.set(value, name);
      return name;
    };
  }

  const between = (from: unknown, to: unknown) => Math.round((Number(to) - Number(from)) / 60);

  async function describeReply({ status, headers, body }: Reply, named: ReturnType<typeof createNames>) {
    const { access_token: access, refresh_token: next, id_token: idToken, ...rest } = body;
    if (status !== 200) return { status, headers, body };
    const said = String(idToken)
      .split('.', 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
    const [header, { at_hash: hash, iat, exp, auth_time: signedIn, nonce, sid, ...claims }] = said;
    const half = createHash('sha256').update(String(access)).digest().subarray(0, 16).toString('base64url');
    return {
      ...{ status, headers, order: Object.keys(body), rest, header, claims, minutes: between(iat, exp) },
      ...{
        bound: hash === half,
        nonce: named(nonce),
        sid: named(sid),
        fresh: between(iat, Date.now() / 1000),
      },
      ...{ access: named(access), next: named(next) },
      stored: [await stored('AccessToken', access, named), await stored('RefreshToken', next, named)],
    };
  }

  function records() {
    const secrets = secretsFrom(Buffer.from(TEST_KEY, 'base64'));
    return createOidcRecords({
      store: server.running.stores.oidcRecords,
      secrets,
      clock: { now: () => now },
    });
  }

  /** Makes it one of a remembered browser, which is a proof that no client hears of. */
  async function makeRemembered(token: string): Promise<void> {
    const { payload = {} } = (await records().load('RefreshToken', token)) ?? {};
    await records().save('RefreshToken', token, { ...payload, amr: ['pwd', 'remembered'] }, 86_400);
  }

  async function stored(kind: string, value: unknown, named: ReturnType<typeof createNames>) {
    const record = await records().load(kind, String(value));
    if (record === undefined) return 'gone';
    const {
      id: _id,
      payload,
      createdAt,
      expiresAt,
      consumedAt,
      grantId,
      ...columns
    } = record as typeof record & {
      grantId?: string;
    };
    const {
      jti,
      iat,
      exp,
      grantId: grant,
      family,
      sid,
      sessionUid,
      nonce,
      iiat,
      authTime,
      ...rest
    } = payload;
    return {
      ...{
        columns,
        rest,
        minutes: [between(iat, exp), between(Number(createdAt) / 1000, Number(expiresAt) / 1000)],
      },
      ...{ ages: [between(iiat, iat), between(authTime, iat)], used: consumedAt !== undefined },
      names: [jti, grant, grantId, family, sid, sessionUid, nonce].map(named),
    };
  }

  /**
   * An hour goes by. Refusals from before it are told at once: a timer may tell them at any moment, and one more of the
   * kind would then be counted where it has a row of its own otherwise.
   */
  async function anHourGoesBy(): Promise<void> {
    now = new Date(now.getTime() + 3_600_000);
    const { audit } = server.running.identity;
    if (!('flush' in audit) || typeof audit.flush !== 'function')
      throw new Error('The audit trail has no flush.');
    await audit.flush();
  }

  /** One sign-in and what its refresh tokens go through. */
  async function story(client: TestClient, way: Way, scope: string) {
    const parameters = { scope, prompt: 'consent', ...organizationOf(client) };
    const { tokens } = await signIn(await relyingParty(server.issuer, client), { ...MARA, parameters });
    await makeRemembered(String(tokens.refresh_token));
    await anHourGoesBy();
    const known = server.logged.length;
    const named = createNames();
    const replies: Reply[] = [];
    const ask = async (token: unknown, more: Record<string, string> = {}, as = client) => {
      const reply = await refresh(as, way, { refresh_token: String(token), ...more });
      replies.push(reply);
      return reply.body.refresh_token;
    };
    const first = tokens.refresh_token;
    const second = await ask(first);
    await ask(first);
    const third = await ask(second, { scope: 'openid email' });
    const [fourth] = await Promise.all([ask(third), ask(third), ask(third)]);
    await ask(fourth, {}, client === spa ? ownApp : spa);
    await ask(fourth, { resource: API });
    const fifth = await ask(fourth);
    const seen = await Promise.all(replies.map((reply) => describeReply(reply, named)));
    await anHourGoesBy();
    await ask(first);
    await ask(fifth);
    await ask('unknown-but-well-formed-token');
    const later = replies.slice(seen.length).map((reply) => describeReply(reply, named));
    const refused = await Promise.all(later);
    // Refusals that are told together are of the hour before.
    const events = server.logged
      .slice(known)
      .flatMap(({ audit }) =>
        audit === undefined || JSON.stringify(audit).includes('"count"')
          ? []
          : [{ ...(audit as object), at: '', requestId: '' }],
      );
    return { seen, refused, events };
  }

  /** Redeems new codes of one browser in every way that a client may go wrong, and describes what it gets. */
  async function redemptions(client: TestClient, way: Way) {
    const party = await relyingParty(server.issuer, client);
    const session = openWebSession();
    const known = server.logged.length;
    const named = createNames();
    const seen: [name: string, ...replies: object[]][] = [];
    const codeFor = async (parameters: Record<string, string | undefined> = {}) => {
      const started = await party.begin({ ...organizationOf(client), prompt: 'consent' });
      const url = new URL(started.url);
      for (const [name, value] of Object.entries(parameters)) {
        if (value === undefined) url.searchParams.delete(name);
        else url.searchParams.set(name, value);
      }
      const callback = await walk(session, url.href, client.redirectUri, MARA);
      const code = new URL(callback).searchParams.get('code') ?? '';
      const form = { code, redirect_uri: client.redirectUri, code_verifier: started.verifier };
      return { grant_type: 'authorization_code', ...form };
    };
    const give = async (name: string, forms: Record<string, string>[], as = client) => {
      const replies = await Promise.all(forms.map((form) => ask(as, way, form)));
      const described = await Promise.all(replies.map((reply) => describeReply(reply, named)));
      const sorted = described.toSorted((one, other) => one.status - other.status);
      seen.push([name, ...sorted]);
    };
    const first = await codeFor({ scope: 'openid profile email offline_access' });
    await give('a code', [first]);
    await give('again', [first]);
    await give('three at once', Array(3).fill(await codeFor()));
    await give('without openid', [await codeFor({ scope: 'email' })]);
    for (const [name, parameters] of Object.entries({
      'for an API': { resource: API },
      'with claims': { claims: '{"id_token":{"email":null}}' },
      'bound to a key': { dpop_jkt: 'x'.repeat(43) },
    }))
      await give(name, [await codeFor(parameters)]);
    if (client === ownApp || client === spa) await redeemWrongly();
    now = new Date(now.getTime() + 60_000);
    await give('again, too late', [first]);
    // Refusals are the provider's on both ways, and fold.
    const events = server.logged
      .slice(known)
      .flatMap(({ audit }) =>
        JSON.stringify(audit)?.includes('"outcome":"success"')
          ? [{ ...(audit as object), at: '', requestId: '' }]
          : [],
      );
    return { seen, events };

    async function redeemWrongly() {
      const { redirect_uri: _none, ...unsent } = await codeFor();
      await give('without its redirect URI', [unsent]);
      const { code_verifier: _neither, ...unproved } = await codeFor();
      await give('without its verifier', [unproved]);
      if (client.secret !== undefined) {
        const { code_verifier: own = '', ...plain } = await codeFor({
          code_challenge: undefined,
          code_challenge_method: undefined,
        });
        await give('with a verifier for no challenge', [{ ...plain, code_verifier: own }]);
        await give('without a challenge', [plain]);
      }
      const wrong: Record<string, string>[] = [
        { code_verifier: 'x'.repeat(43) },
        { code_verifier: 'x' },
        { code_verifier: '' },
        { redirect_uri: 'https://elsewhere.test/' },
        { scope: 'openid' },
        { resource: API },
        { refresh_token: 'x' },
        { audience: API },
        { code: 'unknown-but-well-formed-code' },
      ];
      for (const fields of wrong) await give(JSON.stringify(fields), [{ ...(await codeFor()), ...fields }]);
      await give('of another client', [await codeFor()], client === spa ? ownApp : spa);
    }
  }

  for (const client of [webApp, webAppPost, ownApp, spa, ...Object.keys(VARIANTS).map(variant)]) {
    it(`FP8 codes of ${client.clientId} are redeemed as by the provider`, async () => {
      const fast = await redemptions(client, 'fast');
      const long = await redemptions(client, 'long');
      for (const [at, seen] of fast.seen.entries()) expect(seen).to.deep.equal(long.seen[at]);
      expect(fast.events).to.deep.equal(long.events);
      expect(fast.seen[0]?.[1]).to.include({ status: 200 });
    });

    it(`FP6 refreshes of ${client.clientId} are what the provider’s are`, async () => {
      const scope = 'openid profile email offline_access';
      const fast = await story(client, 'fast', scope);
      const long = await story(client, 'long', scope);
      for (const [at, seen] of fast.seen.entries()) expect(seen, `reply ${at}`).to.deep.equal(long.seen[at]);
      expect({ ...fast, seen: [] }).to.deep.equal({ ...long, seen: [] });
      expect(fast.seen[0]).to.include({ status: 200 });
    });
  }

  it('FP6 FP8 tokens of an ordinary sign-in need no provider', async () => {
    const { oidc } = server.running;
    const { handle } = oidc;
    for (const client of [
      webApp,
      webAppPost,
      ownApp,
      spa,
      variant('es256-app'),
      variant('roaming-app'),
      variant('pairwise-app'),
    ]) {
      let handled = 0;
      Object.assign(oidc, {
        handle: (...given: Parameters<typeof handle>) => {
          if (given[0].url === '/token') handled += 1;
          return handle(...given);
        },
      });
      const { tokens } = await signIn(await relyingParty(server.issuer, client), {
        ...MARA,
        parameters: { scope: 'openid email offline_access', prompt: 'consent', ...organizationOf(client) },
      });
      const { status } = await refresh(client, 'fast', { refresh_token: String(tokens.refresh_token) });
      Object.assign(oidc, { handle });
      expect({ status, handled }, client.clientId).to.deep.equal({ status: 200, handled: 0 });
    }
  });
});
