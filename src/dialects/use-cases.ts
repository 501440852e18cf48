/**
 * What an endpoint may do, bound to its dialect's client, its name and the request's organization: a
 * vendor's code cannot mint a token for another client or see an account of another organization. The
 * domain's functions (identity/) do the work; here they are bound, and their accounts become views. One
 * file per subject in use-cases/.
 */
import { randomText } from '../secrets.ts';
import type { LimitRule, Use } from './dialect.ts';
import type { Exchange } from './exchange.ts';
import { accountUses } from './use-cases/accounts.ts';
import { apiKeyUses } from './use-cases/api-keys.ts';
import { bind } from './use-cases/binding.ts';
import { browserUses } from './use-cases/browsers.ts';
import { endingUses } from './use-cases/ending.ts';
import { letterUses } from './use-cases/letters.ts';
import { passwordUses } from './use-cases/passwords.ts';
import { signingInUses } from './use-cases/signing-in.ts';
import { upstreamUses } from './use-cases/upstreams.ts';

/** What the frame's own steps do for a use case. */
export interface FrameWork {
  within(rule: LimitRule): Promise<boolean>;
}

export function createUse(exchange: Exchange, frame: FrameWork): Use {
  const bound = bind(exchange);
  return {
    ...signingInUses(bound),
    ...endingUses(bound),
    ...accountUses(bound),
    ...passwordUses(bound),
    ...letterUses(bound),
    ...upstreamUses(bound),
    ...apiKeyUses(bound),
    ...browserUses(bound),
    now: () => exchange.services.clock.now(),
    random: (form) => randomText(form),
    within: (counter, key, limit) =>
      frame.within({ counter, key, ...limit, kind: 'sliding', charge: 'each' }),
  };
}
