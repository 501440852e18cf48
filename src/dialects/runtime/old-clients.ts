/** The dialects at which an account may sign in, and what each does about an account that has a second factor. */
import type { Config } from '../../config/schema.ts';
import { findOrganization } from '../../identity/accounts/find-organization.ts';
import type { Identity } from '../../identity/context.ts';
import type { OldClients } from '../../identity/factors/app-passwords.ts';
import type { Dialect } from '../contract/dialect.ts';
import { mayEnter } from './admission.ts';
import { organizationView } from './directory.ts';
import { parseSettings } from './mounted.ts';

export function createOldClients(options: {
  readonly dialects: readonly Dialect[];
  readonly config: Pick<Config, 'dialects'>;
  readonly identity: Identity;
}): OldClients {
  const all = parseSettings(options.dialects, options.config.dialects);
  return async (account) => {
    const record = await findOrganization(options.identity, account.organization);
    return all.flatMap((mounted) => {
      const { dialect, settings, factors: rule } = mounted;
      const { name, product } = dialect;
      const organization = organizationView(record, name);
      const serves = organization && dialect.admitsOrganization?.(organization, settings);
      return serves && mayEnter(mounted, account) ? [{ dialect: name, title: product, rule }] : [];
    });
  };
}
