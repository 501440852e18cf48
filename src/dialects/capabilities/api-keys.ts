/** API keys of an account, for this dialect alone. */
import { createApiKey, deleteApiKey, listApiKeys } from '../../identity/accounts/api-keys.ts';
import type { ApiKeyRecord } from '../../model/api-key.ts';
import type { ApiKeysUse, ApiKeyView } from '../contract/use.ts';
import type { Bound } from './scope.ts';

function keyView(record: ApiKeyRecord): ApiKeyView {
  return {
    id: record.id,
    name: record.name,
    scopes: record.scopes,
    createdAt: record.createdAt,
    ...(record.lastUsedAt === undefined ? {} : { lastUsedAt: record.lastUsedAt }),
  };
}

export function apiKeysUse(bound: Bound): ApiKeysUse {
  const { identity } = bound;
  const vendor = bound.mounted.dialect.name;
  return {
    async create(input) {
      await bound.need(input.accountId);
      const organization = bound.organization().id;
      // Otherwise a key that ends would leave one behind that does not.
      const expiresAt = bound.exchange.caller?.endsAt;
      const { record, key } = await createApiKey(identity, {
        ...{ ...input, organization, vendor },
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      bound.did('api-key.create', input.accountId, { keyId: record.id });
      return { ...keyView(record), key };
    },
    async list(accountId) {
      await bound.need(accountId);
      return (await listApiKeys(identity, { accountId, vendor })).map(keyView);
    },
    async delete(accountId, keyId) {
      await bound.need(accountId);
      await deleteApiKey(identity, { accountId, keyId, vendor });
      bound.did('api-key.delete', accountId, { keyId });
    },
  };
}
