/** Every part but the listening one, made from the configuration and handed what it needs. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Dialect } from '../dialects/contract/dialect.ts';
import { loadClinicDecisions } from '../dialects/registry.ts';
import { createUpstreams } from '../federation/registry.ts';
import { loadStaticFiles } from '../http/middleware/static-files.ts';
import { createUnfinishedRequests } from '../http/middleware/unfinished-requests.ts';
import { requestContextOf } from '../http/request/request-context.ts';
import { loadWords } from '../http/views/i18n.ts';
import { createViews, type Views } from '../http/views/render.ts';
import type { Identity } from '../identity/context.ts';
import { createPolicyReader } from '../identity/factors/policy.ts';
import { endingLegacyTokens } from '../identity/legacy/tokens-from.ts';
import { NO_LEGACY_SYSTEMS } from '../identity/legacy-systems.ts';
import { createPasswordHasher } from '../identity/passwords/hasher.ts';
import { createPasswordPolicy } from '../identity/passwords/policy.ts';
import { createAnonymousBudgets } from '../identity/rate-limits/anonymous-budgets.ts';
import { createBudgets } from '../identity/rate-limits/budgets.ts';
import { createAttempts } from '../identity/rate-limits/sign-in-attempts.ts';
import { openKeys } from '../keys/server-keys.ts';
import { openMail } from '../mail/open-mail.ts';
import { createAudit, type FlushableAudit } from '../observe/audit.ts';
import type { Log } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { createOidcServer } from '../oidc/server/server.ts';
import { createProviderPages } from '../pages/provider/provider-pages.ts';
import { serverBrand } from '../pages/shared/branding.ts';
import { createEmailBrands, emailBrand } from '../pages/shared/email-brand.ts';
import { openStoresWhenReady } from '../store/open-stores.ts';
import type { Stores } from '../store/ports/stores.ts';
import { legacyDialects, openLegacy } from './legacy.ts';
import type { Lifecycle } from './lifecycle.ts';
import { createRevocations } from './revocations.ts';
import { openUsage } from './usage.ts';

const PROJECT = join(import.meta.dirname, '../..');

/** Milliseconds that emails may take when the server stops: under 5 s with the requests before them (listen.ts). */
const EMAILS_DRAIN = 1500;

interface Ground {
  readonly config: Config;
  readonly issuer: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly stores?: Stores | undefined;
  readonly stopped?: AbortSignal | undefined;
  /** Empty where none is served. */
  readonly dialects: readonly Dialect[];
  /** On which the server listens. */
  readonly port: number;
}

export type Parts = Awaited<ReturnType<typeof createParts>>;

export async function createParts(ground: Ground) {
  const { config, issuer, log, clock, lifecycle, stopped } = ground;
  const stores = ground.stores ?? (await openStoresWhenReady(config.store, { log, stopped }));
  lifecycle.onClose('stores', 'stores', () => stores.close());
  const keys = await openKeys({ config, stores, clock });
  const { secrets, cookieKeys } = keys;
  const { audit, metrics, unfinished } = keepRecords(ground, stores);
  const { budgets, attempts } = createLimits(config, { stores, clock, secrets });
  const { retention } = config.usage;
  const usage = openUsage({ ...{ stores, clock, secrets, metrics, lifecycle, log }, retention });
  const looks = createLooks(config);
  // One of each for all channels: what an upstream publishes is fetched once for pages and dialects.
  const upstreams = await createUpstreams({ config, log });
  const oidc = await createOidcServer({
    ...{ ...ground, stores, secrets, audit, attempts, cookieKeys },
    pages: createProviderPages({ views: looks.views, stores }),
    originOf: requestContextOf,
    countLogout: metrics.logoutDelivery,
    revoke: createRevocations({ stores, secrets, clock, upstreams }),
  });
  lifecycle.onClose('work', 'OIDC server', () => oidc.close());
  const mail = await openMailFor(ground, { stores, views: looks.views, metrics });
  const alone = await createIdentity(config, {
    ...{ stores, clock, secrets, audit, log, issuer, budgets, attempts, mailer: mail.mailer },
    access: oidc.access,
  });
  const ownPorts = [ground.port, ...(config.http.internal.port === null ? [] : [config.http.internal.port])];
  const { dialects } = ground;
  const { grants } = oidc;
  const legacy = await openLegacy({
    ...{ config, dialects, grants, metrics, usage, lifecycle, ownPorts },
    identity: alone,
  });
  const identity: Identity =
    legacy === undefined ? alone : { ...alone, legacy: legacy.systems, audit: legacy.audit };
  const parts = { keys, secrets, stores, audit, oidc, identity, legacy, mail, upstreams, metrics, usage };
  return { ...ground, ...looks, ...parts, unfinished };
}

/** What is noted of requests: the audit trail, metrics, and those that have no reply yet. */
function keepRecords({ config, log, clock, lifecycle }: Ground, stores: Stores) {
  const metrics = createMetrics();
  const unfinished = createUnfinishedRequests(log);
  lifecycle.onClose('work', 'unfinished requests', () => unfinished.tell());
  const trail = createAudit({ store: stores.audit, clock, log, toLog: config.audit.log });
  const audit = counting(trail, metrics);
  lifecycle.onClose('audit', 'audit', () => audit.flush());
  return { metrics, unfinished, audit };
}

function createLimits(
  config: Config,
  { stores, clock, secrets }: Pick<Identity, 'stores' | 'clock' | 'secrets'>,
) {
  const store = stores.rateLimits;
  const budgets = createBudgets({ store, clock });
  const attempts = createAttempts({ store, budgets, clock, secrets, limits: config.attempts });
  return { budgets, attempts };
}

async function openMailFor(
  { config, issuer, log, lifecycle }: Ground,
  { stores, views, metrics }: { stores: Stores; views: Views; metrics: Metrics },
) {
  const mail = await openMail({
    ...{ config, issuer, log },
    brand: emailBrand(views.brand),
    brandOf: createEmailBrands({ views, stores }),
    count: metrics.email,
  });
  lifecycle.onClose('work', 'mail', async () => {
    await mail.mailer.drain(EMAILS_DRAIN);
    await mail.mailer.close();
  });
  return mail;
}

/** As long as no legacy system is asked. */
async function createIdentity(
  config: Config,
  given: Pick<
    Identity,
    'stores' | 'clock' | 'secrets' | 'audit' | 'log' | 'issuer' | 'budgets' | 'attempts' | 'mailer' | 'access'
  >,
): Promise<Identity> {
  const { stores, clock, secrets } = given;
  const { queue, concurrency } = config.hashing;
  const legacy = { ...NO_LEGACY_SYSTEMS, dialects: legacyDialects(config.dialects) };
  return {
    ...given,
    access: endingLegacyTokens(given.access, { stores, clock, legacy }),
    legacy,
    clinicDecisions: await loadClinicDecisions(),
    hasher: createPasswordHasher({ queue, concurrency, keys: config.passwords.imported }),
    policy: createPasswordPolicy({ productNames: [config.branding.name], extra: config.passwords.blocklist }),
    factorPolicy: createPolicyReader({ stores, clock }),
    emailLimits: config.emails,
    strangers: createAnonymousBudgets({ stores, clock, limits: config.strangers, secrets }),
  };
}

/** What people see: words, templates, stylesheets. */
function createLooks(config: Config) {
  const words = loadWords(join(PROJECT, 'config/locales'));
  const files = loadStaticFiles(join(PROJECT, 'public'), {
    'simplewebauthn.js': fileURLToPath(
      new URL('../dist/bundle/index.umd.min.js', import.meta.resolve('@simplewebauthn/browser')),
    ),
  });
  const views = createViews({
    folder: join(PROJECT, 'views'),
    words,
    brand: serverBrand(config.branding),
    asset: files.linked,
  });
  return { files, views };
}

/** Every channel writes its sign-ins to the audit trail, so that is where they are counted; registrations too. */
function counting(audit: FlushableAudit, metrics: Metrics): FlushableAudit {
  return {
    ...audit,
    write(record) {
      audit.write(record);
      if (record.event === 'client.register') metrics.registration(record.outcome);
      if (record.event !== 'sign-in') return;
      const limited = record.detail?.why === 'too-many-requests';
      metrics.signIn({
        channel: String(record.detail?.channel ?? 'hosted'),
        outcome: limited ? 'limited' : record.outcome,
      });
    },
  };
}
