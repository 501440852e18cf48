import type { Dialect } from '../contract/dialect.ts';
import type { AnySettings } from '../contract/settings.ts';

/** A dialect with its settings, as it runs. */
export interface MountedDialect {
  readonly dialect: Dialect;
  readonly settings: AnySettings;
  readonly clientId: string;
  /** Places at which an account may have been opened to be let in here: 'hosted', or dialects. */
  readonly admitsFrom: readonly string[];
}
