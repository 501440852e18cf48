import type { FastPathDeps } from './fast-path.ts';

/** What the provider says beside what every reply says, where no script of another origin asks. */
export const JSON_REPLY = [
  ...['Vary', 'Origin', 'Access-Control-Allow-Origin', '*'],
  ...['Access-Control-Expose-Headers', 'WWW-Authenticate'],
  ...['Content-Type', 'application/json; charset=utf-8'],
];

/** A bearer token whose grant lives; undefined for any other, and for one with something unusual. */
export async function liveAccessToken(value: string, deps: FastPathDeps) {
  const { provider } = deps;
  const token = await provider.AccessToken.find(value);
  if (!token?.isValid || token.rar || token.isSenderConstrained()) return undefined;
  const [grant, client] = await Promise.all([
    provider.Grant.find(token.grantId, { ignoreExpiration: true }),
    deps.findClient(token.clientId ?? ''),
  ]);
  if (grant === undefined || grant.isExpired || client === undefined) return undefined;
  if (grant.clientId !== token.clientId || grant.accountId !== token.accountId) return undefined;
  return client.subjectType === 'pairwise' ? undefined : { token, grant, client };
}
