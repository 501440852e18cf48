/**
 * POST /users/logout: ends the sign-ins behind the tokens it is given, of either kind. Who has a token may
 * end it, and tokens that are not there are passed over: no client learns which ones were valid.
 */

import { z } from 'zod';
import { ok } from '../../contract/reply.ts';
import { EMPTY, optional, type Reader, WRONG } from '../fields.ts';
import { failures, faulty } from '../refusals.ts';
import { TOKEN } from '../serializers.ts';
import { endpoint } from '../settings.ts';

/** A JSON array, a repeated form member, texts with commas, or the text of an array. */
export const tokenList: Reader<string[]> = {
  documented: { type: ['string', 'array'], items: { type: 'string' }, maxItems: 100 },
  read(value) {
    const texts = Array.isArray(value) ? value : [value];
    if (!texts.every((text): text is string => typeof text === 'string')) return WRONG;
    if (texts.length > 100) return WRONG;
    const tokens = texts.flatMap((text) => text.replace(/[[\]"'\s]/g, '').split(',')).filter(Boolean);
    if (tokens.length > 100) return WRONG;
    return tokens.length === 0 ? EMPTY : tokens;
  },
};

export const signOut = endpoint({
  method: 'POST',
  path: '/users/logout',
  summary: 'End the sign-ins behind some tokens',
  caller: 'anyone',
  counts: 'nothing',
  accepts: { body: z.object({ tokens: optional('tokens', tokenList) }) },
  replies: { 200: z.strictObject({ data: z.literal(true) }), ...failures(400, 401, 413, 503) },
  async answer({ body, request }, use) {
    const own = request.header('x-apitoken')?.trim();
    const tokens = body.tokens ?? (own ? [own] : []);
    if (tokens.length === 0) throw faulty('tokens', 'tokens is required');
    for (const token of new Set(tokens)) {
      if (TOKEN.test(token)) await use.signOut.byToken(token);
    }
    return ok({ data: true });
  },
});
