/** TLS certificates of clients (RFC 8705), in the header of a proxy: who they prove, and which tokens they bind. */
import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import type { Json } from '../../src/model/json.ts';
import { makeCertificates } from '../support/certificates.ts';
import { type FapiClient, openFapiClient } from './fapi2-client.ts';
import { API, getJson, openWorld, type Reply, type World } from './support.ts';

const MTLS = 'https://mtls.bank.test';
const REFUSED = (reply: Reply) => [reply.status, reply.body.error];
const certificates = makeCertificates();
type Name = keyof typeof certificates;

const derOf = (name: Name) => new X509Certificate(certificates[name].certificate).raw.toString('base64');
const rfc9440 = (name: Name) => ({ 'client-cert': `:${derOf(name)}:` });
/** As nginx writes it. */
const escaped = (name: Name) => ({ 'client-cert': encodeURIComponent(certificates[name].certificate) });
const verified = (name: Name) => ({ ...escaped(name), 'client-cert-verified': 'SUCCESS' });

describe('a client certificate', () => {
  let world: World;
  const opened = new Map<string, FapiClient>();
  before(async () => {
    world = await openWorld({
      config: {
        http: {
          trustedProxies: ['127.0.0.1'],
          clientCertificate: { header: 'Client-Cert', verifiedHeader: 'Client-Cert-Verified', origin: MTLS },
        },
      },
    });
    const open = async (id: string, metadata: Record<string, Json>) => {
      opened.set(id, await openFapiClient(world, id, { metadata }));
    };
    const bound = { tls_client_certificate_bound_access_tokens: true };
    const jwks = {
      keys: [
        {
          ...new X509Certificate(certificates.selfSigned.certificate).publicKey.export({ format: 'jwk' }),
          x5c: [derOf('selfSigned')],
        },
      ],
    };
    const authority = { token_endpoint_auth_method: 'tls_client_auth' };
    await open('self-signed', {
      ...bound,
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: JSON.parse(JSON.stringify(jwks)),
    });
    await open('issued', { ...bound, ...authority, tls_client_auth_san_dns: 'APP.bank.example' });
    await open('by-key', bound);
    await open('tls-dpop', {
      ...authority,
      tls_client_auth_subject_dn: 'CN=app, O=Banque \\C3\\89toile\\, Ltd, C=DE',
    });
    for (const [member, value] of Object.entries({
      ...{ san_uri: 'https://bank.example/a', san_ip: '192.0.2.7', san_email: 'ops@bank.example' },
    })) {
      await open(member, { ...bound, ...authority, [`tls_client_auth_${member}`]: value });
    }
  });
  after(() => world.close());

  const client = (id: string) => {
    const found = opened.get(id);
    if (found === undefined) throw new Error(id);
    return found;
  };
  const push = (id: string, headers: Record<string, string>) =>
    client(id).push({}, { client_id: id }, headers);
  const code = (id: string, headers: Record<string, string>) =>
    client(id).code({}, { client_id: id }, headers);
  const tokens = async (id: string, headers: Record<string, string>) => {
    const reply = await client(id).redeem(await code(id, headers), headers, { client_id: id });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    return { access: String(reply.body.access_token), refresh: String(reply.body.refresh_token), reply };
  };
  const userinfo = (id: string, token: string, headers: Record<string, string> = {}) =>
    client(id).userinfo(token, { authorization: `Bearer ${token}`, ...headers });
  const thumbprint = (name: Name) => {
    const digest = new X509Certificate(certificates[name].certificate).fingerprint256;
    return Buffer.from(digest.replaceAll(':', ''), 'hex').toString('base64url');
  };

  it('MTLS1 proves a client that signed it itself, as PEM of nginx and as RFC 9440, and binds its tokens', async () => {
    for (const shown of [escaped('selfSigned'), rfc9440('selfSigned')]) {
      const { access, refresh, reply } = await tokens('self-signed', shown);
      expect(reply.body.token_type).to.equal('Bearer');
      expect((await userinfo('self-signed', access, shown)).body.sub).to.equal('nora');
      const own = { client_id: 'self-signed' };
      const again = await client('self-signed').refresh(refresh, shown, own);
      expect(again.body.refresh_token).to.equal(refresh);
      expect((await userinfo('self-signed', String(again.body.access_token), shown)).status).to.equal(200);
      const told = await client('self-signed').introspect(access, shown, own);
      expect(told.body.cnf).to.deep.equal({ 'x5t#S256': thumbprint('selfSigned') });
    }
  });

  it('MTLS1 of an authority proves each client by the one name that is registered', async () => {
    for (const id of ['issued', 'san_uri', 'san_ip', 'san_email']) {
      const { access } = await tokens(id, verified('issued'));
      expect((await userinfo(id, access, verified('issued'))).status, id).to.equal(200);
    }
    const dpop = { ...verified('issued'), ...(await client('tls-dpop').proof('/token')) };
    const reply = await client('tls-dpop').redeem(await code('tls-dpop', verified('issued')), dpop, {
      client_id: 'tls-dpop',
    });
    expect(reply.body.token_type).to.equal('DPoP');
  });

  it('MTLS1 binds the tokens of a client that signs assertions, whichever certificate it has', async () => {
    const bank = client('by-key');
    const { body } = await bank.redeem(await bank.code(), rfc9440('stranger'));
    const access = String(body.access_token);
    expect((await userinfo('by-key', access, rfc9440('stranger'))).status).to.equal(200);
    expect(REFUSED(await userinfo('by-key', access, rfc9440('issued')))).to.deep.equal([
      401,
      'invalid_token',
    ]);
  });

  it('MTLS1 stands in the JWT of an API, and at its introspection', async () => {
    const bank = client('by-key');
    const code = await bank.code({ resource: API, scope: 'openid records:read' });
    const redeemed = { grant_type: 'authorization_code', code, resource: API };
    const { body } = await bank.token(redeemed, rfc9440('stranger'));
    const cnf = { 'x5t#S256': thumbprint('stranger') };
    expect(decodeJwt(String(body.access_token)).cnf).to.deep.equal(cnf);
    const told = await bank.introspect(String(body.access_token), {}, await bank.assertion());
    expect(told.body).to.deep.include({ active: true, cnf });
  });

  it('MTLS2 the audit trail tells why a certificate proved nothing', async () => {
    world.audit.length = 0;
    await push('issued', verified('sibling'));
    await push('self-signed', {});
    expect(world.audit.map(({ clientId, detail }) => [clientId, Object(detail).detail])).to.deep.equal([
      ['issued', 'certificate subject value does not match the registered one'],
      ['self-signed', 'client certificate was not provided'],
    ]);
  });

  it('MTLS2 the judge tells what a client with a certificate lacks, or has twice', async () => {
    const paths = async (id: string, changes: Record<string, Json>) => {
      const record = await world.stores.clients.byId(id);
      if (record === undefined) throw new Error(id);
      const issues = await world.oidc.judgeClient({
        ...record,
        metadata: { ...record.metadata, ...changes },
      });
      return issues.map(({ path, message }) => `${path} ${message}`);
    };
    expect(await paths('issued', {})).to.deep.equal([]);
    expect(await paths('issued', { tls_client_auth_san_uri: 'https://bank.example/a' })).to.deep.equal([
      'tls_client_auth_subject_dn must not stand beside another of tls_client_auth_*',
    ]);
    expect(await paths('by-key', { token_endpoint_auth_method: 'tls_client_auth' })).to.deep.equal([
      'tls_client_auth_subject_dn or another of tls_client_auth_* must say whose certificate it is',
    ]);
    expect(await paths('issued', { dpop_bound_access_tokens: true })).to.deep.equal([
      'dpop_bound_access_tokens must not stand beside tls_client_certificate_bound_access_tokens',
    ]);
    expect(
      await paths('issued', {
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        jwks: { keys: [] },
      }),
    ).to.deep.equal(['jwks must have a key with the certificate of the client (x5c)']);
    expect(await paths('by-key', { jwks: { keys: [] } })).to.deep.equal([
      'jwks must have a key that verifies ES256, RS256, PS256, EdDSA',
    ]);
  });

  it('MTLS1 is named in discovery, with the endpoints that ask for it', async () => {
    const metadata = await getJson(world, '/.well-known/openid-configuration');
    expect(metadata.tls_client_certificate_bound_access_tokens).to.equal(true);
    for (const endpoint of ['token', 'introspection', 'revocation'])
      expect(metadata[`${endpoint}_endpoint_auth_methods_supported`], endpoint).to.include.members([
        'tls_client_auth',
        'self_signed_tls_client_auth',
      ]);
    expect(metadata.mtls_endpoint_aliases).to.deep.equal({
      token_endpoint: `${MTLS}/token`,
      pushed_authorization_request_endpoint: `${MTLS}/par`,
      device_authorization_endpoint: `${MTLS}/device_authorization`,
      introspection_endpoint: `${MTLS}/introspect`,
      revocation_endpoint: `${MTLS}/revoke`,
      userinfo_endpoint: `${MTLS}/userinfo`,
    });
    expect(metadata.token_endpoint).to.equal(`${world.issuer}/token`);
  });

  it('MTLS1 at the alias, a DPoP proof is for the alias', async () => {
    const shown = { ...verified('issued'), host: 'mtls.bank.test', 'x-forwarded-host': 'mtls.bank.test' };
    const at = async (htu: string) => {
      const proof = await client('tls-dpop').proof('/token', { claims: { htu } });
      const headers = { ...shown, ...proof };
      const own = { client_id: 'tls-dpop' };
      return REFUSED(await client('tls-dpop').redeem(await code('tls-dpop', shown), headers, own));
    };
    expect(await at(`${MTLS}/token`)).to.deep.equal([200, undefined]);
    expect(await at(`${world.issuer}/token`)).to.deep.equal([400, 'invalid_dpop_proof']);
  });

  describe('is refused', () => {
    const invalidClient = [401, 'invalid_client'];
    const invalidToken = [401, 'invalid_token'];
    const joined = (one: object, other: object) => ({
      'client-cert': [...Object.values(one), ...Object.values(other)].join(', '),
    });
    const CASES: Readonly<Record<string, readonly [says: unknown, () => Promise<Reply>]>> = {
      'where there is none': [invalidClient, () => push('self-signed', {})],
      'that another signed itself, for the same names': [
        invalidClient,
        () => push('self-signed', escaped('stranger')),
      ],
      'whose key is that of another': [invalidClient, () => push('self-signed', rfc9440('issued'))],
      'of an authority that the proxy does not know': [
        invalidClient,
        () =>
          push('issued', {
            ...escaped('stranger'),
            'client-cert-verified': 'FAILED:self-signed certificate',
          }),
      ],
      'of an authority, without a word of the proxy': [
        invalidClient,
        () => push('issued', escaped('issued')),
      ],
      'of an authority, with another word of the proxy': [
        invalidClient,
        () => push('issued', { ...escaped('issued'), 'client-cert-verified': 'success' }),
      ],
      'of an authority, for another name': [invalidClient, () => push('issued', verified('sibling'))],
      'of an authority, for another subject': [invalidClient, () => push('tls-dpop', verified('sibling'))],
      'of an authority, for another address': [invalidClient, () => push('san_ip', verified('sibling'))],
      'of an authority, for another URI': [invalidClient, () => push('san_uri', verified('sibling'))],
      'of an authority, for another email': [invalidClient, () => push('san_email', verified('sibling'))],
      'beside a word of the proxy, without a certificate': [
        invalidClient,
        () => push('issued', { 'client-cert-verified': 'SUCCESS' }),
      ],
      'that is no certificate': [invalidClient, () => push('self-signed', { 'client-cert': ':AAAA:' })],
      'that is no header of a proxy': [
        invalidClient,
        () => push('self-signed', { 'client-cert': 'selfSigned' }),
      ],
      'with broken percent signs': [invalidClient, () => push('self-signed', { 'client-cert': '%E0%A4%A' })],
      'that came twice, in RFC 9440': [
        invalidClient,
        () => push('self-signed', joined(rfc9440('selfSigned'), rfc9440('stranger'))),
      ],
      'that came twice, as PEM': [
        invalidClient,
        () => push('self-signed', joined(escaped('selfSigned'), escaped('stranger'))),
      ],
      'of two in one PEM': [
        invalidClient,
        () =>
          push('self-signed', {
            'client-cert': encodeURIComponent(
              certificates.selfSigned.certificate + certificates.stranger.certificate,
            ),
          }),
      ],
      'in place of an assertion': [invalidClient, () => push('by-key', escaped('selfSigned'))],
      'at the token endpoint, another than proved the request': [
        invalidClient,
        async () =>
          client('self-signed').redeem(
            await code('self-signed', escaped('selfSigned')),
            escaped('stranger'),
            {
              client_id: 'self-signed',
            },
          ),
      ],
      'at the token endpoint, none beside an assertion': [
        [400, 'invalid_grant'],
        async () => client('by-key').redeem(await client('by-key').code(), {}),
      ],
      'beside a DPoP proof: a token is bound once': [
        [400, 'invalid_request'],
        async () => {
          const bank = client('by-key');
          return bank.redeem(await bank.code(), { ...rfc9440('stranger'), ...(await bank.proof('/token')) });
        },
      ],
      'at userinfo, where there is none': [
        invalidToken,
        async () => userinfo('self-signed', (await tokens('self-signed', escaped('selfSigned'))).access),
      ],
      'at userinfo, another than the token’s': [
        invalidToken,
        async () => {
          const { access } = await tokens('self-signed', escaped('selfSigned'));
          return userinfo('self-signed', access, escaped('stranger'));
        },
      ],
      'at refresh, where there is none': [
        [400, 'invalid_grant'],
        async () => {
          const bank = client('by-key');
          const { body } = await bank.redeem(await bank.code(), rfc9440('stranger'));
          return bank.refresh(body.refresh_token, {});
        },
      ],
    };
    for (const [what, [says, ask]] of Object.entries(CASES)) {
      it(`MTLS2 ${what}`, async () => expect(REFUSED(await ask())).to.deep.equal(says));
    }
  });
});
