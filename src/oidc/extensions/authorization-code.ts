/**
 * Authorization codes and device codes: redeemed once, and what a second redemption is taken for.
 *
 * Replaces in oidc-provider 9.13.3:
 * - AuthorizationCode.find 7774e9bf19c4
 * - AuthorizationCode.prototype.save ef4835828696
 * - DeviceCode.find 7774e9bf19c4
 */
import Provider from 'oidc-provider';
import type { Secrets } from '../../core/crypto.ts';
import { routeOf } from '../provider/context.ts';
import { impliesResource } from './implied-resource.ts';
import { familyOfCode } from './jwt-access-token.ts';
import { modelOf, override, type ProviderRecord } from './models.ts';
import { notesOf } from './request-notes.ts';

export function watchCodes({ provider, secrets }: { provider: Provider; secrets: Secrets }): void {
  const model = modelOf(provider, 'AuthorizationCode');
  for (const watched of [model, modelOf(provider, 'DeviceCode')]) {
    override(watched, 'find', async (_model, original, value, options) => {
      const code = await original(value, options);
      const ctx = Provider.ctx;
      if (code && ctx && routeOf(ctx) === 'token') {
        notesOf(ctx).code = { family: familyOfCode(value, secrets), consumedAt: code.consumed };
      }
      return code;
    });
  }
  override(model.prototype, 'save', async (code, original) => {
    endAtLogout(code);
    if (Provider.ctx?.oidc && impliesResource(Provider.ctx.oidc)) code.impliedResource = true;
    return original();
  });
}

/**
 * Logout ends what a session's clients hold, except for clients that were granted offline_access. The provider
 * ties that to tokens that look for their session at each use. Portico's tokens do not, so the session is told here.
 */
function endAtLogout({ scope, clientId }: ProviderRecord): void {
  const ctx = Provider.ctx;
  if (!ctx?.oidc.session || clientId === undefined || scope?.split(' ').includes('offline_access')) return;
  if (!notesOf(ctx).keptAtLogout) delete ctx.oidc.session.authorizationFor(clientId).persistsLogout;
}
