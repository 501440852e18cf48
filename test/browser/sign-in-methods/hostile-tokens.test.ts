/** An upstream whose ID tokens have one thing wrong each: none of them signs anybody in. */
import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { generateKeyPair, type JWTPayload } from 'jose';
import type { AnswerOptions, ProviderName } from '../../support/upstream.ts';
import { alertOf, type Channel, headingOf, MARA, openChannel } from './sign-in-server.ts';

const now = () => Math.floor(Date.now() / 1000);
const other = generateKeyPair('RS256', { extractable: true });

interface Hostile {
  readonly what: string;
  readonly claims?: (provider: ProviderName) => JWTPayload & Record<string, unknown>;
  readonly answer?: () => Promise<AnswerOptions> | AnswerOptions;
}

const TOKENS: readonly Hostile[] = [
  { what: 'another iss', claims: () => ({ iss: 'https://accounts.evil.test' }) },
  { what: 'an iss with a slash more', claims: (name) => ({ iss: `ISSUER-OF-${name}/` }) },
  { what: 'another aud', claims: () => ({ aud: 'somebody-else' }) },
  { what: 'two aud', claims: (name) => ({ aud: [`portico-at-${name}`, 'somebody-else'] }) },
  { what: 'no aud', claims: () => ({ aud: undefined }) as unknown as JWTPayload },
  { what: 'an exp that has passed', claims: () => ({ iat: now() - 500, exp: now() - 120 }) },
  { what: 'no exp', claims: () => ({ exp: undefined }) as unknown as JWTPayload },
  { what: 'an iat of last week', claims: () => ({ iat: now() - 7 * 24 * 3600 }) },
  { what: 'an iat to come', claims: () => ({ iat: now() + 600 }) },
  { what: 'an nbf to come', claims: () => ({ nbf: now() + 600 }) },
  { what: 'another nonce', claims: () => ({ nonce: 'n-of-somebody-else' }) },
  { what: 'no nonce', claims: () => ({ nonce: undefined }) },
  { what: 'no sub', claims: () => ({ sub: undefined }) as unknown as JWTPayload },
  { what: 'a sub that is a number', claims: () => ({ sub: 7 }) as unknown as JWTPayload },
  { what: 'an email that is a list', claims: () => ({ email: ['a@gmail.com'] }) },
  {
    what: 'a signature by another key',
    answer: async () => ({ sign: { key: (await other).privateKey } }),
  },
  { what: 'a kid that nobody knows', answer: () => ({ sign: { header: { kid: 'made-up' } } }) },
  { what: 'the typ of a logout token', answer: () => ({ sign: { header: { typ: 'logout+jwt' } } }) },
  {
    what: 'no signature (alg none)',
    answer: () => ({
      tampered: (token) => `${encoded({ alg: 'none' })}.${token.split('.')[1]}.`,
    }),
  },
  {
    what: 'an HMAC with the public key',
    answer: () => ({
      tampered: (token) => {
        const text = `${encoded({ alg: 'HS256' })}.${token.split('.')[1]}`;
        return `${text}.${createHmac('sha256', 'public-key').update(text).digest('base64url')}`;
      },
    }),
  },
  {
    what: 'claims that were changed after signing',
    answer: () => ({
      tampered: (token) => {
        const [head, body = '', signature] = token.split('.');
        const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
        return `${head}.${encoded({ ...claims, sub: 'the-boss' })}.${signature}`;
      },
    }),
  },
];

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('a hostile upstream', () => {
  let channel: Channel;
  before(async () => {
    channel = await openChannel({ federation: ({ everyone }) => everyone });
    const { organizations } = channel.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, registration: true });
  });
  after(() => channel.close());

  for (const [provider, id] of [
    ['google', 'F1'],
    ['apple', 'F2'],
    ['keycloak', 'N16'],
    ['entra', 'N16'],
  ] as const) {
    for (const { what, claims, answer } of TOKENS) {
      it(`${id} T1 an ID token of ${provider} with ${what} signs nobody in`, async () => {
        const { issuers } = channel.server.upstream;
        const wrong = claims?.(provider) ?? {};
        if (wrong.iss?.startsWith('ISSUER')) wrong.iss = `${issuers[provider]}/`;
        // Everything else about it would lead into Mara's account.
        const person = { sub: 'boss', email: 'boss@gmail.com', email_verified: true, ...wrong };
        const visit = await channel.begin();
        await visit.with(provider, person, await answer?.());
        expect(visit.page.status).to.equal(400);
        expect(alertOf(visit.page)).to.contain('could not sign you in');
        expect(await channel.account('boss@gmail.com')).to.equal(undefined);
        const after = await channel.begin({}, visit.session);
        expect(headingOf(after.page)).to.equal('Sign in');
        await visit.press('/sign-in', MARA);
        expect(visit.at).to.be.a('string');
      });
    }

    it(`${id} the same token with nothing wrong does sign in`, async () => {
      const person = { sub: `${provider}-good`, email: `${provider}.good@gmail.com`, email_verified: true };
      expect((await (await channel.begin()).with(provider, person)).at).to.be.a('string');
    });
  }
});
