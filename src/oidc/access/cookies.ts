/**
 * The session cookie and the provider's other cookies. On https the session's name begins with
 * `__Host-` (no other host can set it) and the interaction's with `__Secure-` (they have a path, which `__Host-`
 * forbids). Plain http is development, where browsers refuse such names.
 */
export type CookieSettings = ReturnType<typeof cookieSettings>;

export function cookieSettings(issuer: string) {
  return {
    httpOnly: true,
    sameSite: 'lax',
    secure: issuer.startsWith('https:'),
    signed: true,
    overwrite: true,
  } as const;
}

/** A browser with a session sends a cookie whose name has this in it. */
export const SESSION_COOKIE = 'portico_session';

export function cookieNames(issuer: string): { session: string; interaction: string; resume: string } {
  const https = issuer.startsWith('https:');
  return {
    session: `${https ? '__Host-' : ''}${SESSION_COOKIE}`,
    interaction: `${https ? '__Secure-' : ''}portico_interaction`,
    resume: `${https ? '__Secure-' : ''}portico_resume`,
  };
}
