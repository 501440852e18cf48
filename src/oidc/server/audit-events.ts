/** The provider's events as audit events: what was issued, refused and ended. */
import type { EventEmitter } from 'node:events';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import { StoreUnavailable } from '../../core/errors.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import { TOKEN_EXCHANGE } from '../../model/client.ts';
import { isOfConnection } from '../../observe/connection-errors.ts';
import { traitsOf } from '../clients/clients.ts';
import { askedOrganization } from '../clients/organizations.ts';
import { notesOf } from '../extensions/request-notes.ts';
import { type AuditLine, type ProviderContext, routeOf } from '../provider/context.ts';
import { answerUnavailable, unregisteredUri } from './answers.ts';
import type { OidcServerOptions, ProviderDeps } from './deps.ts';

export function auditLine({ audit, originOf }: OidcServerOptions): AuditLine {
  return (ctx, event, outcome, detail) => {
    const { client, session, account, entities } = ctx.oidc ?? {};
    // One client may serve several: the person's own, or the one that was asked for.
    const traits = client && traitsOf(client);
    const asked = traits && askedOrganization(ctx.oidc?.params, traits);
    const own = account?.organization;
    const organization = typeof own === 'string' ? own : (asked ?? traits?.organization);
    const origin = originOf?.(ctx.req);
    const token = entities?.AccessToken ?? entities?.RefreshToken;
    const subject = account?.accountId ?? token?.accountId ?? session?.accountId;
    audit.write({
      event,
      outcome,
      ...(client && { clientId: client.clientId }),
      // An API of all organizations has none.
      ...(organization && { organization }),
      ...(subject !== undefined && { subject }),
      ...(origin && { address: origin.address, requestId: origin.id }),
      ...(detail && { detail }),
    });
  };
}

export function writeEvents(provider: Provider, { line, log }: ProviderDeps): void {
  // The provider's types do not know all of its events, nor Koa's.
  const emitter: EventEmitter = provider;
  const refused = (event: AuditEvent) => refusalWriter(line, event);

  provider.on('authorization.success', (ctx) =>
    line(ctx, 'grant.issued', 'success', { scope: scopeOf(ctx) }),
  );
  const authorizationRefused = refused('authorization.refused');
  provider.on('authorization.error', (ctx, error) => {
    notesOf(ctx).refusal = error;
    authorizationRefused(ctx, error);
  });
  provider.on('device_authorization.success', (ctx) =>
    line(ctx, 'device.started', 'success', { scope: scopeOf(ctx) }),
  );
  for (const event of ['device_authorization', 'code_verification', 'device_resume'] as const) {
    emitter.on(`${event}.error`, refused('authorization.refused'));
  }
  provider.on('grant.success', (ctx) => {
    const grantType = String(ctx.oidc.params?.grant_type);
    const { exchange } = notesOf(ctx);
    if (exchange !== undefined) return line(ctx, 'token.exchange', 'success', { ...exchange });
    line(ctx, grantType === 'refresh_token' ? 'token.refreshed' : 'token.issued', 'success', { grantType });
  });
  const [tokenRefused, exchangeRefused] = [refused('token.refused'), refused('token.exchange')];
  provider.on('grant.error', (ctx, error) => {
    // A device that polls while its person has not answered yet is not refused.
    if (error instanceof errors.AuthorizationPending || error instanceof errors.SlowDown) return;
    if (ctx.oidc.params?.grant_type === TOKEN_EXCHANGE) exchangeRefused(ctx, error);
    else tokenRefused(ctx, error);
  });
  provider.on('grant.revoked', (ctx) =>
    line(ctx, 'grant.revoked', 'success', { route: String(routeOf(ctx)) }),
  );
  provider.on('userinfo.error', refused('userinfo.refused'));
  provider.on('introspection.error', refused('introspection.refused'));
  provider.on('revocation.error', refused('revocation.refused'));
  provider.on('pushed_authorization_request.error', refused('authorization.refused'));
  provider.on('end_session.success', (ctx) => line(ctx, 'logout', 'success'));
  provider.on('end_session.error', refused('logout.refused'));
  provider.on('server_error', (ctx, error) => {
    const unavailable = error instanceof StoreUnavailable;
    log[unavailable ? 'warn' : 'error']({ err: error, route: routeOf(ctx) }, 'oidc-provider failed');
    if (unavailable) answerUnavailable(ctx);
  });
  emitter.on('error', (error: Error) => {
    if (!isOfConnection(error)) log.error({ err: error }, 'oidc-provider failed');
  });
}

function refusalWriter(line: AuditLine, event: AuditEvent) {
  return (ctx: ProviderContext, error: errors.OIDCProviderError): void => {
    // This error only carries another request's reply out of the provider.
    if (notesOf(ctx).replay) return;
    // A request that never arrived whole was not refused: its client is gone, or was too slow.
    if (!ctx.req.complete) return;
    const detail = error.error_detail ?? error.error_description;
    const uri = unregisteredUri(ctx);
    line(ctx, event, 'refused', {
      error: error.error,
      ...(detail !== undefined && { detail: String(detail) }),
      ...(uri && { uri: uri.sent }),
    });
  };
}

function scopeOf(ctx: ProviderContext): string {
  return String(ctx.oidc.params?.scope ?? '');
}
