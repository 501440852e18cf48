/** The ordinary redemption of a code: for userinfo's scopes alone, by the client and the redirect URI that it was made for. */
import { createHash } from 'node:crypto';
import type { AuthorizationCode } from 'oidc-provider';
import { sameText } from '../../core/crypto.ts';
import { familyOfCode } from '../extensions/jwt-access-token.ts';
import { OPAQUE } from './credentials.ts';
import type { FastPathDeps } from './fast-path.ts';
import { isUnusual, madeFrom, signInOf } from './made-tokens.ts';
import type { Asked } from './token.ts';

const GRANT = 'authorization_code';

export async function redeemed({ request, form, client }: Asked, deps: FastPathDeps) {
  const { code: value = '', redirect_uri: redirectUri, code_verifier: verifier } = form;
  const { provider, oidcRecords, secrets } = deps;
  if (!OPAQUE.test(value) || client.idTokenEncryptedResponseAlg) return undefined;
  const code = await provider.AuthorizationCode.find(value, { ignoreExpiration: true });
  if (!code?.isValid || code.dpopJkt !== undefined || isUnusual(code)) return undefined;
  if (code.redirectUri !== redirectUri || !isProved(code, verifier)) return undefined;
  const signIn = await signInOf(code, client, deps);
  if (signIn === undefined) return undefined;
  const refresh = client.grantTypeAllowed('refresh_token') ? { rotations: 0 } : undefined;
  const family = familyOfCode(value, secrets);
  const made = await madeFrom({ ...signIn, gty: GRANT, family, refresh }, deps);
  // Where another request was faster the provider knows what this one is told.
  if (!(await oidcRecords.redeem(value, made.successors))) return undefined;
  const oidc = { client, account: signIn.account };
  deps.line({ req: request, oidc }, 'token.issued', 'success', { grantType: GRANT });
  return made.reply;
}

const VERIFIER = /^[\w.~-]{43,128}$/;

/** PKCE. What was asked for without a challenge is redeemed without a verifier. */
function isProved(
  { codeChallenge, codeChallengeMethod }: AuthorizationCode,
  verifier: string | undefined,
): boolean {
  if (codeChallenge === undefined || verifier === undefined) return codeChallenge === verifier;
  if (codeChallengeMethod !== 'S256' || !VERIFIER.test(verifier)) return false;
  return sameText(createHash('sha256').update(verifier).digest('base64url'), codeChallenge);
}
