/** Sign in with Apple. https://developer.apple.com/documentation/signinwithapple/verifying-a-user */
import { importPKCS8, SignJWT } from 'jose';
import type { z } from 'zod';
import { key, text } from '../../config/kinds.ts';
import { takeLine } from '../../core/text.ts';
import { defineSettings, defineUpstream } from '../protocol/plug-in.ts';
import { logo } from './logo.ts';
import { readNotice } from './notices.ts';

const NAMES = { name: 'apple', title: 'Apple' };
/** What signs Apple's client secret: all of it, or none. */
const SIGNING = ['teamId', 'keyId', 'privateKey'];

const settings = defineSettings(
  { ...NAMES, clientIdAt: 'Services id', issuer: 'https://appleid.apple.com' },
  {
    teamId: key(text.optional(), 'Team id.'),
    keyId: key(text.optional(), 'Id of the private key.'),
    privateKey: key(text.optional(), 'The .p8 key as PEM text; use privateKey_file or the _FILE suffix.', {
      secret: 'value',
    }),
  },
  { beside: SIGNING, needed: SIGNING },
);

export const apple = defineUpstream({
  ...NAMES,
  logo,
  settings,
  // https://developer.apple.com/documentation/signinwithapplerestapi
  documented: {
    authorizationEndpoint: 'https://appleid.apple.com/auth/authorize',
    tokenEndpoint: 'https://appleid.apple.com/auth/token',
    jwksUri: 'https://appleid.apple.com/auth/keys',
    revocationEndpoint: 'https://appleid.apple.com/auth/revoke',
  },
  truthAsText: true,
  // Apple has issued the address, or verified it: it is authoritative for every address that it names.
  authoritative: () => true,
  scope: 'openid name email',
  // Demanded by Apple as soon as a name or an address is asked for: the answer is a cross-site POST.
  parameters: { response_mode: 'form_post' },
  clientSecret: secretMinter,
  // Demanded where an account is deleted: App Store Review Guidelines, 5.1.1(v).
  revokes: true,
  readNotice,
  namesOf,
});

/** Apple's client secret is a JWT that the developer signs with the .p8 key; ours live for five minutes. */
function secretMinter(own: z.output<typeof settings>): ((now: Date) => Promise<string>) | undefined {
  const { clientId, teamId, keyId, privateKey, issuer } = own;
  if (clientId === undefined || teamId === undefined || keyId === undefined || privateKey === undefined) {
    return undefined;
  }
  return async (now) => {
    const issuedAt = Math.floor(now.getTime() / 1000);
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + 300)
      .sign(await importPKCS8(privateKey, 'ES256'));
  };
}

/**
 * The names that Apple sends beside the token, at the first sign-in only. They come through the browser,
 * unsigned: good for a greeting, never for the address or anything that grants.
 */
function namesOf(user: string | null): { name?: string; givenName?: string; familyName?: string } {
  if (user === null || user.length > 2_000) return {};
  try {
    const { name }: { name?: { firstName?: unknown; lastName?: unknown } } = JSON.parse(user);
    const givenName = nameOf(name?.firstName);
    const familyName = nameOf(name?.lastName);
    const full = [givenName, familyName].filter((part) => part !== undefined).join(' ');
    return {
      ...(givenName === undefined ? {} : { givenName }),
      ...(familyName === undefined ? {} : { familyName }),
      ...(full === '' ? {} : { name: full }),
    };
  } catch {
    return {};
  }
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  return takeLine(value, 100) || undefined;
}
