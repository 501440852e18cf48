/** Whom a dialect lets in. Blocked accounts never come in, whatever a dialect says. */

import type { Config } from '../config/schema.ts';
import type { AccountRecord } from '../store/ports.ts';
import { plainView } from './account-view.ts';
import { type MountedDialect, parseSettings } from './check-dialects.ts';
import type { Dialect } from './dialect.ts';

/** Judged before the account gets its alias, so that a refused sign-in stores nothing. */
export function mayEnter({ dialect, settings }: MountedDialect, account: AccountRecord): boolean {
  if (account.status === 'blocked') return false;
  if (dialect.admits === undefined) return account.status === 'active';
  return dialect.admits(plainView(account, dialect), settings);
}

/** Whether tokens and API keys of the account go on working. */
export function mayGoOn(mounted: MountedDialect, account: AccountRecord): boolean {
  if (account.status === 'blocked') return false;
  const { dialect, settings } = mounted;
  if (dialect.admitsToken === undefined) return mayEnter(mounted, account);
  return dialect.admitsToken(plainView(account, dialect), settings);
}

/** The same by the dialect's name, for the standard endpoints. A dialect that is switched off lets nothing go on. */
export function createTokenAdmission(options: {
  readonly dialects: readonly Dialect[];
  readonly config: Pick<Config, 'dialects'>;
}): (dialect: string, account: AccountRecord) => boolean {
  const mounted = parseSettings(options.dialects, options.config.dialects, []);
  return (name, account) => {
    const found = mounted.find(({ dialect }) => dialect.name === name);
    return found !== undefined && mayGoOn(found, account);
  };
}
