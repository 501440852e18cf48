/**
 * The reverse exchange: a client's own token for a dialect's, so that a new app can call an API that knows the vendor's
 * tokens only. It is a downgrade: the new token is a bearer token with all that the dialect gives, whatever the old
 * one could do. So the client must name the dialect in `exchanges_to`, there is no refresh token, and the audit
 * trail says `downgrade`.
 */
import { errors } from 'oidc-provider';
import { traitsOf } from '../clients/clients.ts';
import { createTokenMaker } from '../tokens/dialect-tokens.ts';
import { refuseToken } from './admission.ts';
import { childGrant, nowOf, proveParent } from './child-grants.ts';
import type { Exchange, ExchangeDeps } from './deps.ts';
import { ACCESS_TOKEN } from './request.ts';

export async function issueForDialect(deps: ExchangeDeps, exchange: Exchange): Promise<void> {
  const { oidcRecords, accounts, dialects, clock } = deps;
  const { ctx, client, target, subject } = exchange;
  judgeRequest(exchange);
  const account = await accounts.byId(subject.accountId);
  const offer = account && (await dialects.offerToken(target, account));
  if (account === undefined || offer === undefined) return refuseToken('account-is-not-let-in');
  const { clientId, scope, access: input } = offer;
  const { endsParent } = traitsOf(client);
  const grant = childGrant(deps, subject, { clientId, target, scopes: { openid: { scope } }, endsParent });
  const lifetime = Math.min(input.lifetime, subject.expiresAt - nowOf(clock), grant.lifetime);
  if (lifetime < 1) return refuseToken('is-unknown');
  const { accountId, amr, authTime } = subject;
  const signIn = {
    ...{ clientId, accountId, organization: account.organization, grantId: grant.value, scope, amr },
    ...{ parent: subject.grantId, ...(authTime !== undefined && { signedInAt: authTime }) },
  };
  const { token, record } = await createTokenMaker(deps).access(signIn, { ...input, lifetime });
  await oidcRecords.saveAll([grant, record]);
  await proveParent(oidcRecords, subject, () =>
    Promise.all([oidcRecords.remove('Grant', grant.value), oidcRecords.remove('AccessToken', record.value)]),
  );
  ctx.body = {
    ...{ access_token: token.value, issued_token_type: ACCESS_TOKEN, token_type: 'Bearer' },
    ...{ expires_in: lifetime, scope },
  };
}

/** A dialect's token has one form and one scope. */
function judgeRequest({ ctx, client, request }: Exchange): void {
  if (client.dpopBoundAccessTokens || client.tlsClientCertificateBoundAccessTokens) {
    throw new errors.InvalidTarget('a dialect has bearer tokens only, and the client may have none');
  }
  if (request.type !== ACCESS_TOKEN) {
    throw new errors.InvalidRequest(`requested_token_type must be ${ACCESS_TOKEN} for a dialect`);
  }
  const [scope] = ctx.oidc.requestParamScopes;
  if (scope !== undefined) throw new errors.InvalidScope('a dialect’s token takes no scope', scope);
}
