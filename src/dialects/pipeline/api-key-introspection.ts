/**
 * API keys of dialects at the standard introspection endpoint: how a key begins says which dialect it belongs to,
 * and that dialect says what it may do. Asking counts as a use of the key.
 */
import type { DescribedApiKey } from '../../oidc/contract.ts';
import { type Dialect, Refused } from '../contract/dialect.ts';
import type { DialectServices } from '../runtime/deps.ts';
import { parseSettings } from '../runtime/parse-settings.ts';
import { bearerOfKey } from './authenticate.ts';

/** Whether a text has the form of some dialect's API keys. */
export function hasFormOfApiKey(dialects: readonly Dialect[], text: string): boolean {
  return dialects.some(({ apiKeys }) => apiKeys !== undefined && text.startsWith(apiKeys.prefix));
}

export function createApiKeyDescriber(
  options: DialectServices & { readonly dialects: readonly Dialect[] },
): (key: string) => Promise<DescribedApiKey | undefined> {
  const mounted = parseSettings(options.dialects, options.config.dialects, []);
  return async (key) => {
    const owner = mounted.find(({ dialect }) => dialect.apiKeys && key.startsWith(dialect.apiKeys.prefix));
    if (owner?.dialect.apiKeys === undefined) return undefined;
    try {
      const { account, ...bearer } = await bearerOfKey(options, owner, { key });
      if (account === undefined) return undefined;
      const { scopes, claims } = owner.dialect.apiKeys.describe({ ...bearer, account }, owner.settings);
      return {
        clientId: owner.clientId,
        organization: bearer.organization,
        subject: account.id,
        scope: scopes.join(' '),
        issuedAt: Math.floor(bearer.createdAt.getTime() / 1000),
        claims,
      };
    } catch (refusal) {
      if (refusal instanceof Refused) return undefined;
      throw refusal;
    }
  };
}
