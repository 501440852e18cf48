/** The pages that the provider shows by itself, outside interactions, as src/pages makes them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ScopesOfApi } from './contract.ts';

/** What is known of the page's organization, client and languages: for its brand and its language. */
export interface PageSubject {
  readonly organization?: string;
  readonly clientId?: string;
  /** `ui_locales`, by preference. */
  readonly languages?: readonly string[];
}

export type Shown<Info> = (
  request: IncomingMessage,
  response: ServerResponse,
  context: Info & PageSubject,
) => Promise<string> | string;

/** What is wrong with a user code; the words are in the catalogue under `pages.alerts`. */
export type DeviceIssue =
  | 'device-code-missing'
  | 'device-code-unknown'
  | 'device-code-used'
  | 'device-form-expired'
  | 'device-stopped';

/**
 * pages/provider/provider-pages.ts makes them; createOidcServer gets them. Each answers a whole HTML document,
 * which the provider sends unchanged, and may set headers (the Content-Security-Policy of the page) on the
 * response. `action` and `xsrf` are the provider's form.
 */
export interface ProviderPages {
  /**
   * What went wrong, where no client can be told. `status` is the response's; `uri` is a redirect URI that is not
   * registered, beside those that are.
   */
  readonly error: Shown<{
    status: number;
    error: string;
    description?: string;
    uri?: { sent: string; registered: readonly string[] };
  }>;
  /** Asks whether to sign out: posting `logout=yes` ends the session. */
  readonly confirmLogout: Shown<{ action: string; xsrf: string; clientName?: string }>;
  /** Goes on to the client's `url` by itself: the end of a form, which may not lead to another site. */
  readonly leadingOn: Shown<{ url: string; client: string }>;
  /** Posts `fields` to the client's `url`, by a script where scripts run: `response_mode=form_post`. */
  readonly formPost: Shown<{ url: string; client: string; fields: Readonly<Record<string, string>> }>;
  /** After signing out, or choosing to stay, where the client named no page of its own. */
  readonly signedOut: Shown<{ client: { name: string; uri?: string } | undefined; stayed: boolean }>;
  /**
   * Asks for `user_code`, the code that a device shows. Without `xsrf` the browser has no session for the
   * form yet: it has to ask for the page again (GET), with what was entered.
   */
  readonly enterDeviceCode: Shown<{
    action: string;
    xsrf?: string;
    userCode?: string;
    issue?: DeviceIssue;
  }>;
  /** Says what the device asks for: `user_code` is posted again with `confirm=yes`, or with `abort=yes`. */
  readonly confirmDevice: Shown<{
    action: string;
    xsrf: string;
    userCode: string;
    client: string;
    firstParty: boolean;
    scopes: readonly string[];
    apis: readonly ScopesOfApi[];
  }>;
  /** The person can go back to the device. */
  readonly deviceConnected: Shown<{ client: string }>;
}
