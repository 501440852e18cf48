/**
 * What an endpoint may do, bound to its dialect's client, its name and the request's organization. The
 * functions of identity/ do the work; here they are bound, and their accounts become views. One file per group.
 */
import { randomText } from '../../core/crypto.ts';
import type { LimitRule } from '../contract/limits.ts';
import type { Use } from '../contract/use.ts';
import type { DialectRequest } from '../runtime/request-context.ts';
import { accountsUse } from './accounts.ts';
import { apiKeysUse } from './api-keys.ts';
import { browsersUse } from './browser-sso.ts';
import { emailsUse } from './emails.ts';
import { linkTokensUse } from './link-tokens.ts';
import { passwordsUse } from './passwords.ts';
import { type Bound, bind } from './scope.ts';
import { signInUse } from './sign-in.ts';
import { signOutUse } from './sign-out.ts';
import { upstreamsUse } from './upstream.ts';

/** A group is made when it is first used, so that GET me makes none. */
export function createUse(
  exchange: DialectRequest,
  pipeline: { within(rule: LimitRule): Promise<boolean> },
): Use {
  let scope: Bound | undefined;
  const bound = () => {
    scope ??= bind(exchange);
    return scope;
  };
  return {
    get signIn() {
      return signInUse(bound());
    },
    get signOut() {
      return signOutUse(bound());
    },
    get accounts() {
      return accountsUse(bound());
    },
    get passwords() {
      return passwordsUse(bound());
    },
    get emails() {
      return emailsUse(bound());
    },
    get linkTokens() {
      return linkTokensUse(bound());
    },
    get upstreams() {
      return upstreamsUse(bound());
    },
    get apiKeys() {
      return apiKeysUse(bound());
    },
    get browsers() {
      return browsersUse(bound());
    },
    now: () => exchange.services.clock.now(),
    random: (form) => randomText(form),
    within: (counter, key, limit) =>
      pipeline.within({ counter, key, ...limit, kind: 'sliding', charge: 'each' }),
  };
}
