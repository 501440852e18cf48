import { hash } from 'node:crypto';

export const HANDLE = 'jwt~';

export const JWT_FORM = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** What an access token is stored under: itself, or for a JWT its digest. */
export function handleOf(token: string): string {
  return JWT_FORM.test(token) ? HANDLE + hash('sha256', token, 'base64url') : token;
}

/**
 * A token as a client sent it to introspection or revocation, in the form the provider may look up: it
 * refuses JWTs unseen. No client may name a handle.
 */
export function lookUpForm(token: unknown): unknown {
  if (typeof token !== 'string') return token;
  return token.startsWith(HANDLE) ? `${HANDLE}refused` : handleOf(token);
}

/** The key that a JWT names; undefined for any other text. */
export function keyIdOf(token: string): string | undefined {
  if (!JWT_FORM.test(token)) return undefined;
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    const kid = typeof header === 'object' && header !== null && 'kid' in header ? header.kid : undefined;
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}
