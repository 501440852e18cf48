/**
 * API keys of dialects outside their vendors' APIs: at the standard introspection endpoint, where asking counts as a
 * use of the key, and on the account page. How a key begins says which dialect it belongs to.
 */
import type { Config } from '../../config/schema.ts';
import type { ApiKeyOffers } from '../../identity/accounts/api-keys.ts';
import type { DescribedApiKey } from '../../oidc/contract.ts';
import { type Dialect, Refused } from '../contract/dialect.ts';
import { mayEnter, plainView } from '../runtime/admission.ts';
import type { DialectServices } from '../runtime/deps.ts';
import { parseSettings } from '../runtime/mounted.ts';
import { bearerOfKey } from './authenticate.ts';

/** Whether a text has the form of some dialect's API keys. */
export function hasFormOfApiKey(dialects: readonly Dialect[], text: string): boolean {
  return dialects.some(({ apiKeys }) => apiKeys !== undefined && text.startsWith(apiKeys.prefix));
}

export function createApiKeyDescriber(
  options: DialectServices & { readonly dialects: readonly Dialect[] },
): (key: string) => Promise<DescribedApiKey | undefined> {
  const mounted = parseSettings(options.dialects, options.config.dialects);
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

/** The keys that people may make on their account page: each vendor's form, within the account's rights. */
export function createApiKeyOffers(options: {
  readonly dialects: readonly Dialect[];
  readonly config: Pick<Config, 'dialects'>;
}): ApiKeyOffers {
  const mounted = parseSettings(options.dialects, options.config.dialects);
  return (account) =>
    mounted.flatMap((at) => {
      const { dialect, settings } = at;
      const { name: vendor, title, apiKeyForm: form, apiKeys: { offer } = {} } = dialect;
      if (form === undefined || offer?.organization(settings) !== account.organization) return [];
      if (!mayEnter(at, account)) return [];
      const scopes = offer.scopes(plainView(account, dialect), settings);
      return [{ vendor, title, scopes, id: form.id, key: form.key, limit: offer.limit }];
    });
}
