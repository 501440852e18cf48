/**
 * What the engine's own body reader leaves open: it counts a body that is too long as a bad request, and
 * takes a compressed one for garbage. Both are said here in time, with the right status (security.md H3).
 */
import type { IncomingMessage } from 'node:http';
import type { Middleware } from 'koa';
import { Refused } from '../identity/refusal.ts';
import { readBody, refuseEncoding } from './input.ts';

/** Bytes; the engine's own limit. */
const LIMIT = 56 * 1024;

export const engineBodies: Middleware = async (ctx, next) => {
  const { req } = ctx;
  refuseEncoding(req);
  const length = req.headers['content-length'];
  if (length !== undefined && Number(length) > LIMIT) {
    await readBody(req, { limit: LIMIT });
    throw new Refused('too-large');
  }
  // In chunks nobody says how long it will be: it is read here, and handed on as if it had not been.
  if (req.headers['transfer-encoding'] !== undefined) {
    handBack(req, await readBody(req, { limit: LIMIT }));
  }
  await next();
};

function handBack(request: IncomingMessage, bytes: Buffer): void {
  const again = async function* () {
    if (bytes.length > 0) yield bytes;
  };
  Object.defineProperties(request, {
    readable: { value: true },
    iterator: { value: again },
    [Symbol.asyncIterator]: { value: again },
  });
}
