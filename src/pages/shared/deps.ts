/** What the pages work with; made by the composition root. */
import type { Upstreams } from '../../federation/protocol/upstream.ts';
import type { Forms } from '../../http/forms/csrf.ts';
import type { Shows, Submits } from '../../http/forms/guards.ts';
import type { Views } from '../../http/views/render.ts';
import type { ApiKeyOffers } from '../../identity/accounts/api-keys.ts';
import type { Identity } from '../../identity/context.ts';
import type { OldClients } from '../../identity/factors/app-passwords.ts';
import type { AccountAccess, BrowserSessions, Interactions } from '../../oidc/contract.ts';

export interface PageDeps {
  readonly identity: Identity;
  readonly interactions: Interactions;
  readonly sessions: BrowserSessions;
  readonly accountAccess: AccountAccess;
  readonly apiKeyOffers: ApiKeyOffers;
  readonly oldClients: OldClients;
  /** Those that are switched on. */
  readonly upstreams: Upstreams;
  /** With its real port; no slash at the end. */
  readonly issuer: string;
  readonly views: Views;
  readonly forms: Forms;
  /** Characters of a password that is set here. */
  readonly passwordMinimum: number;
  /** Whether the demo application and the mailbox are served. */
  readonly demo: boolean;
}

export type Page = Shows<PageDeps>;
export type PageForm = Submits<PageDeps>;
