/** What an upstream tells of its people, from server to server: Apple's notifications. Its signature is what counts. */
import type { Context } from 'koa';
import { Refused } from '../core/refused.ts';
import { IdTokenRefused, type Upstream, UpstreamUnavailable } from '../federation/protocol/upstream.ts';
import { decodeText, parseJson, readBody, refuseEncoding } from '../http/request/read-body.ts';
import { heedNotice } from '../identity/upstream/notices.ts';
import type { Page } from './shared/deps.ts';
import { requestContext } from './shared/request-context.ts';
import { upstreamOf } from './shared/upstream-trip.ts';

/** Bytes. */
const LIMIT = 16 * 1024;

export const upstreamNotified: Page = async (deps, ctx) => {
  const { identity, upstreams } = deps;
  const upstream = upstreams.get(String(ctx.params.provider));
  if (upstream?.readNotice === undefined) throw new Refused('not-found', { detail: 'it sends no notices' });
  const notice = await verified(upstream.readNotice, await payloadOf(ctx), identity.clock.now());
  // A kind that is not known here is accepted: it would only be sent again.
  const configured = (issuer: string) => upstreamOf(deps, issuer) !== undefined;
  if (notice !== undefined) await heedNotice(identity, { notice, context: requestContext(ctx), configured });
  ctx.body = {};
};

async function verified(read: NonNullable<Upstream['readNotice']>, payload: string, now: Date) {
  try {
    return await read(payload, now);
  } catch (cause) {
    if (cause instanceof UpstreamUnavailable) throw new Refused('unavailable', { cause });
    if (cause instanceof IdTokenRefused) throw new Refused('id-token-refused', { cause });
    throw cause;
  }
}

async function payloadOf({ req }: Context): Promise<string> {
  const bytes = await readBody(req, { limit: LIMIT });
  refuseEncoding(req);
  const { payload } = Object(parseJson(decodeText(bytes)));
  if (typeof payload !== 'string') throw new Refused('unreadable-body', { detail: 'no payload' });
  return payload;
}
