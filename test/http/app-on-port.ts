/**
 * The HTTP frame by itself on port 0: the real order of middleware around pages whose identity and provider
 * are stand-ins. For what belongs to the frame; journeys use the whole server (test/support/server.ts).
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Middleware } from 'koa';
import pino from 'pino';
import { type ConfigInput, configSchema } from '../../src/config/schema.ts';
import { systemClock } from '../../src/core/clock.ts';
import { secretsFrom } from '../../src/core/crypto.ts';
import { createApp } from '../../src/http/app.ts';
import { createForms } from '../../src/http/forms/csrf.ts';
import { loadStaticFiles } from '../../src/http/middleware/static-files.ts';
import { createUnfinishedRequests } from '../../src/http/middleware/unfinished-requests.ts';
import { loadWords } from '../../src/http/views/i18n.ts';
import { createViews, type Views } from '../../src/http/views/render.ts';
import { InteractionGone, type OidcServer } from '../../src/oidc/contract.ts';
import { pageRoutes } from '../../src/pages/routes.ts';
import type { PageDeps } from '../../src/pages/shared/deps.ts';
import type { StoreHealth } from '../../src/store/ports/stores.ts';

const root = path.join(import.meta.dirname, '../..');

export interface AppOnPort {
  readonly url: string;
  readonly port: number;
  /** Lines of the log, as written. */
  readonly log: readonly string[];
  readonly views: Views;
  close(): Promise<void>;
}

export interface AppOnPortOptions {
  /** Where the issuer is said to be; default: where the server listens. */
  readonly issuer?: string;
  readonly trustedProxies?: string[];
  readonly http?: ConfigInput['http'];
  /** Answers before the pages do, like a dialect. */
  readonly dialects?: Middleware;
  /** What the pages work with, in place of the stand-ins that know nothing. */
  readonly pages?: Partial<PageDeps>;
  readonly oidc?: Partial<Pick<OidcServer, 'handle' | 'methods'>>;
  readonly health?: () => Promise<StoreHealth[]>;
  readonly accepting?: () => boolean;
}

export async function startApp(options: AppOnPortOptions = {}): Promise<AppOnPort> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const issuer = options.issuer ?? url;
  const lines: string[] = [];
  const files = loadStaticFiles(path.join(root, 'public'));
  const views = createViews({
    folder: path.join(root, 'views'),
    words: loadWords(path.join(root, 'config/locales')),
    brand: { name: 'Portico', links: [] },
    asset: files.linked,
  });
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const app = createApp({
    config: configSchema.parse({
      issuer,
      http: { trustedProxies: options.trustedProxies ?? [], ...options.http },
    }),
    issuer,
    clock: systemClock,
    log,
    stores: { health: options.health ?? (async () => [{ name: 'embedded', ok: true }]) },
    oidc: {
      methods: () => undefined,
      isForPrograms: () => false,
      bounds: () => undefined,
      handle: async () => {},
      ...options.oidc,
    },
    views,
    files,
    pages: pageRoutes({ ...pageDeps({ issuer, views }), ...options.pages }),
    dialects: options.dialects,
    development: [],
    accepting: options.accepting ?? (() => true),
    unfinished: createUnfinishedRequests(log),
  });
  server.on('request', app.answer);
  return { url, port, log: lines, views, close: () => closed(server) };
}

/** No interaction, no session, no account, no client. */
function pageDeps({ issuer, views }: { issuer: string; views: Views }): PageDeps {
  const secrets = secretsFrom(new Uint8Array(32).fill(3));
  const none = async () => undefined;
  const attempts = { beginAt: async () => ({ release: none, charge: none }) };
  const stores = { organizations: { byId: none, byHost: none }, linkTokens: { read: none } };
  const deps: unknown = {
    identity: { secrets, issuer, clock: systemClock, attempts, stores },
    interactions: {
      read: async () => {
        throw new InteractionGone();
      },
    },
    sessions: { read: none },
    upstreams: new Map(),
    ...{ issuer, views, passwordMinimum: 8, demo: false },
    forms: createForms({ secrets, issuer }),
  };
  return deps as PageDeps;
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
