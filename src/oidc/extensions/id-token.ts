/**
 * ID tokens: what the provider leaves out of those of the token endpoint, and which it takes back as a hint; and
 * other JWTs that it makes in the same way.
 *
 * Replaces in oidc-provider 9.13.3:
 * - IdToken.prototype.issue 296b8e90f083
 * - IdToken.validate f12bdfe2ecb9
 */
import { decodeProtectedHeader } from 'jose';
import type Provider from 'oidc-provider';
import { type Client, errors } from 'oidc-provider';
import type { ProviderContext } from '../provider/context.ts';
import { override } from './models.ts';
import { notesOf } from './request-notes.ts';

/** at_hash in ID tokens of the token endpoint (OIDC Core 3.1.3.6). */
export function bindIdTokens({ IdToken: { prototype } }: Provider): void {
  override(prototype, 'issue', (idToken, original, options) => {
    const token = options.use === 'idtoken' && idToken.ctx ? notesOf(idToken.ctx).accessToken : undefined;
    if (token !== undefined) idToken.set('at_hash', token);
    return original(options);
  });
}

/**
 * A client keeps an ID token for as long as its person is signed in, and shows it as a hint. It stays good when the
 * client is given the other algorithm meanwhile: both are ours, and the signature is verified under the one that the
 * token names.
 */
export function takeHintsOfBothAlgorithms({ IdToken }: Provider): void {
  override(IdToken, 'validate', (_model, original, jwt, client) => {
    const { alg, typ } = headerOf(jwt);
    // A logout token or an answer to introspection is signed by the same key for the same client (RFC 8725, 3.11).
    if (typ !== undefined && typ !== 'JWT')
      throw new errors.InvalidRequest('could not validate id_token_hint');
    const isOurs = alg === 'RS256' || alg === 'ES256';
    return original(jwt, isOurs ? withAlgorithm(client, alg) : client);
  });
}

function headerOf(jwt: string): { readonly alg?: string; readonly typ?: string } {
  try {
    return decodeProtectedHeader(jwt);
  } catch {
    return {};
  }
}

function withAlgorithm(client: Client, alg: string): Client {
  return Object.create(client, { idTokenSignedResponseAlg: { value: alg } });
}

/** An answer as a JWT, signed and encrypted as its client has registered it, where a step of ours answers. */
export function signedAnswer(
  ctx: ProviderContext,
  use: 'authorization' | 'introspection',
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const token = new ctx.oidc.provider.IdToken({}, { ctx });
  for (const [name, value] of Object.entries(claims)) token.set(name, value);
  return token.issue({ use });
}
