/** API keys of an account, for this dialect alone. */
import { createApiKey, deleteApiKey, listApiKeys } from '../../identity/accounts/api-keys.ts';
import type { ApiKeyRecord } from '../../model/api-key.ts';
import type { ApiKeysUse, ApiKeyView } from '../contract/use.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';
import { did, need } from './scope.ts';

function keyView({ id, name, scopes, createdAt, lastUsedAt }: ApiKeyRecord): ApiKeyView {
  return { id, name, scopes, createdAt, ...(lastUsedAt && { lastUsedAt }) };
}

export function apiKeysUse(current: CurrentRequest): ApiKeysUse {
  const { identity } = current;
  const vendor = current.mounted.dialect.name;
  return {
    async create(input) {
      const { organization } = await need(current, input.accountId);
      // Otherwise a key that ends would leave one behind that does not.
      const expiresAt = current.caller?.endsAt;
      const { record, key } = await createApiKey(identity, {
        ...{ ...input, organization, vendor },
        ...(expiresAt !== undefined && { expiresAt }),
      });
      did(current, 'api-key.create', input.accountId, { keyId: record.id });
      return { ...keyView(record), key };
    },
    async list(accountId) {
      await need(current, accountId);
      return (await listApiKeys(identity, { accountId, vendor })).map(keyView);
    },
    async delete(accountId, keyId) {
      await need(current, accountId);
      await deleteApiKey(identity, { accountId, keyId, vendor });
      did(current, 'api-key.delete', accountId, { keyId });
    },
  };
}
