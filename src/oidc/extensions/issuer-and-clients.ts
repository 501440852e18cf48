/**
 * What the provider believes about a request and its client.
 *
 * It would build its endpoint URLs and judge "is this https" from the Host header and the socket; the issuer
 * decides both, so a forged Host changes nothing, and a TLS-terminating proxy needs no
 * forwarded headers for cookies to be Secure.
 *
 * Replaces in oidc-provider 9.13.3:
 * - request.protocol 7d920bc927a5
 * - request.host e90db1e55d9e
 * - OIDCContext.prototype.urlFor 35570db5d03a
 * - OIDCContext.prototype.entity 41b99d8b6f6f
 * - Client.find f9e7ecd05f5f
 * - Client.prototype.compareClientSecret 7a404f9c2599
 * - interactionPolicy.consent.native_client_prompt 0597dff889f1
 */
import type { IncomingMessage } from 'node:http';
import Provider, { type Client, errors, type interactionPolicy } from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { ClientRecord } from '../../model/client.ts';
import type { Json } from '../../model/json.ts';
import { type ClientRegistry, isSecretOf, traitsOf } from '../clients/clients.ts';
import { refuseUnknownScope, takeScope } from '../clients/scopes.ts';
import { holdToProfile } from '../profiles/hold-to-profile.ts';
import { askedOrigin } from '../profiles/mutual-tls.ts';
import type { ProviderContext, RequestOrigin } from '../provider/context.ts';
import { refuseUnsignable } from '../provider/request-object.ts';
import { lookUpForm } from '../tokens/token-handle.ts';
import { takeAudience } from './implied-resource.ts';
import { override } from './models.ts';

/** Routes on which a dialect's client has no business. */
const CLOSED_TO_DIALECTS: ReadonlySet<string> = new Set([
  'authorization',
  'resume',
  'token',
  'introspection',
  'revocation',
  'pushed_authorization_request',
  'device_authorization',
]);

export function seeAsIssuer(provider: Provider): void {
  const { protocol, host } = new URL(provider.issuer);
  Object.defineProperties(provider.request, {
    protocol: { get: () => protocol.slice(0, -1) },
    host: { get: () => host },
  });
}

type OidcContext = ProviderContext['oidc'];

/** `origin`: where clients present certificates, if that is another than the issuer's. */
export function watchProviderContext(provider: Provider, origin: string | null): void {
  const { prototype } = (provider as unknown as { OIDCContext: { prototype: OidcContext } }).OIDCContext;
  const { issuer } = provider;
  prototype.urlFor = function urlFor(this: OidcContext, name, options) {
    const headers = name === this.route ? Provider.ctx?.req.headers : undefined;
    const at = headers ? askedOrigin(name, headers, { issuer, origin }) : issuer;
    return new URL(provider.pathFor(name, options), at).href;
  };

  override(prototype, 'entity', (context, original, key, value) => {
    if (key === 'Client' && value) {
      if (CLOSED_TO_DIALECTS.has(context.route) && traitsOf(value).dialect !== undefined) {
        throw new errors.InvalidClient('client is invalid', 'the client of a dialect');
      }
      if (context.route === 'token') takeAudience(context);
      takeScope(context, value);
      if (Provider.ctx) holdToProfile(Provider.ctx, value);
      // The provider refuses JWTs at these two routes unseen; Portico's have a record that it can look up.
      if ((context.route === 'introspection' || context.route === 'revocation') && context.params) {
        context.params.token = lookUpForm(context.params.token);
      }
    }
    if (key === 'ClientCredentials' && value) refuseUnknownScope(context, value);
    original(key, value);
    if (key === 'Client' && value) refuseUnsignable(context, value);
  });
}

/** Judges a client's metadata as the provider does whenever it uses them. Rejects with InvalidClientMetadata. */
export function validateClient(provider: Provider, metadata: Record<string, Json>): Promise<void> {
  const { Client } = provider as unknown as { Client: { validate(metadata: object): Promise<void> } };
  // The provider writes thumbprints into the keys.
  return Client.validate(structuredClone(metadata));
}

/** The provider hashes a client's metadata at every look-up; here a client is made once of each record. */
export function makeClientsOnce(
  { Client: model }: Provider,
  deps: {
    readonly clients: Pick<ClientRegistry, 'record'>;
    readonly originOf: (request: IncomingMessage) => RequestOrigin | undefined;
  },
): void {
  const made = new WeakMap<ClientRecord, Client>();
  override(model, 'find', async (_model, original, id) => {
    const { failure } = (Provider.ctx && deps.originOf(Provider.ctx.req)) ?? {};
    // The adapter fails in the same way again, and does not ask the store (persistence/adapter.ts).
    if (failure) return original(id);
    // A JWT may name its client by something else than text.
    const record = typeof id === 'string' ? await deps.clients.record(id) : undefined;
    // A client's document may have to be read, anew or for the first time. Other unknown names are looked for once.
    if (record?.unregistered || (record === undefined && URL.canParse(id))) return original(id);
    if (record === undefined) return undefined;
    const client = made.get(record) ?? (await original(id));
    if (client !== undefined) made.set(record, client);
    return client;
  });
}

/** The provider would take the stored hash for the secret itself, and knows one secret only. */
export function compareHashedSecrets(
  { Client: { prototype } }: Provider,
  { secrets, clock }: { secrets: Secrets; clock: Clock },
): void {
  override(prototype, 'compareClientSecret', (client, _original, actual) =>
    isSecretOf(client, actual, { secrets, now: clock.now() }),
  );
}

/**
 * Any app may claim to be a native client (RFC 8252, 8.6), so the provider puts a page between. First-party
 * clients go without it.
 */
export function trustFirstPartyNatives(policy: interactionPolicy.DefaultPolicy): void {
  const native = policy.get('consent')?.checks.get('native_client_prompt');
  if (!native) throw new Error('oidc-provider has no native_client_prompt check any more.');
  const { check } = native;
  native.check = (ctx) => (ctx.oidc.client && traitsOf(ctx.oidc.client).firstParty ? false : check(ctx));
}
