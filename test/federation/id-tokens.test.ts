import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { decodeJwt, exportSPKI, generateKeyPair, importJWK, SignJWT } from 'jose';
import type { Upstream } from '../../src/federation/protocol/upstream.ts';
import { inTime } from '../support/in-time.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

import { get } from './provider.ts';

const NOW = () => new Date();
const seconds = () => Math.floor(Date.now() / 1000);
const MAX_AGE = 600;

describe('ID tokens of an upstream', () => {
  let upstream: TestUpstream;
  let google: Upstream;
  let apple: Upstream;
  before(async () => {
    upstream = await startUpstream();
  });
  after(() => upstream.close());
  beforeEach(async () => {
    upstream.setDown(false);
    google = await get(upstream, 'google');
    apple = await get(upstream, 'apple');
  });

  const verify = (idToken: string, provider = google, now = NOW()) =>
    provider.verifyIdToken(idToken, {
      audiences: ['portico-at-google', 'portico-at-apple'],
      maxAge: MAX_AGE,
      now,
    });
  const outcome = (call: Promise<unknown>) =>
    call.then(
      () => 'accepted',
      (error: unknown) => (error instanceof Error ? error.name : String(error)),
    );

  it('F1 are accepted with what they say', async () => {
    const claims = await verify(
      await upstream.signIdToken('google', {
        sub: 'g-1',
        email: 'ana@clinic.test',
        email_verified: true,
        name: 'Ana',
        hd: 'clinic.test',
      }),
    );
    expect(claims).to.deep.include({
      provider: 'google',
      issuer: upstream.issuers.google,
      subject: 'g-1',
      email: 'ana@clinic.test',
      emailVerified: true,
      authoritative: true,
      name: 'Ana',
    });
    expect(claims).not.to.have.property('payload');
  });

  const wrong: Record<string, () => Record<string, unknown>> = {
    'another issuer': () => ({ iss: 'https://evil.test' }),
    'no issuer': () => ({ iss: undefined }),
    'Google’s own issuer where another is configured': () => ({ iss: 'https://accounts.google.com' }),
    'another audience': () => ({ aud: 'someone-else' }),
    'no audience': () => ({ aud: undefined }),
    'two audiences, ours among them': () => ({ aud: ['portico-at-google', 'someone-else'] }),
    'an empty list of audiences': () => ({ aud: [] }),
    'an end that is past': () => ({ exp: seconds() - 61 }),
    'no end': () => ({ exp: undefined }),
    'an end that is no number': () => ({ exp: 'tomorrow' }),
    'a birth too long ago': () => ({ iat: seconds() - MAX_AGE - 62 }),
    'a birth ahead': () => ({ iat: seconds() + 62 }),
    'no birth': () => ({ iat: undefined }),
    'not yet valid': () => ({ nbf: seconds() + 90 }),
    'no subject': () => ({ sub: undefined }),
    'an empty subject': () => ({ sub: '' }),
    'a subject that is no text': () => ({ sub: 42 }),
    'a subject that is endless': () => ({ sub: 'x'.repeat(256) }),
    'an address that is no text': () => ({ email: { $ne: null } }),
  };
  for (const [what, claims] of Object.entries(wrong)) {
    it(`F1 F2 with ${what} are refused`, async () => {
      expect(await outcome(verify(await upstream.signIdToken('google', claims())))).to.equal(
        'IdTokenRefused',
      );
      const forApple = await upstream.signIdToken('apple', claims());
      expect(await outcome(verify(forApple, apple))).to.equal('IdTokenRefused');
    });
  }

  it('F1 F2 of a sign-in that we began need its nonce', async () => {
    for (const provider of [google, apple]) {
      const rules = { audiences: ['portico-at-google', 'portico-at-apple'], maxAge: MAX_AGE, now: NOW() };
      const judged = async (claims: Record<string, unknown>) => {
        const idToken = await upstream.signIdToken(provider === google ? 'google' : 'apple', claims);
        const began = { ...rules, nonce: 'of-this-sign-in' };
        return outcome(provider.verifyIdToken(idToken, began));
      };
      expect(await judged({ nonce: 'of-this-sign-in' })).to.equal('accepted');
      for (const nonce of [undefined, '', 'of-another-sign-in', ['of-this-sign-in']]) {
        expect(await judged({ nonce }), String(nonce)).to.equal('IdTokenRefused');
      }
    }
  });

  it('F1 within a minute of clock difference, and with an array of one audience, are accepted', async () => {
    for (const claims of [
      { exp: seconds() - 50 },
      { iat: seconds() + 50 },
      { iat: seconds() - MAX_AGE - 50 },
      { aud: ['portico-at-google'] },
    ]) {
      expect(await outcome(verify(await upstream.signIdToken('google', claims)))).to.equal('accepted');
    }
  });

  it('T1 unsigned, signed with the public key as a secret, by another key, or tampered with, are refused', async () => {
    const good = await upstream.signIdToken('google');
    const [head = '', body = '', signature = ''] = good.split('.');
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const jwks = (await (await fetch(`${upstream.issuers.google}/jwks`)).json()) as {
      keys: Parameters<typeof importJWK>[0][];
    };
    const published = await importJWK({ ...jwks.keys[0], ext: true }, 'RS256');
    if (published instanceof Uint8Array) throw new Error('not a public key');
    const asSecret = new TextEncoder().encode(await exportSPKI(published));
    const { privateKey: stranger } = await generateKeyPair('RS256');
    const hostile = [
      `${encode({ alg: 'none' })}.${body}.`,
      `${encode({ alg: 'None', typ: 'JWT' })}.${body}.${signature}`,
      await upstream.signIdToken('google', {}, { header: { alg: 'HS256' }, key: asSecret }),
      await upstream.signIdToken('google', {}, { key: stranger }),
      `${head}.${encode({ ...decodeJwt(good), sub: 'admin' })}.${signature}`,
      `${head}.${body}.${signature.slice(0, -4)}AAAA`,
      `${head}.${body}`,
      '',
      'x'.repeat(8000),
      '..',
    ];
    for (const idToken of hostile)
      expect(await outcome(verify(idToken)), idToken.slice(0, 60)).to.equal('IdTokenRefused');
  });

  it('T2 that bring their own key, or say where to fetch one, are refused and nothing is fetched', async () => {
    const hits: string[] = [];
    const trap = await listen((path) => void hits.push(path));
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await crypto.subtle.exportKey('jwk', publicKey);
    for (const header of [
      { jwk: { kty: jwk.kty ?? '', n: jwk.n ?? '', e: jwk.e ?? '' } },
      { jku: `${trap.url}/jwks` },
      { x5u: `${trap.url}/cert` },
      { kid: `${trap.url}/key` },
      { kid: '../../../dev/null' },
    ]) {
      const idToken = await upstream.signIdToken('google', {}, { header, key: privateKey });
      expect(await outcome(verify(idToken))).to.equal('IdTokenRefused');
    }
    expect(hits).to.deep.equal([]);
    await trap.close();
  });

  it('T3 logout tokens and access tokens of the upstream are refused', async () => {
    for (const typ of ['logout+jwt', 'at+jwt']) {
      expect(await outcome(verify(await upstream.signIdToken('google', {}, { header: { typ } })))).to.equal(
        'IdTokenRefused',
      );
    }
    expect(
      await outcome(verify(await upstream.signIdToken('google', {}, { header: { typ: 'JWT' } }))),
    ).to.equal('accepted');
  });

  it('F6 of one upstream are refused for another', async () => {
    expect(await outcome(verify(await upstream.signIdToken('apple'), google))).to.equal('IdTokenRefused');
    expect(await outcome(verify(await upstream.signIdToken('google'), apple))).to.equal('IdTokenRefused');
  });

  it('F2 Apple’s email_verified may be a text, and Apple speaks for every address', async () => {
    const said = async (value: unknown) =>
      (
        await verify(
          await upstream.signIdToken('apple', { email: 'a@privaterelay.appleid.com', email_verified: value }),
          apple,
        )
      ).emailVerified;
    expect([
      await said('true'),
      await said(true),
      await said('false'),
      await said(false),
      await said(1),
      await said(undefined),
    ]).to.deep.equal([true, true, false, false, false, false]);
    expect(
      (await verify(await upstream.signIdToken('apple', { email: 'a@corp.test' }), apple)).authoritative,
    ).to.equal(true);
  });

  it('F2 a text for email_verified proves nothing when it is not Apple’s', async () => {
    const said = async (value: unknown) =>
      (await verify(await upstream.signIdToken('google', { email: 'a@gmail.com', email_verified: value })))
        .emailVerified;
    expect([await said(true), await said('true'), await said(1)]).to.deep.equal([true, false, false]);
  });

  it('F4 Google speaks for gmail.com, googlemail.com and the domains that it hosts', async () => {
    const speaks = async (claims: Record<string, unknown>) =>
      (await verify(await upstream.signIdToken('google', claims))).authoritative;
    expect(await speaks({ email: 'a@gmail.com' })).to.equal(true);
    expect(await speaks({ email: 'a@GoogleMail.com' })).to.equal(true);
    expect(await speaks({ email: 'a@clinic.test', hd: 'Clinic.test' })).to.equal(true);
    expect(await speaks({ email: 'a@clinic.test' })).to.equal(false);
    expect(await speaks({ email: 'a@clinic.test', hd: 'other.test' })).to.equal(false);
    expect(await speaks({ email: 'a@gmail.com.evil.test' })).to.equal(false);
    expect(await speaks({ hd: '' })).to.equal(false);
  });

  it('are the same token when header and payload are, and are kept in mind until they are too old', async () => {
    const iat = seconds();
    const first = await verify(await upstream.signIdToken('google', { iat }));
    const again = await verify(await upstream.signIdToken('google', { iat }));
    const other = await verify(await upstream.signIdToken('google', { iat, jti: 'x' }));
    expect(again.fingerprint).to.equal(first.fingerprint);
    expect(other.fingerprint).not.to.equal(first.fingerprint);
    expect(first.staleAt).to.equal(iat + MAX_AGE + 60);
    expect((await verify(await upstream.signIdToken('google', { iat, exp: iat + 30 }))).staleAt).to.equal(
      iat + 90,
    );
  });

  it('F8 of a new key are accepted after one fetch; unknown keys cause at most one a minute', async () => {
    await verify(await upstream.signIdToken('google'));
    const before = upstream.hits('/google/jwks');
    const later = (minutes: number) => new Date(Date.now() + minutes * 60_000);
    const unknown = () =>
      upstream.signIdToken(
        'google',
        { iat: seconds() + 60, exp: seconds() + 3600 },
        { header: { kid: 'made-up' } },
      );
    for (let i = 0; i < 10; i += 1)
      expect(await outcome(verify(await unknown(), google, later(0)))).to.equal('IdTokenRefused');
    expect(upstream.hits('/google/jwks')).to.equal(before);
    for (let i = 0; i < 10; i += 1)
      expect(await outcome(verify(await unknown(), google, later(1.5)))).to.equal('IdTokenRefused');
    expect(upstream.hits('/google/jwks')).to.equal(before + 1);
    await upstream.rotate('google');
    const fresh = await upstream.signIdToken('google', { iat: seconds() + 60 });
    expect(await outcome(verify(fresh, google, later(3)))).to.equal('accepted');
    expect(upstream.hits('/google/jwks')).to.equal(before + 2);
  });

  it('F8 need an upstream that answers, but only at first', async () => {
    upstream.setDown(true);
    const idToken = await upstream.signIdToken('google');
    expect(await outcome(verify(idToken))).to.equal('UpstreamUnavailable');
    upstream.setDown(false);
    expect(await outcome(verify(idToken))).to.equal('accepted');
    upstream.setDown(true);
    const later = new Date(Date.now() + 2 * 3600_000);
    const old = await upstream.signIdToken('google', { iat: seconds() + 7200, exp: seconds() + 9000 });
    expect(await outcome(verify(old, google, later))).to.equal('accepted');
    const unknown = await upstream.signIdToken('google', {}, { header: { kid: 'made-up' } });
    expect(await outcome(verify(unknown, google, later))).to.equal('IdTokenRefused');
  });

  it('fetch the keys once for many at the same time', async () => {
    const before = upstream.hits('/google/jwks');
    const idToken = await upstream.signIdToken('google');
    await Promise.all(Array.from({ length: 20 }, () => verify(idToken)));
    expect(upstream.hits('/google/jwks')).to.equal(before + 1);
  });

  it('of the real Google may name it without the scheme', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'k1' };
    const answers: Record<string, unknown> = {
      'https://accounts.google.com/.well-known/openid-configuration': {
        issuer: 'https://accounts.google.com',
        jwks_uri: 'https://www.googleapis.com/oauth2/v3/certs',
      },
      'https://www.googleapis.com/oauth2/v3/certs': { keys: [jwk] },
    };
    const real = await get(upstream, 'google', { issuer: 'https://accounts.google.com' }, async (url) =>
      Response.json(answers[String(url)]),
    );
    for (const iss of ['https://accounts.google.com', 'accounts.google.com']) {
      const token = await new SignJWT({
        iss,
        aud: 'portico-at-google',
        sub: '1',
        iat: seconds(),
        exp: seconds() + 60,
      })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .sign(privateKey);
      expect((await verify(token, real)).issuer).to.equal('https://accounts.google.com');
    }
    const plain = await new SignJWT({
      iss: 'http://accounts.google.com',
      aud: 'portico-at-google',
      sub: '1',
      iat: seconds(),
      exp: seconds() + 60,
    })
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .sign(privateKey);
    expect(await outcome(verify(plain, real))).to.equal('IdTokenRefused');
  });

  it('P13 are never judged with keys from elsewhere: other issuer, redirect, endless answer, plain http', async () => {
    const issuer = 'https://idp.test';
    const documents: Record<string, () => Response> = {
      'another issuer': () => Response.json({ issuer: 'https://evil.test', jwks_uri: `${issuer}/jwks` }),
      'a redirect': () =>
        new Response(null, { status: 302, headers: { location: 'http://169.254.169.254/' } }),
      'plain http': () => Response.json({ issuer, jwks_uri: 'http://10.0.0.1/jwks' }),
      'too much': () => Response.json({ issuer, jwks_uri: `${issuer}/jwks`, more: 'x'.repeat(600_000) }),
      'no JSON': () => new Response('<html>'),
      nothing: () => new Response(null, { status: 204 }),
    };
    const idToken = await upstream.signIdToken('google', { iss: issuer });
    for (const [what, document] of Object.entries(documents)) {
      const asked: string[] = [];
      const provider = await get(upstream, 'google', { issuer }, async (url) => {
        asked.push(String(url));
        return document();
      });
      expect(await outcome(verify(idToken, provider)), what).to.equal('UpstreamUnavailable');
      expect(asked).to.deep.equal([`${issuer}/.well-known/openid-configuration`]);
    }
  });

  it('F8 an upstream that hangs is given up after five seconds', async () => {
    const token = await upstream.signIdToken('google');
    await inTime(async (watch) => {
      const hanging = await get(
        upstream,
        'google',
        {},
        (_, init) =>
          new Promise((_resolve, reject) =>
            init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
          ),
      );
      const started = performance.now();
      expect(await outcome(verify(token, hanging))).to.equal('UpstreamUnavailable');
      const took = performance.now() - started;
      expect(took).to.be.above(4500);
      watch.within('giving up', took, 7000);
    });
  });
});

async function listen(onRequest: (path: string) => void): Promise<{ url: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    onRequest(request.url ?? '');
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
