/**
 * Access tokens are opaque, or JWTs (RFC 9068) for resource servers that verify by themselves. The provider
 * stores no JWT, so it could neither introspect nor revoke one. Here each JWT has a shadow record, found by
 * a digest of the whole token: a token with a changed signature, or the bare `jti` of a token that an attacker
 * has read, leads nowhere.
 *
 * Replaces in oidc-provider 9.13.3 (and calls BaseToken's getValueAndPayload for the shadow):
 * - AccessToken.find 7774e9bf19c4
 * - AccessToken.prototype.save ef4835828696
 * - AccessToken.prototype.destroy f34ab4777134
 * - ClientCredentials.find fd5cae182dcf
 * - ClientCredentials.prototype.save ef4835828696
 * - ClientCredentials.prototype.destroy f34ab4777134
 */
import Provider from 'oidc-provider';
import type { Secrets } from '../../core/crypto.ts';
import { type ProviderContext, routeOf } from '../provider/context.ts';
import { DIALECT_GRANT } from '../tokens/dialect-tokens.ts';
import { handleOf } from '../tokens/token-handle.ts';
import { entityOf, modelOf, override, type ProviderRecord } from './models.ts';
import { notesOf, signInAtHand } from './request-notes.ts';

export function storeAccessTokens({ provider, secrets }: { provider: Provider; secrets: Secrets }): void {
  /** What a loaded or saved record is stored under; its `jti` is not always that. */
  const handles = new WeakMap<ProviderRecord, string>();
  const shadow = modelOf(provider, 'BaseToken').prototype.getValueAndPayload;

  for (const name of ['AccessToken', 'ClientCredentials'] as const) {
    const model = modelOf(provider, name);
    override(model.prototype, 'save', async (record) => {
      const ctx = Provider.ctx;
      record.jti ??= record.generateTokenId();
      if (name === 'AccessToken') record.family ??= familyAtHand(ctx, secrets);
      // An exchange of the token says of its person what the token's own request knew.
      if (name === 'AccessToken' && ctx?.oidc.route === 'token') {
        const { acr, amr, authTime } = signInAtHand(ctx) ?? {};
        Object.assign(record, { acr, amr, authTime });
      }
      // Both forms of the token say the same time.
      record.iat ??= Math.floor(Date.now() / 1000);
      record.exp ??= record.iat + record.expiration;
      const { value, payload = (await shadow.call(record)).payload } = await record.getValueAndPayload();
      if (payload === undefined) throw new Error('BaseToken of oidc-provider gives no payload any more.');
      handles.set(record, handleOf(value));
      await record.adapter.upsert(handleOf(value), payload, record.exp - Math.floor(Date.now() / 1000));
      record.emit('saved');
      if (ctx && routeOf(ctx) === 'token') notesOf(ctx).accessToken = value;
      return value;
    });
    override(model.prototype, 'destroy', async (record) => {
      await record.adapter.destroy(handles.get(record) ?? String(record.jti));
      record.emit('destroyed');
    });
    override(model, 'find', async (_model, original, value, options) => {
      const result = await original(value, options);
      if (result) handles.set(result, value);
      // A dialect's token is valid at its dialect only: UserInfo does not know it.
      if (result?.gty === DIALECT_GRANT && routeOf(Provider.ctx) === 'userinfo') return undefined;
      return result;
    });
  }
}

/** Which code the tokens of this request stem from. */
export function familyAtHand(ctx: ProviderContext | undefined, secrets: Secrets): string | undefined {
  if (!ctx || routeOf(ctx) !== 'token') return undefined;
  const code = entityOf(ctx, 'AuthorizationCode') ?? entityOf(ctx, 'DeviceCode');
  if (code) return familyOfCode(String(code.jti), secrets);
  return (entityOf(ctx, 'RotatedRefreshToken') ?? entityOf(ctx, 'RefreshToken'))?.family;
}

export function familyOfCode(code: string, secrets: Secrets): string {
  return secrets.hmac('family', code);
}
