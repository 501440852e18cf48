/** The provider's access to the stores: one adapter per model, in the form that oidc-provider asks for. */
import type { IncomingMessage } from 'node:http';
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { Json } from '../../model/json.ts';
import type { ClientRegistry } from '../clients/clients.ts';
import type { RequestOrigin } from '../provider/context.ts';
import type { OidcRecord, OidcRecords, Payload } from './records.ts';

export interface AdapterDeps {
  readonly oidcRecords: OidcRecords;
  readonly clients: ClientRegistry;
  readonly registration: { readonly writer: ClientWriter };
  /** Ends what a revocation of this grant is about, in the request that is running. */
  readonly endTokens: (grantId: string) => Promise<void>;
  readonly originOf: (request: IncomingMessage) => RequestOrigin | undefined;
}

/** What a client that registers itself makes the provider write. */
export interface ClientWriter {
  /** The provider's words; the secret in them is new, or the stored hash. */
  write(metadata: Record<string, Json>): Promise<void>;
  remove(clientId: string): Promise<void>;
  /** Under this name the client's registration access tokens end with it. */
  family(clientId: string): string;
}

export function createAdapterFactory(deps: AdapterDeps): (kind: string) => Adapter {
  return (kind) => {
    const adapter = kind === 'Client' ? clientAdapter(deps) : oidcRecordAdapter(kind, deps);
    return { ...adapter, find: async (id) => failAgain(deps) ?? adapter.find(id) };
  };
}

/** What failed on the fast path fails here, in the provider's words: a second try would wait for a slow store again. */
function failAgain({ originOf }: AdapterDeps): undefined {
  const { failure } = (Provider.ctx && originOf(Provider.ctx.req)) ?? {};
  if (failure) throw failure.error;
}

function oidcRecordAdapter(kind: string, { oidcRecords, endTokens, registration }: AdapterDeps): Adapter {
  const familyOf = ({ clientId }: AdapterPayload) =>
    kind === 'RegistrationAccessToken' && { grantId: registration.writer.family(String(clientId)) };
  return {
    upsert: (id, payload, expiresIn) =>
      oidcRecords.save(kind, id, { ...payload, ...familyOf(payload) }, expiresIn),
    find: async (id) => forProvider(await oidcRecords.load(kind, id)),
    findByUid: async (uid) => forProvider(await oidcRecords.loadByUid(kind, uid)),
    findByUserCode: async (userCode) => forProvider(await oidcRecords.loadByUserCode(kind, userCode)),
    async consume(id) {
      // Of several requests in flight together one wins; the others are too late, which is no server error.
      if (await oidcRecords.consume(kind, id)) return;
      if (kind === 'PushedAuthorizationRequest')
        throw new errors.InvalidRequestUri('request_uri was already used');
      throw new errors.InvalidGrant(`${kind} is gone or was used by another request`);
    },
    async destroy(id) {
      await oidcRecords.remove(kind, id);
    },
    async revokeByGrantId(grantId) {
      // The provider asks one model after the other, but only those that the *calling* client may use. It always
      // asks for access tokens: then everything goes, in the one order that leaves no gap.
      if (kind === 'AccessToken') await endTokens(grantId);
    },
  };
}

/** `consumed` carries the moment, in seconds with a fraction. */
function forProvider(oidcRecord: OidcRecord | undefined): AdapterPayload | undefined {
  if (!oidcRecord) return undefined;
  const { payload, consumedAt } = oidcRecord;
  return asStored(consumedAt ? { ...payload, consumed: consumedAt.getTime() / 1000 } : payload);
}

/** The provider wrote it, or clients.ts did in the provider's form. */
function asStored(payload: Payload): AdapterPayload {
  return payload as AdapterPayload;
}

function clientAdapter({ clients, registration: { writer } }: AdapterDeps): Adapter {
  const refuse = () => Promise.reject(new Error('oidc-provider asks for nothing of this of clients.'));
  return {
    async find(id) {
      const metadata = await clients.metadata(id, Provider.ctx);
      return metadata && asStored(metadata);
    },
    // As JSON: the provider hands out its own lists.
    upsert: (_id, metadata) => writer.write(JSON.parse(JSON.stringify(metadata))),
    findByUid: refuse,
    findByUserCode: refuse,
    consume: refuse,
    destroy: writer.remove,
    revokeByGrantId: refuse,
  };
}
