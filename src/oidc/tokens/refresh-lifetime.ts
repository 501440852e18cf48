import type { Config } from '../../config/schema.ts';

/** Seconds. A refresh token cannot outlive its grant (`grantEnds`: epoch seconds), and must not promise to. */
export function refreshLifetime(
  { refreshToken }: Pick<Config['oidc']['lifetimes'], 'refreshToken'>,
  grantEnds: number | undefined,
): number {
  const left = grantEnds === undefined ? refreshToken : grantEnds - Math.floor(Date.now() / 1000);
  return Math.max(1, Math.min(refreshToken, left));
}
