/** Entries of federation.openid: what they accept, whom they vouch for, and that no two are mixed up. */
import { expect } from 'chai';
import { configSchema } from '../../src/config/schema.ts';
import { openid } from '../../src/federation/openid/openid.ts';
import { checkUpstream } from '../../src/federation/protocol/check-upstream.ts';
import { createCappedFetch } from '../../src/federation/protocol/fetch.ts';
import type { Upstream, UpstreamClaims } from '../../src/federation/protocol/upstream.ts';
import { upstreamSpecs } from '../../src/federation/registry.ts';
import { startUpstream, TENANTS, type TestUpstream } from '../support/upstream.ts';
import { get } from './provider.ts';

const [ONE = '', TWO = ''] = TENANTS;
const STRANGER = '33333333-cccc-4ccc-8ccc-333333333333';

describe('an upstream of the configuration', () => {
  let upstream: TestUpstream;
  before(async () => {
    upstream = await startUpstream();
  });
  after(() => upstream.close());

  const CALLBACK = 'http://localhost:3999/callback';
  const outcome = (call: Promise<UpstreamClaims | 'denied'>) =>
    call.then(
      (claims) => (claims === 'denied' ? claims : claims.subject),
      (error: Error) => error.name,
    );

  async function signIn(
    provider: Upstream,
    person: Record<string, unknown>,
    { answer, change }: { answer?: object; change?: (parameters: URLSearchParams) => void } = {},
  ): Promise<UpstreamClaims | 'denied'> {
    upstream.nextPerson(provider.name, person, answer);
    const { url, keep } = await provider.begin({ callback: CALLBACK, state: 's' });
    const { searchParams } = new URL(
      (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? '',
    );
    change?.(searchParams);
    return provider.finish({
      callback: CALLBACK,
      state: 's',
      parameters: searchParams,
      keep,
      now: new Date(),
    });
  }
  const claimsOf = async (...asked: Parameters<typeof signIn>) => {
    const claims = await signIn(...asked);
    if (claims === 'denied') throw new Error('denied');
    return claims;
  };

  it('N16 of each preset signs in by discovery, with the secret in the header or in the form', async () => {
    for (const name of ['keycloak', 'okta', 'entra'] as const) {
      for (const authentication of ['client_secret_basic', 'client_secret_post']) {
        const provider = await get(upstream, name, { authentication });
        expect(await outcome(signIn(provider, { sub: `of-${name}`, name: 'Ana' }))).to.equal(`of-${name}`);
      }
      const wrong = await get(upstream, name, { clientSecret: 'another' });
      expect(await outcome(signIn(wrong, { sub: 'x' }))).to.equal('IdTokenRefused');
    }
  });

  it('N16 speaks for the addresses of its domains alone, and where it has proven them', async () => {
    const said = async (trustsEmail: string[], claims: Record<string, unknown>) => {
      const provider = await get(upstream, 'keycloak', { trustsEmail });
      const { emailVerified, authoritative } = await claimsOf(provider, { name: 'Ana', ...claims });
      return [emailVerified, authoritative];
    };
    const proven = { email: 'ana@Clinic.test', email_verified: true };
    expect(await said(['clinic.TEST'], proven)).to.deep.equal([true, true]);
    expect(await said(['*'], proven)).to.deep.equal([true, true]);
    expect(await said([], proven)).to.deep.equal([false, false]);
    expect(await said(['other.test'], proven)).to.deep.equal([false, false]);
    expect(await said(['clinic.test'], { ...proven, email: 'ana@clinic.test.evil.test' })).to.deep.equal([
      false,
      false,
    ]);
    expect(await said(['clinic.test'], { ...proven, email_verified: undefined })).to.deep.equal([
      false,
      true,
    ]);
    expect(await said(['clinic.test'], { ...proven, email_verified: 'true' })).to.deep.equal([false, true]);
    expect(await said(['clinic.test'], { sub: 'no-address' })).to.deep.equal([false, false]);
  });

  it('N16 takes claims by the names that the configuration says', async () => {
    const claims = { email: 'mail', emailVerified: 'mail_ok', name: 'displayName' };
    const provider = await get(upstream, 'keycloak', { claims });
    const theirs = {
      mail: 'a@gmail.com',
      mail_ok: true,
      displayName: 'Ana Reis',
      name: 7,
      email: 'b@gmail.com',
    };
    expect(await claimsOf(provider, theirs)).to.include({
      ...{ email: 'a@gmail.com', emailVerified: true, name: 'Ana Reis' },
    });
  });

  it('N16 takes neither an address that no email reaches nor a name that people could not enter', async () => {
    const provider = await get(upstream, 'keycloak', { trustsEmail: ['*'] });
    const whole = { email: 'u@gmail.com', email_verified: true, name: ' Uma ' };
    expect(await claimsOf(provider, whole)).to.include({ email: 'u@gmail.com', name: 'Uma' });
    for (const email of [
      'boss@gmail.com, me@evil.test',
      'me@evil.test\r\nBcc: boss@gmail.com',
      'boss@gmail.com\0',
      'boss@gmail.com\ud800',
      `${'a'.repeat(300)}@gmail.com`,
      'boss',
    ]) {
      const { subject, ...said } = await claimsOf(provider, { ...whole, sub: 'odd', email });
      expect(subject).to.equal('odd');
      expect(said, email).to.not.have.property('email');
      expect(said).to.include({ emailVerified: false, authoritative: false, name: 'Uma' });
    }
    for (const name of ['A'.repeat(101), 'Uma\r\nBcc: x', '\ud800'])
      expect(await claimsOf(provider, { ...whole, name }), name).to.not.have.property('name');
  });

  it('N16 leads to nothing that listens here, where its discovery document comes from elsewhere', async () => {
    const issuer = 'https://k.test/realms/a';
    const asked: string[] = [];
    const document = (more: object) => ({
      ...{ issuer, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token` },
      ...{ jwks_uri: `${issuer}/keys`, ...more },
    });
    const begun = async (more: object) => {
      const provider = await get(upstream, 'keycloak', { issuer }, async (input) => {
        asked.push(String(input));
        return Response.json(document(more));
      });
      return provider.begin({ callback: CALLBACK, state: 's' }).then(
        () => 'begun',
        (error: Error) => error.name,
      );
    };
    expect(await begun({})).to.equal('begun');
    for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint'])
      expect(await begun({ [name]: 'http://127.0.0.1:6379/' }), name).to.equal('UpstreamUnavailable');
    expect(asked.every((url) => url === `${issuer}/.well-known/openid-configuration`)).to.equal(true);
  });

  it('N16 upstream check says why there is no answer, and of a secret what the answer says and no more', async () => {
    const { openid: entries } = upstream;
    const { federation } = configSchema.parse({ federation: { openid: { keycloak: entries.keycloak } } });
    const [spec] = await upstreamSpecs({ federation });
    if (spec === undefined) throw new Error('There is no entry.');
    const notFound = new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND k.test') });
    const offline = createCappedFetch(() => Promise.reject(notFound));
    const [first] = await checkUpstream(spec, { fetch: offline, callback: CALLBACK, now: new Date() });
    expect(first?.says).to.match(/does not answer\. fetch failed getaddrinfo ENOTFOUND k\.test$/);
    const secretIs = async (answer: () => Response) => {
      const fetcher: typeof fetch = async (input, init) =>
        String(input).endsWith('/token') ? answer() : fetch(input, init);
      const options = { fetch: createCappedFetch(fetcher), callback: CALLBACK, now: new Date() };
      const findings = await checkUpstream(spec, options);
      return findings.find(({ check }) => check === 'secret')?.state;
    };
    const refusal = (error: string) => () => Response.json({ error }, { status: 400 });
    expect(await secretIs(refusal('invalid_grant'))).to.equal('ok');
    for (const error of ['invalid_client', 'unauthorized_client'])
      expect(await secretIs(refusal(error)), error).to.equal('failed');
    expect(await secretIs(refusal('redirect_uri_mismatch'))).to.equal('warning');
    expect(await secretIs(() => new Response('Not here', { status: 404 }))).to.equal('warning');
    expect(await secretIs(() => new Response('<html>'))).to.equal('warning');
    expect(await secretIs(() => new Response('', { status: 502 }))).to.equal('failed');
  });

  it('N16 asks userinfo for what the ID token lacks, and believes it of the same subject only', async () => {
    const provider = await get(upstream, 'keycloak');
    const whole = { sub: 'u-1', email: 'u@gmail.com', email_verified: true, name: 'Uma' };
    const before = upstream.hits('/userinfo');
    await claimsOf(provider, whole);
    expect(upstream.hits('/userinfo')).to.equal(before);
    expect(await claimsOf(provider, { sub: 'u-1' }, { answer: { userinfo: whole } })).to.include({
      ...{ subject: 'u-1', email: 'u@gmail.com', emailVerified: true, name: 'Uma' },
    });
    const another = { answer: { userinfo: { ...whole, sub: 'u-2' } } };
    expect(await outcome(signIn(provider, { sub: 'u-1' }, another))).to.equal('IdTokenRefused');
    // Names alone keep no one out.
    const addressed = { sub: 'u-1', email: 'u@gmail.com', email_verified: true };
    const nameless = await claimsOf(provider, addressed, another);
    expect(nameless).to.include({ subject: 'u-1', email: 'u@gmail.com', emailVerified: true });
    expect(nameless).not.to.have.property('name');
    // The flag of one address is not believed of another one.
    const named = { sub: 'u-1', email: 'boss@gmail.com' };
    expect(await claimsOf(provider, named, { answer: { userinfo: whole } })).to.include({
      ...{ email: 'boss@gmail.com', emailVerified: false, name: 'Uma' },
    });
  });

  it('N17 refuses the answer that another issuer gave, or that names none where it says that it does (RFC 9207)', async () => {
    const provider = await get(upstream, 'keycloak');
    const told = (iss: string | undefined) =>
      outcome(
        signIn(
          provider,
          { sub: 'k-1', name: 'K' },
          {
            change: (parameters) =>
              iss === undefined ? parameters.delete('iss') : parameters.set('iss', iss),
          },
        ),
      );
    expect(await told(upstream.issuers.keycloak)).to.equal('k-1');
    expect(await told(upstream.issuers.ward)).to.equal('IdTokenRefused');
    expect(await told(undefined)).to.equal('IdTokenRefused');
    // Okta does not say that it does; where it names one, it is its own.
    const okta = await get(upstream, 'okta');
    const beside = { answer: { beside: { iss: upstream.issuers.ward } } };
    expect(await outcome(signIn(okta, { sub: 'o-1' }, beside))).to.equal('IdTokenRefused');
  });

  it('N17 takes no ID token of another entry of its kind, though one key signs for both', async () => {
    const keycloak = await get(upstream, 'keycloak');
    const rules = { audiences: ['portico-at-keycloak', 'portico-at-ward'], maxAge: 600, now: new Date() };
    expect(await outcome(keycloak.verifyIdToken(await upstream.signIdToken('keycloak'), rules))).to.equal(
      'keycloak-person',
    );
    expect(await outcome(keycloak.verifyIdToken(await upstream.signIdToken('ward'), rules))).to.equal(
      'IdTokenRefused',
    );
    const forWard = { iss: upstream.issuers.keycloak, aud: 'portico-at-ward' };
    expect(await outcome(signIn(keycloak, forWard))).to.equal('IdTokenRefused');
  });

  const at = (tenant: string) => upstream.issuers.entra.replace('{tenant}', tenant);

  it('N18 takes the tenants that are allowed, each under its own issuer', async () => {
    for (const tenants of [TENANTS, [ONE]]) {
      const provider = await get(upstream, 'entra', { tenants });
      const from = (iss: string, tid: unknown) =>
        outcome(signIn(provider, { iss, tid, sub: 'e', name: 'E' }));
      const many = tenants.length > 1;
      expect(await from(at(ONE), ONE)).to.equal('e');
      expect(await from(at(TWO), TWO), String(many)).to.equal(many ? 'e' : 'IdTokenRefused');
      expect(await from(at(STRANGER), STRANGER)).to.equal('IdTokenRefused');
      expect(await from(at(ONE), TWO)).to.equal('IdTokenRefused');
      expect(await from(at(ONE), undefined)).to.equal('IdTokenRefused');
      expect(await from(at(ONE), [ONE])).to.equal('IdTokenRefused');
      expect(await from(at('{tenantid}'), '{tenantid}')).to.equal('IdTokenRefused');
      expect(await from(at('organizations'), 'organizations')).to.equal('IdTokenRefused');
    }
    const provider = await get(upstream, 'entra');
    const two = await claimsOf(provider, { iss: at(TWO), tid: TWO, sub: 'e', name: 'E' });
    expect(two.issuer).to.equal(at(TWO));
    expect(provider.issuers).to.deep.equal([at(ONE), at(TWO)]);
  });

  it('N18 takes a key that is one tenant’s for that tenant alone, and asks for personal accounts where they are let in', async () => {
    const provider = await get(upstream, 'entra');
    const from = (tid: string, by: Upstream) =>
      outcome(signIn(by, { iss: at(tid), tid, sub: 'e', name: 'E' }));
    // Its keys are fetched with the first token.
    upstream.signFor(at(TWO));
    expect([await from(ONE, provider), await from(TWO, provider)]).to.deep.equal(['IdTokenRefused', 'e']);
    upstream.signFor(at('{tenantid}'));
    const personal = '9188040d-6c67-4c5b-b112-36a304b66dad';
    const before = upstream.hits('/common/v2.0/.well-known/openid-configuration');
    expect(await from(personal, await get(upstream, 'entra', { tenants: [ONE, personal] }))).to.equal('e');
    expect(upstream.hits('/common/v2.0/.well-known/openid-configuration')).to.equal(before + 1);
  });

  it('N16 discovers below an issuer that ends in a slash, and follows no address that is not https', async () => {
    const issuer = 'https://idp.test/';
    const whole = {
      ...{ issuer, jwks_uri: 'https://idp.test/jwks', token_endpoint: 'https://idp.test/token' },
      authorization_endpoint: 'https://idp.test/authorize',
    };
    for (const [changes, result] of [
      [{}, 'https://idp.test/authorize'],
      [{ issuer: 'https://idp.test' }, 'UpstreamUnavailable'],
      [{ authorization_endpoint: 'javascript:alert(1)//' }, 'UpstreamUnavailable'],
      [{ authorization_endpoint: ['https://idp.test'] }, 'UpstreamUnavailable'],
      [{ token_endpoint: 'http://10.0.0.1/token' }, 'UpstreamUnavailable'],
      [{ userinfo_endpoint: 'file:///etc/passwd' }, 'UpstreamUnavailable'],
    ] as const) {
      const asked: string[] = [];
      const settings = { preset: undefined, title: 'Idp', issuer };
      const provider = await get(upstream, 'okta', settings, async (url) => {
        asked.push(String(url));
        return Response.json({ ...whole, ...changes });
      });
      const begun = await provider.begin({ callback: CALLBACK, state: 's' }).then(
        ({ url }) => url.split('?')[0],
        (error: Error) => error.name,
      );
      expect(begun, JSON.stringify(changes)).to.equal(result);
      expect(asked).to.deep.equal(['https://idp.test/.well-known/openid-configuration']);
    }
  });

  it('N18 believes an address that the tenant’s domain proves, or a trusted domain of the one tenant; never its email alone', async () => {
    const said = async (settings: object, claims: Record<string, unknown>) => {
      const provider = await get(upstream, 'entra', { ...settings });
      const person = { sub: 'e', name: 'E', email: 'ceo@clinic.test', xms_edov: undefined, ...claims };
      const { emailVerified, authoritative } = await claimsOf(provider, person);
      return emailVerified && authoritative ? 'links' : emailVerified ? 'verified' : 'nothing';
    };
    const trusted = { trustsEmail: ['clinic.test'] };
    const alone = { tenants: [ONE] };
    expect(await said(alone, {})).to.equal('nothing');
    expect(await said(alone, { email_verified: true })).to.equal('nothing');
    expect(await said(alone, { xms_edov: true })).to.equal('verified');
    expect(await said({ ...alone, ...trusted }, {})).to.equal('links');
    expect(await said({ ...alone, ...trusted }, { email: 'ceo@other.test' })).to.equal('nothing');
    // Of several tenants, one must not speak for the domain of another.
    expect(await said(trusted, {})).to.equal('nothing');
    expect(await said(trusted, { xms_edov: true })).to.equal('links');
    // Entra says it as a text now and then.
    for (const xms_edov of ['1', 'true']) expect(await said(trusted, { xms_edov })).to.equal('links');
    for (const xms_edov of ['0', 'yes', ['1'], 0])
      expect(await said(trusted, { xms_edov })).to.equal('nothing');
  });

  it('N16 is refused at the start where an entry is incomplete or cannot be safe', () => {
    const keycloak = {
      ...{ preset: 'keycloak', issuer: 'https://k.test/realms/a', clientId: 'c' },
    };
    const entra = { preset: 'entra', clientId: 'c', tenants: [ONE] };
    const issues = (name: string, entry: object) => {
      const parsed = openid.settings.safeParse({ [name]: entry });
      return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.slice(1).join('.') || name);
    };
    expect(issues('clinic', keycloak)).to.deep.equal([]);
    expect(issues('entra', entra)).to.deep.equal([]);
    const upn = { trustsEmail: ['bücher.test'], claims: { email: 'upn' } };
    expect(issues('entra', { ...entra, ...upn })).to.deep.equal([]);
    for (const [entry, at] of [
      [{ ...keycloak, issuer: undefined }, 'issuer'],
      [{ ...keycloak, issuer: 'https://k.test' }, 'issuer'],
      [{ ...keycloak, issuer: 'http://k.test/realms/a' }, 'issuer'],
      [{ ...keycloak, preset: undefined, title: 'K', issuer: 'https://k.test/realms/a ' }, 'issuer'],
      [{ ...keycloak, preset: undefined, title: 'K', issuer: 'https://u:p@k.test' }, 'issuer'],
      [{ ...keycloak, preset: undefined, title: 'K', issuer: 'https://k.test#x' }, 'issuer'],
      [{ ...keycloak, preset: undefined }, 'title'],
      [{ ...keycloak, clientId: undefined }, 'clientId'],
      [{ ...keycloak, scopes: ['email'] }, 'scopes'],
      [{ ...keycloak, tenants: [ONE] }, 'tenants'],
      [{ ...keycloak, trustsEmail: ['a@b.test'] }, 'trustsEmail.0'],
      [{ ...keycloak, trustsEmail: ['*.clinic.test'] }, 'trustsEmail.0'],
      [{ ...keycloak, domains: ['https://clinic.test'] }, 'domains.0'],
      // The person chooses the username, and email_verified is about another address.
      [{ ...keycloak, trustsEmail: ['b.test'], claims: { email: 'preferred_username' } }, 'claims'],
      [
        { ...entra, tenants: TENANTS, trustsEmail: ['b.test'], claims: { email: 'preferred_username' } },
        'claims',
      ],
      [{ ...keycloak, claims: { subject: 'email' } }, 'claims'],
      [{ ...keycloak, logo: '<svg viewBox="0 0 24 24"><script>1</script></svg>' }, 'logo'],
      [{ ...keycloak, clientSecretExpires: 'soon' }, 'clientSecretExpires'],
      [{ ...keycloak, privateKey: 'no key' }, 'privateKey'],
      [{ ...entra, tenants: [] }, 'tenants'],
      [{ ...entra, tenants: ['contoso.com'] }, 'tenants.0'],
      [{ ...entra, trustsEmail: ['*'] }, 'trustsEmail'],
      [{ ...entra, issuer: 'https://login.microsoftonline.com/common/v2.0' }, 'issuer'],
      [{ ...entra, preset: undefined, title: 'E', issuer: 'https://e.test/{tenant}' }, 'issuer'],
    ] as const) {
      expect(issues('clinic', entry), JSON.stringify(entry)).to.deep.equal([at]);
    }
    for (const name of ['google', 'password', 'passkey', 'openid', 'A', '../x', '1a', 'a'.repeat(33)])
      expect(issues(name, keycloak), name).to.deep.equal([name]);
  });

  it('N16 has a drawing of shapes on its button, or a letter', async () => {
    const logoOf = async (changes: object) => (await get(upstream, 'keycloak', { ...changes })).logo;
    const open = '<svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">';
    expect(await logoOf({ title: '“Ärzte” & <b>' })).to.match(/^<svg [^>]*>.*>Ä<\/text><\/svg>$/);
    const long = `<path d="${'M1 1h2z'.repeat(1000)}"/>`;
    const shapes = '<circle cx="3" cy="3" r="2"></circle><line x1="1" y1="2" x2="3" y2="4"/>';
    const drawing = `<g fill="#0a0">${long}${shapes}</g>`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload="x()" viewBox="0 0 24 24">\n ${drawing}\n</svg>\n`;
    expect(await logoOf({ logo: svg })).to.equal(`${open}${drawing}</svg>`);
    for (const inner of [
      '<script>1</script>',
      '<script/>',
      '<style></style>',
      '<foreignObject/>',
      '<path d="M1" onclick="x()"/>',
      '<path d="M1" style="x"/>',
      '<path fill="url(https://evil.test)"/>',
      '<image href="https://evil.test/x.png"/>',
      '<a href="javascript:x()"><path d="M1"/></a>',
      '<use href="#x"/>',
      '<foreignObject><b>x</b></foreignObject>',
      '<g><path d="M1"/>',
      '<path d="M1"/></g>',
      'text',
      '<!-- x --><path d="M1"/>',
      '<path d="M1"/></svg><script>1</script><svg viewBox="0 0 24 24">',
      `<path d="${'M'.repeat(9000)}"/>`,
    ]) {
      const given = { logo: `<svg viewBox="0 0 24 24">${inner}</svg>` };
      const refused = await logoOf(given).catch((error: Error) => error.name);
      expect(refused, inner.slice(0, 60)).to.equal('ZodError');
    }
  });
});
