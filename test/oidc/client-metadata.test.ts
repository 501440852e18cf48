/**
 * What a client may be is judged when it is written down, by the rules that it meets when it is used: every
 * variant goes through `portico seed --dry-run`, where options can say it through `portico client create`, and, put
 * into the store past the judge, to /authorize and /token.
 */
import { expect } from 'chai';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { stringify } from 'yaml';
import { systemClock } from '../../src/core/clock.ts';
import { clientRecord } from '../../src/seed/records.ts';
import { type SeedClient, seedSchema } from '../../src/seed/schema.ts';
import { openTerminal, type Terminal } from '../cli/run-portico.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

const SECRET = 'Maple-Signal-Cinder-81';
const CALLBACK = 'https://app.example/callback';
const keys = await generateKeyPair('ES256', { extractable: true });
const PUBLIC = { ...(await exportJWK(keys.publicKey)), kid: 'k' };
const PRIVATE = { ...(await exportJWK(keys.privateKey)), kid: 'k' };

interface Variant {
  readonly client: Partial<SeedClient>;
  /** Where the judge says no; absent: the client can be used. */
  readonly at?: string;
  /** The same for `client create`, where it can say it. */
  readonly create?: readonly string[];
  /** Where the app really is; default: the first URI. */
  readonly callback?: string;
}

const WEB = { redirect_uris: [CALLBACK] };
const NATIVE = { application_type: 'native', token_endpoint_auth_method: 'none' } as const;
const CONFIDENTIAL = { ...WEB, client_secret: SECRET };
const web = ['--redirect-uri', CALLBACK];
const native = (...more: string[]) => ['--public', '--native', ...more];
const MACHINE = { client_secret: SECRET, grant_types: ['client_credentials'] };
const KEYED = { ...WEB, token_endpoint_auth_method: 'private_key_jwt' } as const;

const VARIANTS: Readonly<Record<string, Variant>> = {
  'public, https': { client: WEB, create: ['--public', ...web] },
  'confidential, basic': { client: CONFIDENTIAL, create: web },
  'confidential, post': {
    client: { ...CONFIDENTIAL, token_endpoint_auth_method: 'client_secret_post' },
    create: ['--secret-in-body', ...web],
  },
  'private_key_jwt with a public key': { client: { ...KEYED, jwks: { keys: [PUBLIC] } } },
  'private_key_jwt without keys': { client: KEYED, at: 'jwks' },
  'private_key_jwt with a private key': {
    client: { ...KEYED, jwks: { keys: [PRIVATE] } },
    at: 'jwks.keys.0.d',
  },
  'private_key_jwt with two key sets': {
    client: { ...KEYED, jwks: { keys: [PUBLIC] }, jwks_uri: 'https://app.example/jwks' },
    at: 'jwks',
  },
  'an assertion algorithm that is not offered': {
    client: { ...KEYED, jwks: { keys: [PUBLIC] }, token_endpoint_auth_signing_alg: 'HS256' },
    at: 'token_endpoint_auth_signing_alg',
  },
  'an assertion algorithm beside a secret': {
    client: { ...CONFIDENTIAL, token_endpoint_auth_signing_alg: 'ES256' },
    at: 'token_endpoint_auth_signing_alg',
  },
  'a secret beside the method none': {
    client: { ...CONFIDENTIAL, token_endpoint_auth_method: 'none' },
    at: 'client_secret',
  },
  'a method with a secret, and none': {
    client: { ...WEB, token_endpoint_auth_method: 'client_secret_post' },
    at: 'client_secret',
  },
  'a fragment': {
    client: { redirect_uris: [`${CALLBACK}#x`] },
    at: 'redirect_uris.0',
    create: ['--redirect-uri', `${CALLBACK}#x`],
  },
  'a fragment in the second URI': {
    client: { redirect_uris: [CALLBACK, `${CALLBACK}#x`] },
    at: 'redirect_uris.1',
    create: [...web, '--redirect-uri', `${CALLBACK}#x`],
  },
  'a wildcard host': {
    client: { redirect_uris: ['https://*.app.example/callback'] },
    at: 'redirect_uris.0',
    create: ['--redirect-uri', 'https://*.app.example/callback'],
    callback: 'https://one.app.example/callback',
  },
  'a wildcard path': {
    client: { redirect_uris: ['https://app.example/*'] },
    at: 'redirect_uris.0',
    callback: CALLBACK,
  },
  'javascript:': {
    client: { redirect_uris: ['javascript:alert(1)'] },
    at: 'redirect_uris.0',
    create: ['--redirect-uri', 'javascript:alert(1)'],
  },
  'javascript: of a native client': {
    client: { ...NATIVE, redirect_uris: ['javascript:alert(1)'] },
    at: 'redirect_uris.0',
    create: native('--redirect-uri', 'javascript:alert(1)'),
  },
  'data: of a native client': {
    client: { ...NATIVE, redirect_uris: ['data:text/html,x'] },
    at: 'redirect_uris.0',
  },
  'javascript: after signing out': {
    client: { ...WEB, post_logout_redirect_uris: ['javascript:alert(1)'] },
    at: 'post_logout_redirect_uris.0',
    create: [...web, '--logout-uri', 'javascript:alert(1)'],
  },
  'a scheme of its own, native': {
    client: { ...NATIVE, redirect_uris: ['com.example.app:/callback'] },
    create: native('--redirect-uri', 'com.example.app:/callback'),
  },
  'a scheme of its own, web': {
    client: { redirect_uris: ['com.example.app:/callback'] },
    at: 'redirect_uris.0',
  },
  'http on loopback, native': {
    client: { ...NATIVE, redirect_uris: ['http://127.0.0.1/callback'] },
    create: native('--redirect-uri', 'http://127.0.0.1/callback'),
  },
  'http off loopback, native': {
    client: { ...NATIVE, redirect_uris: ['http://app.example/callback'] },
    at: 'redirect_uris.0',
    create: native('--redirect-uri', 'http://app.example/callback'),
  },
  'https on loopback, native': {
    client: { ...NATIVE, redirect_uris: ['https://localhost/callback'] },
    at: 'redirect_uris.0',
  },
  'http off loopback, web': { client: { redirect_uris: ['http://app.example/callback'] } },
  'no redirect URI': { client: { redirect_uris: [] }, at: 'redirect_uris', create: ['--public'] },
  'SU1 one refresh token for good, with a secret': {
    client: { ...CONFIDENTIAL, rotate_refresh_tokens: false },
    create: [...web, '--refresh-rotation', 'off'],
  },
  'SU1 one refresh token for good, without a secret': {
    client: { ...WEB, rotate_refresh_tokens: false },
    at: 'rotate_refresh_tokens',
    create: ['--public', ...web, '--refresh-rotation', 'off'],
  },
  'SU1 one refresh token for good, by a DPoP key': {
    client: { ...WEB, rotate_refresh_tokens: false, dpop_bound_access_tokens: true },
  },
  'known scopes': {
    client: { ...WEB, scope: 'openid email' },
    create: ['--public', ...web, '--scope', 'openid email'],
  },
  'an unknown scope': {
    client: { ...WEB, scope: 'openid emial' },
    at: 'scope',
    create: [...web, '--scope', 'openid emial'],
  },
  'the password grant': {
    client: { ...CONFIDENTIAL, grant_types: ['authorization_code', 'password'] },
    at: 'grant_types.1',
    create: [...web, '--grant', 'authorization_code', '--grant', 'password'],
  },
  'the implicit flow': { client: { ...WEB, response_types: ['id_token'] }, at: 'response_types.0' },
  'the code grant without its response type': {
    client: { ...WEB, response_types: [] },
    at: 'response_types',
  },
  'client credentials': { client: MACHINE, create: ['--grant', 'client_credentials'] },
  'client credentials without a secret': {
    client: { grant_types: ['client_credentials'] },
    at: 'grant_types.0',
    create: ['--public', '--grant', 'client_credentials'],
  },
  pairwise: {
    client: { ...WEB, subject_type: 'pairwise' },
    create: ['--public', ...web, '--subject-type', 'pairwise'],
  },
  'pairwise, of two hosts': {
    client: { redirect_uris: [CALLBACK, 'https://two.example/cb'], subject_type: 'pairwise' },
    at: 'sector_identifier_uri',
    create: [...web, '--redirect-uri', 'https://two.example/cb', '--subject-type', 'pairwise'],
  },
  'ID tokens signed with a secret': {
    client: { ...CONFIDENTIAL, id_token_signed_response_alg: 'HS256' },
    at: 'id_token_signed_response_alg',
  },
  'an ID token algorithm that is offered': { client: { ...WEB, id_token_signed_response_alg: 'RS256' } },
  'an unknown acr': { client: { ...WEB, default_acr_values: ['urn:x'] }, at: 'default_acr_values.0' },
  'a contact that is no address': { client: { ...WEB, contacts: ['the team'] }, at: 'contacts.0' },
  'a logo that is no page': { client: { ...WEB, logo_uri: 'javascript:alert(1)' }, at: 'logo_uri' },
  'a sign-in page over http': {
    client: { ...WEB, initiate_login_uri: 'http://app.example/login' },
    at: 'initiate_login_uri',
  },
};

describe('Client metadata', () => {
  let server: TestServer;
  let terminal: Terminal;
  before(async () => {
    server = await startTestServer();
    terminal = openTerminal();
    const made = await terminal.session(['organization', 'create', 'default']);
    expect(made.code, made.stderr).to.equal(0);
  });
  after(async () => {
    terminal.close();
    await server.close();
  });

  const dryRun = (clients: readonly object[]) =>
    terminal.session(['seed', terminal.write('clients.yaml', stringify({ clients })), '--dry-run']);

  it('CL8 tells every issue of a client with what is allowed, and loads nothing', async () => {
    const { code, stderr } = await dryRun([
      { client_id: 'good', organization: 'default', redirect_uris: [CALLBACK] },
      {
        ...{ client_id: 'bad', organization: 'default', client_secret: SECRET, introspects: ['good'] },
        token_endpoint_auth_method: 'none',
        redirect_uris: [`${CALLBACK}#a`, CALLBACK, 'app:/callback', 'https://*.example'],
        ...{ scope: 'openid api:read', grant_types: ['authorization_code', 'password'] },
        ...{ id_token_signed_response_alg: 'none', userinfo_signed_response_alg: 'HS256' },
      },
    ]);
    expect(code).to.equal(1);
    const lines = stderr.split('\n').flatMap((line) => /^ {2}clients\.1\.?(.*)/.exec(line)?.[1] ?? []);
    expect(lines.map((line) => line.replace(/ ?\(line \d+\)/, ''))).to.have.members([
      'client_secret: must not be set for token_endpoint_auth_method none',
      ': must have a client_secret to introspect or revoke others’ tokens',
      'redirect_uris.3 is "https://*.example": must not have a wildcard: a request must name the very URI that is registered',
      `redirect_uris.0 is "${CALLBACK}#a": must not have a fragment`,
      'redirect_uris.2 is "app:/callback": must begin with https:// or http://, or the client be of application_type native',
      'scope is "api:read": must only have openid, offline_access, profile, email, phone, address, organization, roles',
      "grant_types.1 is \"password\": must be 'authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:device_code', or 'urn:ietf:params:oauth:grant-type:token-exchange'",
      "id_token_signed_response_alg is \"none\": must be 'ES256' or 'RS256'",
      "userinfo_signed_response_alg is \"HS256\": must be 'ES256' or 'RS256'",
    ]);
    const list = await terminal.session(['client', 'list']);
    expect(list.stdout).to.contain('There are no clients');
  });

  it('CL8 judges at seed --dry-run and client create as at /authorize and /token', async () => {
    const seeds = Object.values(VARIANTS).map(({ client }, index) => ({
      ...{ client_id: `c${index}`, organization: 'default' },
      ...client,
    }));
    const { stderr } = await dryRun(seeds);
    const seen: Record<string, object> = {};
    const wanted: Record<string, object> = {};
    for (const [index, [name, { at, create, callback }]] of Object.entries(VARIANTS).entries()) {
      const created =
        create && (await terminal.session(['client', 'create', '--organization', 'default', ...create]));
      const used = await isUsed(server, seeds[index] ?? {}, callback);
      seen[name] = {
        seed: pathsIn(stderr.split('\n').filter((line) => line.startsWith(`  clients.${index}.`))),
        create: created && (created.code === 0 ? [] : pathsIn(created.stderr.trim().split('\n'))),
        used: used.refusal === undefined,
      };
      const paths = at === undefined ? [] : [at];
      wanted[name] = { seed: paths, create: create && paths, used: at === undefined };
    }
    expect(seen).to.deep.equal(wanted);
    expect(Object.keys(seen)).to.have.lengthOf.at.least(30);

    function pathsIn(lines: readonly string[]): string[] {
      return lines.map((line) => /^(?: {2}clients\.\d+\.)?([\w.]+) /.exec(line)?.[1] ?? line);
    }
  });
});

/** Whether the client gets to the sign-in and to a token; its first refusal. */
async function isUsed(
  { url, issuer, running }: TestServer,
  client: object,
  callback?: string,
): Promise<{ refusal?: string }> {
  const [seed] = seedSchema.parse({ clients: [client] }).clients ?? [];
  if (!seed) throw new Error('no client');
  const { secrets } = running.identity;
  await running.stores.clients.put(
    clientRecord(seed, { secrets, issuer, clock: systemClock, present: undefined }),
  );
  const grants = seed.grant_types ?? ['authorization_code'];
  const redirect = callback ?? seed.redirect_uris?.[0] ?? CALLBACK;
  if (grants.includes('authorization_code')) {
    const query = new URLSearchParams({
      client_id: seed.client_id,
      redirect_uri: redirect,
      response_type: seed.response_types?.[0] ?? 'code',
      scope: seed.scope ?? 'openid',
      code_challenge: 'A'.repeat(43),
      code_challenge_method: 'S256',
    });
    const asked = await fetch(`${url}/authorize?${query}`, { redirect: 'manual' });
    const location = asked.headers.get('location') ?? '';
    if (!/\/interaction\//.test(location)) return { refusal: `/authorize ${asked.status} ${location}` };
  }
  for (const grant of grants) {
    const body = new URLSearchParams({ grant_type: grant });
    if (grant === 'authorization_code') body.set('code', 'nonsense');
    if (grant === 'authorization_code') body.set('redirect_uri', redirect);
    const headers = new Headers();
    if (seed.token_endpoint_auth_method === 'private_key_jwt') await sign(body, seed.client_id, issuer);
    else if (seed.client_secret === undefined) body.set('client_id', seed.client_id);
    else if (seed.token_endpoint_auth_method === 'client_secret_post') {
      body.set('client_id', seed.client_id);
      body.set('client_secret', seed.client_secret);
    } else headers.set('authorization', `Basic ${btoa(`${seed.client_id}:${seed.client_secret}`)}`);
    const answer = await fetch(`${url}/token`, { method: 'POST', body, headers });
    const text = await answer.text();
    const known = answer.ok || text.includes('"invalid_grant"');
    if (!known) return { refusal: `/token ${answer.status} ${text}` };
  }
  return {};
}

async function sign(body: URLSearchParams, clientId: string, issuer: string): Promise<void> {
  const assertion = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: 'k' })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(issuer)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(keys.privateKey);
  body.set('client_assertion', assertion);
  body.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
}
