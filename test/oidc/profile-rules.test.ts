/** What a client of the profile FAPI 2 must be: the judge names each fault, and a client with one is refused in use. */
import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import type { ClientRecord } from '../../src/model/client.ts';
import type { Json } from '../../src/model/json.ts';
import { type KeyPair, keyPair, openFapiClient } from './fapi2-client.ts';
import { openWorld, type World } from './support.ts';

const weak: Json = JSON.parse(
  JSON.stringify(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })),
);
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

/** Members laid over those of a good client, and where the judge says no. `null`: without the member. */
const VARIANTS: Readonly<Record<string, readonly [changes: Record<string, Json>, paths: readonly string[]]>> =
  {
    'as it is': [{}, []],
    'with what the profile sets, said again': [
      {
        require_pushed_authorization_requests: true,
        dpop_bound_access_tokens: true,
        rotate_refresh_tokens: false,
      },
      [],
    ],
    'with PS256 ID tokens': [{ id_token_signed_response_alg: 'PS256' }, ['id_token_signed_response_alg']],
    'with a URL for its keys': [{ jwks: null, jwks_uri: 'https://bank.test/jwks' }, []],
    'for client credentials': [{ grant_types: ['client_credentials'], redirect_uris: [] }, []],
    public: [{ token_endpoint_auth_method: 'none' }, ['token_endpoint_auth_method']],
    'public and without keys': [
      { token_endpoint_auth_method: 'none', jwks: null },
      ['jwks', 'token_endpoint_auth_method'],
    ],
    'with a secret': [{ token_endpoint_auth_method: 'client_secret_basic' }, ['token_endpoint_auth_method']],
    'with a posted secret': [
      { token_endpoint_auth_method: 'client_secret_post' },
      ['token_endpoint_auth_method'],
    ],
    'without keys': [{ jwks: null }, ['jwks']],
    'with a short RSA key': [{ jwks: { keys: [weak] } }, ['jwks.keys.0.n']],
    'with an http redirect': [
      { redirect_uris: ['https://bank.test/cb', 'http://bank.test/cb'] },
      ['redirect_uris.1'],
    ],
    'with an http redirect to itself': [
      { application_type: 'native', redirect_uris: ['http://127.0.0.1/cb'] },
      ['redirect_uris.0'],
    ],
    'with a redirect of a scheme of its own': [
      { application_type: 'native', redirect_uris: ['test.bank:/cb'] },
      ['redirect_uris.0'],
    ],
    'that need not push': [
      { require_pushed_authorization_requests: false },
      ['require_pushed_authorization_requests'],
    ],
    'without bound tokens': [{ dpop_bound_access_tokens: false }, ['dpop_bound_access_tokens']],
    'bound by a certificate that never comes': [
      { tls_client_certificate_bound_access_tokens: true },
      ['tls_client_certificate_bound_access_tokens'],
    ],
    'with rotation': [{ rotate_refresh_tokens: true }, ['rotate_refresh_tokens']],
    'with assertions under RS256': [
      { token_endpoint_auth_signing_alg: 'RS256' },
      ['token_endpoint_auth_signing_alg'],
    ],
    'with assertions under HS256': [
      { token_endpoint_auth_signing_alg: 'HS256' },
      ['token_endpoint_auth_signing_alg'],
    ],
    'with ID tokens under RS256': [
      { id_token_signed_response_alg: 'RS256' },
      ['id_token_signed_response_alg'],
    ],
    'with ID tokens under HS256': [
      { id_token_signed_response_alg: 'HS256' },
      ['id_token_signed_response_alg'],
    ],
    'with the device flow': [{ grant_types: ['authorization_code', DEVICE] }, ['grant_types.1']],
    'of a profile that is not there': [{ profile: 'fapi3' }, ['profile']],
    'with everything wrong': [
      {
        ...{ token_endpoint_auth_method: 'none', jwks: null, redirect_uris: ['http://bank.test/cb'] },
        ...{ require_pushed_authorization_requests: false, dpop_bound_access_tokens: false },
        ...{ id_token_signed_response_alg: 'HS256', rotate_refresh_tokens: true },
        grant_types: ['authorization_code', 'refresh_token', DEVICE],
      },
      [
        ...['dpop_bound_access_tokens', 'grant_types.2', 'id_token_signed_response_alg', 'jwks'],
        ...['redirect_uris.0', 'require_pushed_authorization_requests', 'rotate_refresh_tokens'],
        'token_endpoint_auth_method',
      ],
    ],
  };

describe('the rules of the profile FAPI 2', () => {
  let world: World;
  let keys: KeyPair;
  before(async () => {
    world = await openWorld();
    keys = await keyPair();
  });
  after(() => world.close());

  it('FAPI3 the judge names every fault of a client, and a client with a fault is refused in use', async () => {
    const judged: Record<string, readonly string[]> = {};
    const works: Record<string, boolean> = {};
    for (const [index, [what, [changes]]] of Object.entries(VARIANTS).entries()) {
      const clientId = `variant-${index}`;
      const client = await openFapiClient(world, clientId, { keys });
      const before = await world.stores.clients.byId(clientId);
      if (before === undefined) throw new Error(clientId);
      const metadata = Object.fromEntries(
        Object.entries({ ...before.metadata, ...changes }).filter(([, value]) => value !== null),
      );
      const record: ClientRecord = { ...before, metadata };
      judged[what] = (await world.oidc.judgeClient(record)).map(({ path }) => path).sort();
      await world.stores.clients.put(record);
      const { body } = await client.token({ grant_type: 'refresh_token', refresh_token: 'x' });
      // It was let in, and has no such token or grant.
      works[what] = body.error === 'invalid_grant' || body.error === 'unauthorized_client';
    }
    const expected = Object.entries(VARIANTS).map(([what, [, paths]]) => [what, paths] as const);
    expect(judged).to.deep.equal(Object.fromEntries(expected));
    // Keys behind a URL that does not answer prove nothing either.
    const usable = expected.map(([what, paths]) => [what, paths.length === 0 && !/URL/.test(what)]);
    expect(works).to.deep.equal(Object.fromEntries(usable));
  });
});
