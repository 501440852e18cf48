import type { FastPathDeps } from './fast-path.ts';

/** What the provider says beside what every reply says, where no script of another origin asks. */
export const JSON_REPLY = [
  ...['Vary', 'Origin', 'Access-Control-Allow-Origin', '*'],
  ...['Access-Control-Expose-Headers', 'WWW-Authenticate'],
  ...['Content-Type', 'application/json; charset=utf-8'],
];

/** A bearer token whose grant lives; undefined for any other, and for one with something unusual. */
export async function liveAccessToken(value: string, { models, findClient }: FastPathDeps) {
  const token = await models.findAccessToken(value);
  if (!token?.isValid || token.expiresWithSession || token.rar || token.isSenderConstrained()) {
    return undefined;
  }
  const [grant, client] = await Promise.all([
    models.findGrant(token.grantId),
    findClient(token.clientId ?? ''),
  ]);
  if (grant === undefined || grant.isExpired || client === undefined) return undefined;
  if (grant.clientId !== token.clientId || grant.accountId !== token.accountId) return undefined;
  return client.subjectType === 'pairwise' ? undefined : { token, grant, client };
}

/** As `liveAccessToken`, for the token of a client that acts for itself. */
export async function liveOwnToken(value: string, { models }: FastPathDeps) {
  const token = await models.findOwnToken(value);
  return token?.isValid && !token.isSenderConstrained() ? { token } : undefined;
}
