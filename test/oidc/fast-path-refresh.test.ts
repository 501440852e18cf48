/**
 * Refreshes by the fast path against refreshes by the provider: two sign-ins of the same person go through the same
 * requests, one of them with a header that means nothing and takes it the long way. Replies, what is stored and the
 * audit trail must be the same but for what is random.
 */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { secretsFrom } from '../../src/core/crypto.ts';
import type { Json } from '../../src/model/json.ts';
import { createOidcRecords } from '../../src/oidc/persistence/records.ts';
import { basicAuth, ownApp, spa, type TestClient, webApp, webAppPost } from '../support/clients.ts';
import { relyingParty, signIn } from '../support/relying-party.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../support/server.ts';

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

describe('refreshes by the fast path', function () {
  this.timeout(120_000);
  let server: TestServer;
  let now = new Date();
  before(async () => {
    const resources = [{ identifier: API, scopes: ['records:read'], open: true }];
    server = await startTestServer({ clock: { now: () => now }, config: { oidc: { resources } } });
    const { clients } = server.running.stores;
    const own = await clients.byId(ownApp.clientId);
    if (own === undefined) throw new Error('The client is not there.');
    for (const [clientId, other] of Object.entries(VARIANTS)) {
      await clients.put({ ...own, clientId, metadata: { ...own.metadata, ...other } });
    }
  });
  after(() => server.close());

  /** A client of several says which one it means. */
  const organizationOf = ({ clientId }: TestClient): Record<string, string> =>
    clientId === 'roaming-app' ? { organization: 'default' } : {};
  const variant = (clientId: string): TestClient => ({ ...ownApp, clientId });

  async function refresh(client: TestClient, way: Way, fields: Record<string, string>): Promise<Reply> {
    const inBody = client.secretIn === 'body' && { client_secret: String(client.secret) };
    const form = { grant_type: 'refresh_token', ...fields };
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

  async function stored(kind: string, value: unknown, named: ReturnType<typeof createNames>) {
    const secrets = secretsFrom(Buffer.from(TEST_KEY, 'base64'));
    const { oidcRecords: store } = server.running.stores;
    const record = await createOidcRecords({ store, secrets, clock: { now: () => now } }).load(
      kind,
      String(value),
    );
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

  /** One sign-in and what its refresh tokens go through. */
  async function story(client: TestClient, way: Way, scope: string) {
    const parameters = { scope, prompt: 'consent', ...organizationOf(client) };
    const { tokens } = await signIn(await relyingParty(server.issuer, client), { ...MARA, parameters });
    now = new Date(now.getTime() + 3_600_000);
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
    now = new Date(now.getTime() + 3_600_000);
    await ask(first);
    await ask(fifth);
    await ask('unknown-but-well-formed-token');
    const later = replies.slice(seen.length).map((reply) => describeReply(reply, named));
    const refused = await Promise.all(later);
    // Refusals of a story before it are told together, when their minute is over.
    const events = server.logged
      .slice(known)
      .flatMap(({ audit }) =>
        audit === undefined || JSON.stringify(audit).includes('"count"')
          ? []
          : [{ ...(audit as object), at: '', requestId: '' }],
      );
    return { seen, refused, events };
  }

  for (const client of [webApp, webAppPost, ownApp, spa, ...Object.keys(VARIANTS).map(variant)]) {
    it(`FP6 of ${client.clientId} are what the provider’s are`, async () => {
      const scope = 'openid profile email offline_access';
      const fast = await story(client, 'fast', scope);
      const long = await story(client, 'long', scope);
      for (const [at, seen] of fast.seen.entries()) expect(seen, `reply ${at}`).to.deep.equal(long.seen[at]);
      expect({ ...fast, seen: [] }).to.deep.equal({ ...long, seen: [] });
      expect(fast.seen[0]).to.include({ status: 200 });
    });
  }

  it('FP6 of an ordinary sign-in need no provider', async () => {
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
      const { tokens } = await signIn(await relyingParty(server.issuer, client), {
        ...MARA,
        parameters: { scope: 'openid email offline_access', prompt: 'consent', ...organizationOf(client) },
      });
      let handled = 0;
      Object.assign(oidc, {
        handle: (...given: Parameters<typeof handle>) => {
          handled += 1;
          return handle(...given);
        },
      });
      const { status } = await refresh(client, 'fast', { refresh_token: String(tokens.refresh_token) });
      Object.assign(oidc, { handle });
      expect({ status, handled }, client.clientId).to.deep.equal({ status: 200, handled: 0 });
    }
  });
});
