/** What a dialect may see of a request. */
import type Koa from 'koa';
import { requestInfoOf } from '../../http/request/request-context.ts';
import type { RequestView } from '../contract/endpoint.ts';

export function requestView(context: Koa.Context, at: { base: string; issuer: string }): RequestView {
  const info = requestInfoOf(context);
  const { headers } = context.req;
  return {
    method: context.method,
    path: context.path,
    base: at.base,
    query: new URLSearchParams(context.querystring),
    header(name) {
      const value = headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    host: info.host,
    address: info.address,
    issuer: at.issuer,
    arrivedAt: info.arrivedAt,
  };
}
