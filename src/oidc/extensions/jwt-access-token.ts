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
 * - IdToken.prototype.issue 296b8e90f083
 */
import Provider from 'oidc-provider';
import type { Secrets } from '../../core/crypto.ts';
import { type ProviderContext, routeOf } from '../provider/context.ts';
import { DIALECT_GRANT } from '../tokens/dialect-grant.ts';
import { handleOf } from '../tokens/token-handle.ts';
import { entityOf, modelOf, override, overrideFind, type ProviderRecord } from './models.ts';
import { notesOf } from './request-notes.ts';

export function storeAccessTokens({ provider, secrets }: { provider: Provider; secrets: Secrets }): void {
  /** What a loaded or saved record is stored under; its `jti` is not always that. */
  const handles = new WeakMap<ProviderRecord, string>();
  const shadow = modelOf(provider, 'BaseToken').prototype.getValueAndPayload;

  for (const name of ['AccessToken', 'ClientCredentials'] as const) {
    const model = modelOf(provider, name);

    override(
      model,
      'save',
      () =>
        async function save(this: ProviderRecord) {
          const ctx = Provider.ctx;
          this.jti ??= this.generateTokenId();
          if (name === 'AccessToken') this.family ??= familyAtHand(ctx, secrets);
          // Both forms of the token say the same time.
          this.iat ??= Math.floor(Date.now() / 1000);
          this.exp ??= this.iat + this.expiration;
          const { value, payload = (await shadow.call(this)).payload } = await this.getValueAndPayload();
          if (payload === undefined) throw new Error('BaseToken of oidc-provider gives no payload any more.');
          handles.set(this, handleOf(value));
          await this.adapter.upsert(handleOf(value), payload, this.exp - Math.floor(Date.now() / 1000));
          this.emit('saved');
          if (ctx && routeOf(ctx) === 'token') notesOf(ctx).accessToken = value;
          return value;
        },
    );

    override(
      model,
      'destroy',
      () =>
        async function destroy(this: ProviderRecord) {
          await this.adapter.destroy(handles.get(this) ?? String(this.jti));
          this.emit('destroyed');
        },
    );

    overrideFind(
      model,
      (original) =>
        async function find(value, options) {
          const result = await original.call(this, value, options);
          if (result) handles.set(result, value);
          // A dialect's token is valid at its dialect only: UserInfo does not know it (security.md T3).
          if (result?.gty === DIALECT_GRANT && routeOf(Provider.ctx) === 'userinfo') return undefined;
          return result;
        },
    );
  }
}

/** Which code the tokens of this request stem from. */
export function familyAtHand(ctx: ProviderContext | undefined, secrets: Secrets): string | undefined {
  if (!ctx || routeOf(ctx) !== 'token') return undefined;
  const rotated = entityOf(ctx, 'RotatedRefreshToken');
  if (rotated) return rotated.family;
  const code = entityOf(ctx, 'AuthorizationCode') ?? entityOf(ctx, 'DeviceCode');
  return code && familyOfCode(String(code.jti), secrets);
}

export function familyOfCode(code: string, secrets: Secrets): string {
  return secrets.hmac('family', code);
}

/** at_hash in ID tokens of the token endpoint (OIDC Core 3.1.3.6), which the provider leaves out there. */
export function bindIdTokens({ IdToken: { prototype } }: Provider): void {
  const { issue } = prototype;
  prototype.issue = function issueWithHash(this: InstanceType<Provider['IdToken']>, options) {
    const token = options.use === 'idtoken' && this.ctx ? notesOf(this.ctx).accessToken : undefined;
    if (token !== undefined) this.set('at_hash', token);
    return issue.call(this, options);
  };
}
