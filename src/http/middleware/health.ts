/**
 * Health. /livez: this process answers. /readyz: it should be given work, which it should not while it
 * stops or while a store is away. The public answer is one word; which store it is, and the metrics, are
 * told on the internal listener only.
 */
import Koa, { type Middleware } from 'koa';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Stores } from '../../store/ports/stores.ts';

export interface HealthDeps {
  readonly stores: Pick<Stores, 'health'>;
  /** False from the moment a stop was asked for. */
  readonly accepting: () => boolean;
}

export function health(deps: HealthDeps): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/livez' && ctx.path !== '/readyz') return next();
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    ctx.state.route = ctx.path;
    if (ctx.path === '/livez') {
      ctx.body = { status: 'ok' };
      return;
    }
    const { ready } = await readiness(deps);
    if (!ready) ctx.set('Retry-After', '5');
    ctx.status = ready ? 200 : 503;
    ctx.body = { status: ready ? 'ok' : 'unavailable' };
  };
}

async function readiness(deps: HealthDeps) {
  const stores = await deps.stores.health();
  return { ready: deps.accepting() && stores.every((store) => store.ok), stores };
}

/** What `http.internal` serves: /metrics, /livez, and /readyz with each store's state. Never to be published. */
export function createInternalApp(deps: HealthDeps & { log: Log; metrics: Pick<Metrics, 'expose'> }): Koa {
  const app = new Koa();
  app.on('error', (error) => deps.log.error({ err: error }, 'internal listener'));
  app.use(async (ctx) => {
    if (ctx.method !== 'GET') return;
    if (ctx.path === '/livez') ctx.body = { status: 'ok' };
    if (ctx.path === '/readyz') {
      const { ready, stores } = await readiness(deps);
      ctx.status = ready ? 200 : 503;
      ctx.body = { status: ready ? 'ok' : 'unavailable', accepting: deps.accepting(), stores };
    }
    if (ctx.path === '/metrics') {
      const { contentType, body } = await deps.metrics.expose();
      ctx.set('Content-Type', contentType);
      ctx.body = body;
    }
  });
  return app;
}
