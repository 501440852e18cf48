/** /docs and /docs/<dialect>: the OpenAPI documents of the dialects that run. Development only. */
import type { Middleware } from 'koa';
import type { Config } from '../../config/schema.ts';
import type { Dialect } from '../contract/dialect.ts';
import { openApi } from './openapi.ts';

export function dialectDocumentation(options: {
  readonly dialects: readonly Dialect[];
  readonly config: Pick<Config, 'dialects'>;
}): Middleware {
  const { dialects, config } = options;
  const index = Object.fromEntries(dialects.map(({ name }) => [name, `/docs/${name}`]));
  return async (context, next) => {
    if (context.method !== 'GET' && context.method !== 'HEAD') return next();
    if (context.path === '/docs') {
      context.body = index;
      return;
    }
    const dialect = dialects.find(({ name }) => context.path === `/docs/${name}`);
    if (dialect === undefined) return next();
    context.body = openApi(dialect, config.dialects[dialect.name]);
  };
}
