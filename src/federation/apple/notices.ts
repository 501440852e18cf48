/**
 * Apple's notifications. https://developer.apple.com/documentation/signinwithapple/processing-changes-for-sign-in-with-apple-accounts
 */
import type { NoticeReader } from '../protocol/create-upstream.ts';
import { verifyClaims } from '../protocol/id-token.ts';
import { IdTokenRefused, isNotice } from '../protocol/upstream.ts';

/** Seconds since `iat`: as long as Apple lets one live. */
const MAX_AGE = 86_400;

export const readNotice: NoticeReader = async (token, keys, rules) => {
  const required = ['iat', 'jti', 'aud'];
  const { payload, issuer, ...once } = await verifyClaims(
    token,
    keys,
    { ...rules, maxAge: MAX_AGE },
    required,
  );
  const { type, sub } = eventOf(payload.events);
  if (typeof type !== 'string' || typeof sub !== 'string' || sub === '')
    throw new IdTokenRefused('The notification names no event of a person.');
  return isNotice(type)
    ? { ...once, issuer, subject: sub, kind: type, issuedAt: payload.iat ?? 0 }
    : undefined;
};

/** A JSON object in a text. */
function eventOf(events: unknown): Record<string, unknown> {
  try {
    return { ...Object(typeof events === 'string' ? JSON.parse(events) : events) };
  } catch (cause) {
    throw new IdTokenRefused('The event cannot be read.', { cause });
  }
}
