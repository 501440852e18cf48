/** The API keys of dialects that people may make on their account page: each vendor's form, within the account's rights. */
import type { Config } from '../../config/schema.ts';
import type { ApiKeyOffers } from '../../identity/accounts/api-keys.ts';
import type { Dialect } from '../contract/dialect.ts';
import { plainView } from '../runtime/account-view.ts';
import { mayEnter } from '../runtime/admission.ts';
import { parseSettings } from '../runtime/parse-settings.ts';

export function createApiKeyOffers(options: {
  readonly dialects: readonly Dialect[];
  readonly config: Pick<Config, 'dialects'>;
}): ApiKeyOffers {
  const mounted = parseSettings(options.dialects, options.config.dialects, []);
  return (account) =>
    mounted.flatMap((at) => {
      const { dialect, settings } = at;
      const { apiKeyForm: form, apiKeys: { offer } = {} } = dialect;
      if (form === undefined || offer === undefined) return [];
      if (offer.organization(settings) !== account.organization) return [];
      if (!mayEnter(at, account)) return [];
      const scopes = offer.scopes(plainView(account, dialect), settings);
      return [
        {
          vendor: dialect.name,
          title: dialect.title,
          scopes,
          id: form.id,
          key: form.key,
          limit: offer.limit,
        },
      ];
    });
}
