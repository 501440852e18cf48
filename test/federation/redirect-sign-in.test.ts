import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { configSchema } from '../../src/config/schema.ts';
import {
  IdTokenRefused,
  type Upstream,
  type UpstreamClaims,
  UpstreamUnavailable,
} from '../../src/federation/protocol/upstream.ts';
import { createUpstreams } from '../../src/federation/registry.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

import { get, log } from './provider.ts';

describe('a redirect sign-in', () => {
  let upstream: TestUpstream;
  before(async () => {
    upstream = await startUpstream();
  });
  after(() => upstream.close());
  beforeEach(() => upstream.setDown(false));

  const CALLBACK = 'http://localhost:3999/upstream/callback';

  /** Goes to the upstream and comes back as the browser would. */
  async function goAndReturn(provider: Upstream, person?: Record<string, unknown>) {
    if (person !== undefined) upstream.nextPerson(provider.name, person);
    const { url, keep } = await provider.begin({ callback: CALLBACK, state: 'state-1' });
    const response = await fetch(url, { redirect: 'manual' });
    const location = response.headers.get('location');
    const parameters = location === null ? formFields(await response.text()) : new URL(location).searchParams;
    return { asked: new URL(url), keep, parameters };
  }
  const finish = (
    provider: Upstream,
    answer: { keep: Record<string, never> | object; parameters: URLSearchParams },
    state = 'state-1',
  ) =>
    provider.finish({
      callback: CALLBACK,
      state,
      now: new Date(),
      parameters: answer.parameters,
      keep: answer.keep as Record<string, string>,
    });
  const outcome = (call: Promise<UpstreamClaims | 'denied'>) =>
    call.then(
      (claims) => (claims === 'denied' ? 'denied' : claims.subject),
      (error: unknown) => {
        if (error instanceof IdTokenRefused || error instanceof UpstreamUnavailable) return error.name;
        throw error;
      },
    );

  for (const name of ['google', 'apple'] as const) {
    it(`F6 with ${name} uses the code flow with PKCE, state and nonce, and ends with who came`, async () => {
      const provider = await get(upstream, name);
      expect(provider.redirects).to.equal(true);
      upstream.nextPerson(name, { sub: 'p-1', email: 'p@gmail.com', email_verified: true });
      const answer = await goAndReturn(provider);
      const asked = Object.fromEntries(answer.asked.searchParams);
      expect(asked).to.include({
        response_type: 'code',
        state: 'state-1',
        redirect_uri: CALLBACK,
        code_challenge_method: 'S256',
      });
      expect(asked.code_challenge).to.equal(
        createHash('sha256').update(String(answer.keep.verifier)).digest('base64url'),
      );
      expect(asked.nonce).to.equal(answer.keep.nonce);
      expect(asked.scope).to.contain('openid').and.to.contain('email');
      expect(await outcome(finish(provider, answer))).to.equal('p-1');
    });
  }

  it('CL12 with Google and Apple asks no discovery document: it may name another issuer', async () => {
    const places = {
      google: ['https://accounts.google.com/o/oauth2/v2/auth', 'https://oauth2.googleapis.com/token'],
      apple: ['https://appleid.apple.com/auth/authorize', 'https://appleid.apple.com/auth/token'],
    };
    const keys = {
      google: 'https://www.googleapis.com/oauth2/v3/certs',
      apple: 'https://appleid.apple.com/auth/keys',
    };
    for (const name of ['google', 'apple'] as const) {
      const issuer = new URL(places[name][0] ?? '').origin;
      const [authorizationEndpoint = '', tokenEndpoint = ''] = places[name];
      const asked: string[] = [];
      // The provider of the tests answers at the documented places.
      const routes: Record<string, string> = { [tokenEndpoint]: 'token', [keys[name]]: 'jwks' };
      const provider = await get(upstream, name, { issuer }, (url, init) => {
        asked.push(String(url));
        return fetch(`${upstream.issuers[name]}/${routes[String(url)] ?? 'nowhere'}`, init);
      });
      upstream.nextPerson(name, { iss: issuer, sub: 'p-1' });
      const { url, keep } = await provider.begin({ callback: CALLBACK, state: 'state-1' });
      expect(url.split('?')[0]).to.equal(authorizationEndpoint);
      const response = await fetch(
        url.replace(authorizationEndpoint, `${upstream.issuers[name]}/authorize`),
        {
          redirect: 'manual',
        },
      );
      const location = response.headers.get('location');
      const parameters =
        location === null ? formFields(await response.text()) : new URL(location).searchParams;
      parameters.delete('iss');
      expect(await outcome(finish(provider, { keep, parameters })), name).to.equal('p-1');
      expect(asked).to.deep.equal([tokenEndpoint, keys[name]]);
    }
  });

  it('CL12 pins issuer, keys and endpoints apart; what is not pinned comes from discovery, of that issuer alone', async () => {
    const at = upstream.issuers.google;
    const issuer = 'https://renamed.test';
    const pinned = {
      authorizationEndpoint: `${at}/authorize`,
      tokenEndpoint: `${at}/token`,
      jwksUri: `${at}/jwks`,
    };
    const idToken = await upstream.signIdToken('google', { iss: issuer });
    const rules = { audiences: [upstream.clients.google.clientId], maxAge: 600, now: new Date() };
    // Of an issuer over https, discovery names addresses over https alone.
    const discovered = `${issuer}/jwks`;
    const discoveryOf = (named: string) => async (url: Parameters<typeof fetch>[0], init?: RequestInit) =>
      String(url).endsWith('/openid-configuration')
        ? Response.json({ issuer: named, jwks_uri: discovered })
        : fetch(String(url) === discovered ? pinned.jwksUri : url, init);
    for (const [settings, named, result] of [
      [{ issuer, ...pinned }, 'https://evil.test', 'accepted'],
      [{ issuer, jwksUri: pinned.jwksUri }, 'https://evil.test', 'accepted'],
      [{ issuer }, issuer, 'accepted'],
      [{ issuer }, 'https://evil.test', 'UpstreamUnavailable'],
      [{ issuer: 'https://other.test', ...pinned }, 'https://other.test', 'IdTokenRefused'],
    ] as const) {
      const provider = await get(upstream, 'google', settings, discoveryOf(named));
      const verified = await provider.verifyIdToken(idToken, rules).then(
        () => 'accepted',
        (error: Error) => error.name,
      );
      expect(verified, JSON.stringify([settings, named])).to.equal(result);
    }
  });

  it('F6 fails with another state, another verifier, another nonce, or a code that was used', async () => {
    const provider = await get(upstream, 'google');
    const answer = await goAndReturn(provider, { sub: 'p-1' });
    expect(await outcome(finish(provider, answer, 'state-2'))).to.equal('IdTokenRefused');
    const swapped = await goAndReturn(provider, { sub: 'p-1' });
    expect(
      await outcome(finish(provider, { ...swapped, keep: { ...swapped.keep, verifier: 'v'.repeat(43) } })),
    ).to.equal('IdTokenRefused');
    const replayed = await goAndReturn(provider, { sub: 'p-1' });
    expect(await outcome(finish(provider, { ...replayed, keep: { ...replayed.keep, nonce: 'n' } }))).to.equal(
      'IdTokenRefused',
    );
    const bare = await goAndReturn(provider, { sub: 'p-1' });
    expect(await outcome(finish(provider, { ...bare, keep: {} }))).to.equal('IdTokenRefused');
    const once = await goAndReturn(provider, { sub: 'p-1' });
    expect(await outcome(finish(provider, once))).to.equal('p-1');
    expect(await outcome(finish(provider, once))).to.equal('IdTokenRefused');
  });

  it('ends with "denied" when the person says no', async () => {
    const provider = await get(upstream, 'google');
    upstream.nextPerson('google', 'denied');
    expect(await outcome(finish(provider, await goAndReturn(provider)))).to.equal('denied');
  });

  it('F8 says that the upstream is down', async () => {
    const provider = await get(upstream, 'google');
    upstream.nextPerson('google', { sub: 'p-1' });
    const answer = await goAndReturn(provider);
    upstream.setDown(true);
    expect(await outcome(finish(provider, answer))).to.equal('UpstreamUnavailable');
    const fresh = await get(upstream, 'google');
    expect(
      await fresh.begin({ callback: CALLBACK, state: 's' }).catch((error: unknown) => error),
    ).to.be.instanceOf(UpstreamUnavailable);
  });

  it('F2 takes the names that Apple sends beside the token, and nothing else from there', async () => {
    const provider = await get(upstream, 'apple');
    upstream.nextPerson('apple', { sub: 'p-2', email: 'p@x.test', email_verified: 'true' });
    const answer = await goAndReturn(provider);
    answer.parameters.set(
      'user',
      JSON.stringify({ name: { firstName: ' Ana ', lastName: 'Reis' }, email: 'evil@x.test' }),
    );
    const claims = await finish(provider, answer);
    expect(claims).to.include({ givenName: 'Ana', familyName: 'Reis', name: 'Ana Reis', email: 'p@x.test' });
    for (const user of ['{', '[]', '{"name":{"firstName":{"$ne":1}}}', 'null', 'x'.repeat(5000)]) {
      const again = await goAndReturn(provider, { sub: 'p-2' });
      again.parameters.set('user', user);
      expect(await outcome(finish(provider, again))).to.equal('p-2');
    }
  });

  it('F2 signs Apple’s client secret with the .p8 key, for five minutes', async () => {
    let secret = '';
    const provider = await get(upstream, 'apple', {}, (url, init) => {
      secret ||= new URLSearchParams(String(init?.body ?? '')).get('client_secret') ?? '';
      return fetch(url, init);
    });
    upstream.nextPerson('apple', { sub: 'p-3' });
    await finish(provider, await goAndReturn(provider));
    const claims = decodeJwt(secret);
    expect(claims).to.include({ iss: 'TEAM000001', sub: 'portico-at-apple', aud: upstream.issuers.apple });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).to.equal(300);
  });

  it('is off where only audiences are configured, and an upstream that is off is not there', async () => {
    const provider = await get(upstream, 'google', { clientId: undefined, clientSecret: undefined });
    expect(provider.redirects).to.equal(false);
    expect(
      await provider.begin({ callback: CALLBACK, state: 's' }).catch((error: unknown) => error),
    ).to.be.instanceOf(UpstreamUnavailable);
    const { federation } = configSchema.parse({});
    expect((await createUpstreams({ config: { federation }, log })).size).to.equal(0);
  });
});

function formFields(html: string): URLSearchParams {
  const fields = [...html.matchAll(/<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"/g)];
  return new URLSearchParams(fields.map(([, name = '', value = '']): [string, string] => [name, value]));
}
