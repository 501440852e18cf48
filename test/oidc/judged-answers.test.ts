/**
 * What a client may ask for in signed and encrypted messages, and whose pairwise subjects it may share: the judge
 * against the use, at /authorize, /token, /userinfo and /introspect.
 */
import { expect } from 'chai';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Json } from '../../src/model/json.ts';
import { type DocumentSite, startDocumentSite } from '../support/document-site.ts';
import {
  authorizePath,
  Browser,
  basic,
  CHALLENGE,
  openWorld,
  REDIRECT,
  redeem,
  type World,
} from './support.ts';

type Metadata = Record<string, Json>;

const signing = await generateKeyPair('ES256', { extractable: true });
const ES256 = await published(signing.publicKey, { use: 'sig' });
const RSA = await published((await generateKeyPair('RSA-OAEP-256', { extractable: true })).publicKey);
const EC = await published((await generateKeyPair('ECDH-ES', { extractable: true })).publicKey, {
  use: 'enc',
});

const ED25519 = await published((await generateKeyPair('EdDSA', { extractable: true })).publicKey);
const X25519 = await published(
  (await generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true })).publicKey,
);

async function published(key: Parameters<typeof exportJWK>[0], more: JWK = {}): Promise<Metadata> {
  return JSON.parse(JSON.stringify({ ...(await exportJWK(key)), ...more }));
}

const keys = (...all: Metadata[]): Metadata => ({ jwks: { keys: all } });

/** `encrypts('userinfo', 'ECDH-ES')` */
function encrypts(answer: string, alg: string, enc?: string): Metadata {
  return {
    ...(answer !== 'id_token' && { [`${answer}_signed_response_alg`]: 'ES256' }),
    [`${answer}_encrypted_response_alg`]: alg,
    ...(enc !== undefined && { [`${answer}_encrypted_response_enc`]: enc }),
  };
}

/** Each, and where the judge says no; undefined: the client can be used. */
const VARIANTS: Readonly<Record<string, readonly [metadata: Metadata, at?: string]>> = {
  'userinfo ES256': [{ userinfo_signed_response_alg: 'ES256' }],
  'userinfo HS256': [{ userinfo_signed_response_alg: 'HS256' }, 'userinfo_signed_response_alg'],
  'userinfo none': [{ userinfo_signed_response_alg: 'none' }, 'userinfo_signed_response_alg'],
  'introspection RS256': [{ introspection_signed_response_alg: 'RS256' }],
  'introspection HS256': [
    { introspection_signed_response_alg: 'HS256' },
    'introspection_signed_response_alg',
  ],
  'answers ES256': [{ authorization_signed_response_alg: 'ES256' }],
  'answers none': [{ authorization_signed_response_alg: 'none' }, 'authorization_signed_response_alg'],
  'answers encrypted': [
    { authorization_encrypted_response_alg: 'ECDH-ES', ...keys(EC) },
    'authorization_encrypted_response_alg',
  ],
  'requests encrypted': [{ request_object_encryption_alg: 'ECDH-ES' }, 'request_object_encryption_alg'],
  'content encryption alone': [
    { userinfo_signed_response_alg: 'ES256', userinfo_encrypted_response_enc: 'A128GCM', ...keys(EC) },
    'userinfo_encrypted_response_alg',
  ],
  'userinfo encrypted and not signed': [
    { userinfo_encrypted_response_alg: 'ECDH-ES', ...keys(EC) },
    'userinfo_signed_response_alg',
  ],
  ...Object.fromEntries(
    ['id_token', 'userinfo', 'introspection'].flatMap((answer): [string, readonly [Metadata, string?]][] => {
      const alg = `${answer}_encrypted_response_alg`;
      return [
        [`${answer} ECDH-ES`, [{ ...encrypts(answer, 'ECDH-ES'), ...keys(ES256, EC) }]],
        [`${answer} RSA-OAEP-256`, [{ ...encrypts(answer, 'RSA-OAEP-256', 'A256GCM'), ...keys(RSA) }]],
        [`${answer} without keys`, [encrypts(answer, 'ECDH-ES'), 'jwks']],
        [`${answer} with a key that signs`, [{ ...encrypts(answer, 'ECDH-ES'), ...keys(ES256) }, alg]],
        [`${answer} with a key of another kind`, [{ ...encrypts(answer, 'RSA-OAEP-256'), ...keys(EC) }, alg]],
        [`${answer} RSA1_5`, [{ ...encrypts(answer, 'RSA1_5'), ...keys(RSA) }, alg]],
        [`${answer} RSA-OAEP with SHA-1`, [{ ...encrypts(answer, 'RSA-OAEP'), ...keys(RSA) }, alg]],
        [`${answer} dir`, [encrypts(answer, 'dir'), alg]],
        [`${answer} A128KW`, [encrypts(answer, 'A128KW'), alg]],
        [
          `${answer} A192GCM`,
          [{ ...encrypts(answer, 'ECDH-ES', 'A192GCM'), ...keys(EC) }, `${answer}_encrypted_response_enc`],
        ],
      ];
    }),
  ),
  'a key that signs in front of one that encrypts': [
    { ...encrypts('userinfo', 'ECDH-ES'), ...keys(ED25519, X25519) },
    'userinfo_encrypted_response_alg',
  ],
  'the same keys with their use': [
    { ...encrypts('userinfo', 'ECDH-ES'), ...keys({ ...ED25519, use: 'sig' }, { ...X25519, use: 'enc' }) },
  ],
  'requests ES256': [{ request_object_signing_alg: 'ES256', ...keys(ES256) }],
  'requests none': [{ request_object_signing_alg: 'none', ...keys(ES256) }, 'request_object_signing_alg'],
  'requests HS256': [{ request_object_signing_alg: 'HS256', ...keys(ES256) }, 'request_object_signing_alg'],
  'requests without keys': [{ request_object_signing_alg: 'ES256' }, 'jwks'],
  'signed requests': [{ require_signed_request_object: true, ...keys(ES256) }],
  'signed requests without keys': [{ require_signed_request_object: true }, 'require_signed_request_object'],
  'signed requests with a key that encrypts': [
    { require_signed_request_object: true, ...keys(EC) },
    'require_signed_request_object',
  ],
  'a request algorithm without its key': [
    { require_signed_request_object: true, request_object_signing_alg: 'RS256', ...keys(ES256) },
    'request_object_signing_alg',
  ],
  pairwise: [{ subject_type: 'pairwise' }],
  'pairwise, of several hosts': [
    { subject_type: 'pairwise', redirect_uris: [REDIRECT, 'https://other.test/cb'] },
    'sector_identifier_uri',
  ],
  'a sector over http': [
    { subject_type: 'pairwise', sector_identifier_uri: 'http://app.test/sector' },
    'sector_identifier_uri',
  ],
};

describe('what a client may ask for', () => {
  let world: World;
  let site: DocumentSite;
  before(async () => {
    world = await openWorld({ config: { outbound: { allowPrivate: true } } });
    site = await startDocumentSite();
  });
  after(async () => {
    await site.close();
    await world.close();
  });

  async function judged(clientId: string) {
    const record = await world.stores.clients.byId(clientId);
    if (record === undefined) throw new Error(clientId);
    return world.oidc.judgeClient(record);
  }

  const put = (clientId: string, metadata: Metadata) =>
    world.putClient({ clientId, secret: `${clientId}-secret`, traits: { firstParty: true }, metadata });

  /** Whether every endpoint serves the client; the first that does not. */
  async function isUsed(clientId: string, metadata: Metadata): Promise<string | undefined> {
    const secret = basic(clientId, `${clientId}-secret`);
    const mayRead = [200, 303];
    const page = await new Browser(world, 'nora').open(await address(clientId, metadata));
    const response = page.url.searchParams.get('response')?.split('.')[1];
    if (response === undefined) return `authorize ${page.status} ${page.url} ${page.text}`;
    const { code } = JSON.parse(Buffer.from(response, 'base64url').toString());
    const reply = await redeem(world, String(code), {}, secret);
    if (reply.status !== 200) return `token ${JSON.stringify(reply.body)}`;
    const token = String(reply.body.access_token);
    const told = await Promise.all([
      fetch(`${world.url}/userinfo`, { headers: { authorization: `Bearer ${token}` } }),
      fetch(`${world.url}/introspect`, {
        method: 'POST',
        body: new URLSearchParams({ token }),
        headers: { ...secret, accept: 'application/token-introspection+jwt' },
      }),
    ]);
    const failed = told.find(({ status }) => !mayRead.includes(status));
    return failed && `${failed.url} ${failed.status}`;
  }

  async function address(clientId: string, metadata: Metadata): Promise<string> {
    const { require_signed_request_object: must, request_object_signing_alg: alg } = metadata;
    if (must !== true && alg === undefined)
      return authorizePath({ client_id: clientId, response_mode: 'jwt' });
    const request = await new SignJWT({
      ...{ client_id: clientId, response_type: 'code', response_mode: 'jwt', redirect_uri: REDIRECT },
      ...{ scope: 'openid', code_challenge: CHALLENGE, code_challenge_method: 'S256' },
    })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(clientId)
      .setAudience(world.issuer)
      .setExpirationTime('1m')
      .sign(signing.privateKey);
    return `/authorize?${new URLSearchParams({ client_id: clientId, request, redirect_uri: REDIRECT })}`;
  }

  it('PR6 is judged as it is used, member by member', async () => {
    const seen: Record<string, object> = {};
    const wanted: Record<string, object> = {};
    for (const [index, [name, [metadata, at]]] of Object.entries(VARIANTS).entries()) {
      await put(`c${index}`, metadata);
      const failure = await isUsed(`c${index}`, metadata);
      seen[name] = {
        judged: (await judged(`c${index}`)).map(({ path }) => path),
        used: failure === undefined,
      };
      wanted[name] = { judged: at === undefined ? [] : [at], used: at === undefined };
    }
    expect(seen).to.deep.equal(wanted);
    expect(Object.keys(seen)).to.have.length.greaterThan(50);
  });

  it('P13 PR6 a sector is read when the client is judged, and has every redirect URI in it', async () => {
    const list = (at: string, body: unknown) =>
      site.serve(at, (_request, response) => response.end(JSON.stringify(body)));
    const two = [REDIRECT, 'https://other.test/cb'];
    list('/both', two);
    list('/one', [REDIRECT]);
    list('/object', { redirect_uris: two });
    site.serve('/text', (_request, response) => response.end('[1'));
    site.serve('/moved', (_request, response) => response.writeHead(302, { location: '/both' }).end());
    site.serve('/long', (_request, response) => response.end(JSON.stringify(['x'.repeat(300_000)])));
    const says: Record<string, RegExp | undefined> = {
      '/both': undefined,
      '/one': /does not list https:\/\/other\.test\/cb/,
      '/object': /no JSON list/,
      '/text': /no JSON list/,
      '/moved': /it answers 302/,
      '/long': /longer than \d+ bytes/,
      '/gone': /it answers 404/,
    };
    for (const [at, words] of Object.entries(says)) {
      const metadata = { subject_type: 'pairwise', redirect_uris: two, sector_identifier_uri: site.url + at };
      await put('sector', metadata);
      const issues = await judged('sector');
      if (words === undefined) expect(issues, at).to.deep.equal([]);
      else {
        expect(
          issues.map(({ path }) => path),
          at,
        ).to.deep.equal(['sector_identifier_uri']);
        expect(issues[0]?.message, at).to.match(words);
      }
    }
    const reads = site.asked.length;
    await put('sector', {
      subject_type: 'pairwise',
      redirect_uris: two,
      sector_identifier_uri: `${site.url}/both`,
    });
    site.remove('/both');
    expect(await isUsed('sector', {}), 'it is gone').to.equal(undefined);
    expect(site.asked).to.have.length(reads);
    await put('sector', { subject_type: 'pairwise', sector_identifier_uri: 'https://localhost:1/sector' });
    const [unreadable] = await judged('sector');
    expect(unreadable?.message).to.match(
      /JSON list of the client’s redirect URIs, and cannot be read from here: /,
    );
  });

  it('P13 PR6 a sector in a private network is not asked', async () => {
    const careful = await openWorld({ beside: world });
    for (const host of ['127.0.0.1', '[::1]', 'localhost', '10.0.0.1', '169.254.169.254', '192.168.1.1']) {
      await put('inside', { subject_type: 'pairwise', sector_identifier_uri: `https://${host}/sector` });
      const record = await world.stores.clients.byId('inside');
      const [issue] = record ? await careful.oidc.judgeClient(record) : [];
      expect(issue?.message, host).to.match(/not public/);
    }
    await careful.close();
  });
});
