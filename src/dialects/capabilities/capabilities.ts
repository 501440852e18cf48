/**
 * What an endpoint may do, bound to its dialect's client, its name and the request's organization: a
 * vendor's code cannot mint a token for another client or see an account of another organization. The
 * domain's functions (identity/) do the work; here they are bound, and their accounts become views. One
 * file per subject in use-cases/.
 */
import { randomText } from '../../core/crypto.ts';
import type { LimitRule } from '../contract/limits.ts';
import type { Use } from '../contract/use.ts';
import type { DialectRequest } from '../runtime/request-context.ts';
import { accountUses } from './accounts.ts';
import { apiKeyUses } from './api-keys.ts';
import { browserUses } from './browser-sso.ts';
import { emailUses } from './emails.ts';
import { passwordUses } from './passwords.ts';
import { bind } from './scope.ts';
import { signingInUses } from './sign-in.ts';
import { endingUses } from './sign-out.ts';
import { upstreamUses } from './upstream.ts';

/** What the frame's own steps do for a use case. */
export interface FrameWork {
  within(rule: LimitRule): Promise<boolean>;
}

export function createUse(exchange: DialectRequest, frame: FrameWork): Use {
  const bound = bind(exchange);
  return {
    ...signingInUses(bound),
    ...endingUses(bound),
    ...accountUses(bound),
    ...passwordUses(bound),
    ...emailUses(bound),
    ...upstreamUses(bound),
    ...apiKeyUses(bound),
    ...browserUses(bound),
    now: () => exchange.services.clock.now(),
    random: (form) => randomText(form),
    within: (counter, key, limit) =>
      frame.within({ counter, key, ...limit, kind: 'sliding', charge: 'each' }),
  };
}
