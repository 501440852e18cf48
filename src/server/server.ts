/**
 * The composition root: makes every part from the configuration (parts.ts), hands each what it needs, and starts to
 * listen. main.ts calls it with the configuration of the process, tests with other values. Nothing else in
 * src/ makes a store, a mailer or an OIDC server.
 */
import { createServer, type RequestListener } from 'node:http';
import type { Middleware } from 'koa';
import type { Config } from '../config/schema.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { Dialect } from '../dialects/contract/dialect.ts';
import { createApiKeyDescriber, createApiKeyOffers, hasFormOfApiKey } from '../dialects/pipeline/api-keys.ts';
import { fastSamples } from '../dialects/pipeline/fast-samples.ts';
import { ensureDialectClients } from '../dialects/pipeline/oauth-clients.ts';
import { mountDialects } from '../dialects/pipeline/pipeline.ts';
import { loadEnabledDialects } from '../dialects/registry.ts';
import { createTokenOffers } from '../dialects/runtime/access-token.ts';
import { createTokenAdmission } from '../dialects/runtime/admission.ts';
import { createOldClients } from '../dialects/runtime/old-clients.ts';
import { upstreamNames } from '../federation/registry.ts';
import { createApp } from '../http/app.ts';
import { createForms, type Forms } from '../http/forms/csrf.ts';
import { createCors } from '../http/middleware/cors.ts';
import { createInternalApp } from '../http/middleware/health.ts';
import type { Identity } from '../identity/context.ts';
import { letHashThreadsGiveWay } from '../identity/passwords/hash-threads.ts';
import { noteStoredHashes } from '../identity/sign-in/verify-password.ts';
import { startReEncryption } from '../keys/in-background.ts';
import { refusesLoop } from '../legacy/loop.ts';
import { createLog, type Log } from '../observe/log.ts';
import type { OidcServer } from '../oidc/contract.ts';
import { createDialectPages } from '../pages/provider/dialect-pages.ts';
import { pageRoutes } from '../pages/routes.ts';
import { seedAtStart } from '../seed/seed-at-start.ts';
import type { Stores } from '../store/ports/stores.ts';
import { openBrownOuts } from './brown-outs.ts';
import { createLifecycle, repeat } from './lifecycle.ts';
import { bind, drain, listen } from './listen.ts';
import { createParts, type Parts } from './parts.ts';

/** Milliseconds between two rounds of cleaning up, looking after keys, telling. No answer depends on them. */
const EVERY_MINUTE = 60_000;
const EVERY_HOUR = 60 * EVERY_MINUTE;
const AUDIT_MINUTES_EVERY = 10_000;
const RE_ENCRYPTION_EVERY = 10_000;

export interface ServerOptions {
  readonly clock?: Clock;
  readonly log?: Log;
  /** Default: those that the configuration switches on. */
  readonly dialects?: readonly Dialect[];
  /** Migrated, and closed with the server. Default: those that the configuration names. */
  readonly stores?: Stores;
  /** Breaks off a start that is under way. */
  readonly stopped?: AbortSignal;
}

export interface RunningServer {
  /** Where it listens. */
  readonly url: string;
  readonly issuer: string;
  readonly port: number;
  readonly stores: Stores;
  readonly identity: Identity;
  readonly oidc: OidcServer;
  /** Stops in order: readiness off, listening off, requests drained, emails sent, stores closed. */
  close(): Promise<void>;
}

/** Rejects, with nothing left open, when a part cannot start. */
export async function startServer(config: Config, options: ServerOptions = {}): Promise<RunningServer> {
  const log = options.log ?? createLog({ level: config.log.level });
  const clock = options.clock ?? systemClock;
  const lifecycle = createLifecycle({ log });
  try {
    // The port comes first: one in use is told at once, and port 0 becomes a port that the issuer can name.
    const front = await listen(config.http, lifecycle);
    const issuer = withPort(config.issuer, front.port);
    const dialects = options.dialects ?? (await loadEnabledDialects(config.dialects));
    const { stopped } = options;
    const ground = { config, issuer, log, clock, lifecycle, stores: options.stores, stopped };
    const deps = await createParts({ ...ground, dialects, port: front.port });
    const production = config.environment === 'production';
    const { judgeClient } = deps.oidc;
    const { resources } = config.oidc;
    const upstreams = upstreamNames(config);
    await seedAtStart({
      ...deps.identity,
      judgeClient,
      resources,
      upstreams,
      files: config.seed,
      production,
      stopped,
    });
    await noteStoredHashes(deps.stores);
    await deps.legacy?.judge();
    const handler = await createHandler(deps);
    await startInternal(deps);
    stopped?.throwIfAborted();
    await front.answerWith(handler);
    repeat(lifecycle, 'sweep', EVERY_MINUTE, log, () => deps.stores.sweep(clock.now()));
    deps.oidc.deliverLogouts();
    keepAudit(config.audit.retention, deps);
    repeat(lifecycle, 'unused clients', EVERY_HOUR, log, () => deps.oidc.registrations.endUnused());
    repeat(lifecycle, 'unfinished requests', EVERY_MINUTE, log, () => deps.unfinished.tell());
    repeat(lifecycle, 'key rotation', EVERY_MINUTE, log, () => deps.oidc.rotateKeys());
    await keepKeys(deps);
    await letHashThreadsGiveWay();
    lifecycle.ready();
    const { stores, identity, oidc } = deps;
    const url = `http://${front.host}:${front.port}`;
    return { url, issuer, port: front.port, stores, identity, oidc, close: () => lifecycle.close() };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}

/** What an operator's command works with. */
export interface OperatorTools {
  readonly identity: Identity;
  readonly oidc: OidcServer;
  /** Emails that went into a mailbox of this process, where no one reads them. */
  lostEmails(): number;
  close(): Promise<void>;
}

/** Every part but the listening one, on the configured store, beside servers that may be running. Loads no seeds. */
export async function openForOperator(config: Config, { log }: { log: Log }): Promise<OperatorTools> {
  const lifecycle = createLifecycle({ log });
  try {
    const ground = { config, issuer: config.issuer, log, clock: systemClock, lifecycle };
    const { identity, oidc, mail } = await createParts({ ...ground, dialects: [], port: config.http.port });
    const lostEmails = () => mail.mailbox?.list().length ?? 0;
    return { identity, oidc, lostEmails, close: () => lifecycle.close() };
  } catch (error) {
    await lifecycle.close();
    throw error;
  }
}

/* ------------------------------------------------------------------ the handler */

async function createHandler(deps: Parts): Promise<RequestListener> {
  const { config, issuer, secrets, identity, oidc, views, upstreams, lifecycle } = deps;
  const forms = createForms({ secrets, issuer });
  const pages = pageRoutes({
    ...{ identity, upstreams, issuer, views, forms },
    interactions: oidc.interactions,
    sessions: oidc.sessions,
    accountAccess: oidc.accountAccess,
    apiKeyOffers: createApiKeyOffers(deps),
    oldClients: createOldClients(deps),
    passwordMinimum: config.passwords.minimum,
    demo: config.demo,
  });
  const dialects = await createDialects(deps);
  const app = createApp({
    ...deps,
    pages,
    dialects: dialects?.middleware,
    development: await createDevelopmentPages({ ...deps, forms }),
    accepting: lifecycle.accepting,
    observe: deps.metrics.request,
  });
  const { via } = deps.legacy ?? {};
  return (request, response) => {
    if (via !== undefined && refusesLoop(request, response, via)) return;
    const { method = '', url = '' } = request;
    const route = oidc.fastRoute(method, url) ?? dialects?.fast.get(`${method} ${url}`);
    if (route === undefined) app.answer(request, response);
    else app.fastLane(route, request, response);
  };
}

async function createDialects(deps: Parts) {
  const { config, views, dialects, stores } = deps;
  if (dialects.length === 0) return undefined;
  await ensureDialectClients({ dialects, config, stores });
  const ground = {
    ...deps,
    brownOuts: await openBrownOuts(deps),
    after: deps.usage.count,
    showPage: createDialectPages({ views, stores }),
    serverCors: createCors(config.http.cors.origins),
  };
  const services = { ...ground, legacyTraffic: await deps.legacy?.trafficFor(ground) };
  deps.oidc.askDialects({
    describeApiKey: createApiKeyDescriber(services),
    isApiKey: (text) => hasFormOfApiKey(dialects, text),
    admitsToken: createTokenAdmission(services),
    offerToken: createTokenOffers(services),
  });
  const { middleware, mounts } = mountDialects(services);
  return { middleware, fast: fastSamples(mounts, services) };
}

/** Loaded only where it is wanted: none of it is there in production. */
async function createDevelopmentPages(deps: Parts & { forms: Forms }): Promise<Middleware[]> {
  const { config, issuer, dialects, forms, views, mail, usage, stores, clock } = deps;
  if (!config.demo) return [];
  const [{ createDemo }, { createMailboxPage }, { createUsagePage }, { dialectDocumentation }] =
    await Promise.all([
      import('../demo/demo.ts'),
      import('../demo/mailbox-page.ts'),
      import('../demo/usage-page.ts'),
      import('../dialects/docs/serve.ts'),
    ]);
  const pages = [
    createDemo({ issuer, views, forms }),
    dialectDocumentation({ dialects, config }),
    createUsagePage({ usage, store: stores.usage, clock, views }),
  ];
  return mail.mailbox === undefined ? pages : [...pages, createMailboxPage({ mailbox: mail.mailbox, views })];
}

/** `retention`: seconds; null keeps every record for ever. */
function keepAudit(retention: number | null, { lifecycle, log, clock, stores, audit }: Parts): void {
  repeat(lifecycle, 'audit minutes', AUDIT_MINUTES_EVERY, log, async () => audit.closeMinutes());
  if (retention === null) {
    log.info('audit records are kept for ever (audit.retention)');
    return;
  }
  log.info({ days: retention / 86_400 }, 'older audit records are removed (audit.retention)');
  repeat(lifecycle, 'audit retention', EVERY_MINUTE, log, () =>
    stores.audit.removeBefore(new Date(clock.now().getTime() - retention * 1000)),
  );
}

/** Tells the other nodes which keys this one has, and brings everything under the server key that encrypts. */
async function keepKeys(deps: Parts): Promise<void> {
  const { keys, config, lifecycle, log, metrics } = deps;
  await keys.serve();
  // After the round below, which would enter it again.
  lifecycle.onClose('audit', 'server keys', () => keys.leave());
  const work = startReEncryption({ ...deps, store: config.store.kind });
  metrics.observe(
    'portico_re_encryption_records_left',
    'Records that are not yet read by the pass under way.',
    work.left,
  );
  lifecycle.onClose('work', 'the re-encryption under way', work.stop);
  repeat(lifecycle, 'server keys', EVERY_MINUTE, log, () => keys.serve());
  repeat(lifecycle, 're-encryption', RE_ENCRYPTION_EVERY, log, async () => work.begin());
  work.begin();
}

/** An issuer with port 0 takes the port that the system chose. */
function withPort(issuer: string, port: number): string {
  const url = new URL(issuer);
  if (url.port === '0') url.port = String(port);
  return url.origin;
}

async function startInternal(deps: Parts): Promise<void> {
  const { host, port } = deps.config.http.internal;
  if (port === null) return;
  const app = createInternalApp({ ...deps, accepting: deps.lifecycle.accepting });
  const server = createServer(app.callback());
  await bind(server, { port, host }, 'http.internal.port');
  deps.lifecycle.onClose('work', 'internal listener', () => drain(server));
}
