/**
 * A legacy system's JWTs, held against its keys before it is asked about them: a forged one costs no call. Where the
 * operator says so the signature alone decides, for a system that is off already.
 */
import { createLocalJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { LegacySettings } from '../config/legacy-section.ts';
import type { Clock } from '../core/clock.ts';
import { createCappedFetch } from '../federation/protocol/fetch.ts';
import { createUpstreamKeys } from '../federation/protocol/jwks.ts';
import { UpstreamUnavailable } from '../federation/protocol/upstream.ts';
import type { Log } from '../observe/log.ts';
import type { Away } from './line.ts';

/** Seconds by which another server's clock may be ahead. */
const SKEW = 10;

/** The claims of a token that one of the keys signed. 'forged': none did, or it may not be used. */
export type TokenJudge = (token: string) => Promise<{ readonly claims: JWTPayload } | 'forged' | Away>;

/** Undefined: no key is configured. */
export function createTokenJudge(options: {
  readonly tokens: LegacySettings['tokens'];
  readonly clock: Clock;
  readonly log: Log;
}): TokenJudge | undefined {
  const { tokens, clock } = options;
  const verify = verifierOf(options);
  if (verify === undefined) return undefined;
  const { algorithms, issuer, audience } = tokens;
  return async (token) => {
    const now = clock.now();
    const rules = {
      ...{ algorithms, currentDate: now, clockTolerance: SKEW, requiredClaims: ['exp'] },
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
    };
    try {
      const claims = await verify(token, rules);
      const isAhead = (claims.iat ?? 0) * 1000 > now.getTime() + SKEW * 1000;
      return isAhead ? 'forged' : { claims };
    } catch (error) {
      if (error instanceof UpstreamUnavailable) return { away: 'its keys are not to be had' };
      if (error instanceof errors.JOSEError || error instanceof TypeError) return 'forged';
      throw error;
    }
  };
}

type Verify = (token: string, rules: JWTVerifyOptions) => Promise<JWTPayload>;

function verifierOf({ tokens, clock, log }: Parameters<typeof createTokenJudge>[0]): Verify | undefined {
  const { secret, jwks, jwksUrl } = tokens;
  if (secret !== undefined) {
    const key = new TextEncoder().encode(secret);
    return async (token, rules) => (await jwtVerify(token, key, rules)).payload;
  }
  if (jwks !== undefined) {
    const keys = createLocalJWKSet(jwks);
    return async (token, rules) => (await jwtVerify(token, keys, rules)).payload;
  }
  if (jwksUrl === undefined) return undefined;
  const endpoints = { jwksUri: jwksUrl };
  const keys = createUpstreamKeys({ issuer: jwksUrl, endpoints, fetch: createCappedFetch(), log });
  return async (token, rules) =>
    (await jwtVerify(token, (...asked) => keys.keyFor(clock.now(), ...asked), rules)).payload;
}
