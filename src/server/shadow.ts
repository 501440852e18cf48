/** What answers a request once more and forgets: the services of dialects on stores that keep nothing. */
import type { Config } from '../config/schema.ts';
import { rehearse } from '../dialects/pipeline/rehearse.ts';
import type { DialectServices } from '../dialects/runtime/deps.ts';
import { createUpstreams } from '../federation/registry.ts';
import type { Identity } from '../identity/context.ts';
import { createPolicyReader } from '../identity/factors/policy.ts';
import { endingLegacyTokens } from '../identity/legacy/tokens-from.ts';
import { NO_LEGACY_SYSTEMS } from '../identity/legacy-systems.ts';
import { behindSignIns } from '../identity/passwords/hasher.ts';
import { createAnonymousBudgets } from '../identity/rate-limits/anonymous-budgets.ts';
import { createBudgets } from '../identity/rate-limits/budgets.ts';
import { createAttempts } from '../identity/rate-limits/sign-in-attempts.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { Audit } from '../observe/audit.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { OidcServer } from '../oidc/contract.ts';
import { createPendingComparisons } from '../shadow/pending-comparisons.ts';
import { createShadow, type Shadow, type ShadowOptions } from '../shadow/shadow.ts';
import { createForgetfulStores } from '../store/forgetful/forgetful-stores.ts';
import { type Lifecycle, repeat } from './lifecycle.ts';

const NO_MAIL: Mailer = { send: () => {}, drain: async () => true, close: async () => {} };
const NO_AUDIT: Audit = { write: () => {} };

/** Milliseconds. So often a node stores what it found. */
const STORED_EVERY = 10_000;

export async function openShadow(
  services: Parameters<typeof createRehearsals>[0],
  { lifecycle, metrics, learn }: { lifecycle: Lifecycle; metrics: Metrics } & Pick<ShadowOptions, 'learn'>,
): Promise<Shadow> {
  const { log, stores, clock } = services;
  const pending = createPendingComparisons({ metadata: stores.metadata, clock });
  const rehearse = await createRehearsals(services);
  const shadow = createShadow({ rehearse, learn, pending, count: metrics.shadow, log });
  repeat(lifecycle, 'differences', STORED_EVERY, log, () => pending.flush());
  lifecycle.onClose('work', 'the comparison under way', () => shadow.close());
  lifecycle.onClose('audit', 'differences', () => pending.flush());
  return shadow;
}

/** `services`: those that answer requests. */
export async function createRehearsals(
  services: DialectServices & { readonly config: Config; readonly oidc: OidcServer },
): Promise<ShadowOptions['rehearse']> {
  const { config, identity, log } = services;
  const { stores, clock, rehearse: forgetting } = createForgetfulStores(identity.stores, identity.clock);
  const oidc = services.oidc.forDialectsOn({ stores, clock, audit: NO_AUDIT });
  const again: DialectServices = {
    ...services,
    ...{ stores, clock, oidc, audit: NO_AUDIT },
    identity: forgetfulIdentity(services, { stores, clock, access: oidc.access }),
    upstreams: await createUpstreams({ config, log, fetch: readingOnly }),
    legacyTraffic: undefined,
    after: undefined,
  };
  return async (exchange) => {
    const current = exchange.again(again);
    const work = () => rehearse(current, exchange.request.body);
    const { result: here, ...seen } = await forgetting(current.request.arrivedAt, work);
    return { ...seen, here };
  };
}

function forgetfulIdentity(
  { identity, config }: { readonly identity: Identity; readonly config: Config },
  ground: Pick<Identity, 'stores' | 'clock' | 'access'>,
): Identity {
  const { stores, clock, access } = ground;
  const { secrets, hasher } = identity;
  const store = stores.rateLimits;
  const budgets = createBudgets({ store, clock });
  const legacy = { ...NO_LEGACY_SYSTEMS, dialects: identity.legacy.dialects };
  return {
    ...identity,
    ...{ stores, clock, budgets, audit: NO_AUDIT, mailer: NO_MAIL, legacy },
    access: endingLegacyTokens(access, { stores, clock, legacy }),
    attempts: createAttempts({ store, budgets, clock, secrets, limits: config.attempts }),
    strangers: createAnonymousBudgets({ stores, clock, secrets, limits: config.strangers }),
    factorPolicy: createPolicyReader({ stores, clock }),
    hasher: behindSignIns(hasher),
  };
}

/** An upstream's keys are read. A code that came back from it is not: the legacy system has spent it. */
const readingOnly: typeof fetch = async (input, init) => {
  const isRead = (init?.method ?? 'GET') === 'GET' && !(input instanceof Request && input.method !== 'GET');
  if (!isRead) throw new Error('A rehearsal asks an upstream for nothing but its keys.');
  return fetch(input, init);
};
