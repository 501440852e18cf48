import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema.ts';
import type { Audit } from '../observe/audit.ts';
import type { Log } from '../observe/log.ts';
import type { Secrets } from '../secrets.ts';
import type { Stores } from '../store/ports.ts';
import type { EnginePages, OidcServer } from './oidc.ts';

export interface OidcServerOptions {
  readonly config: Config;
  /** The issuer, with its real port. */
  readonly issuer: string;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly log: Log;
  readonly audit: Audit;
  /** Sign cookies; the first signs, all verify. At least one. */
  readonly cookieKeys: readonly string[];
  /** Error, logout and signed-out pages: renderError, logoutSource and postLogoutSuccessSource of the engine. */
  readonly pages: EnginePages;
}

export async function createOidcServer(_options: OidcServerOptions): Promise<OidcServer> {
  throw new Error('not yet');
}
export type { IncomingMessage, ServerResponse };
