/**
 * A legacy system's JWTs, held against its keys before it is asked about them: a forged one costs no call. Where the
 * operator says so the signature alone decides, for a system that is off already.
 */
import { createLocalJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose';
import type { Clock } from '../core/clock.ts';
import { createUpstreamKeys } from '../federation/protocol/jwks.ts';
import { UpstreamUnavailable } from '../federation/protocol/upstream.ts';
import type { Log } from '../observe/log.ts';
import { type Connection, type ConnectionOptions, NoReply, openConnection } from './call.ts';
import type { Away } from './line.ts';

/** Seconds by which another server's clock may be ahead. */
const SKEW = 10;

export interface TokenJudge {
  /** The claims of a token that one of the keys signed. 'forged': none did, or it may not be used. */
  judge(token: string): Promise<{ readonly claims: JWTPayload } | 'forged' | Away>;
  close(): Promise<void>;
}

interface JudgeOptions extends ConnectionOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/** Undefined: no key is configured. */
export function createTokenJudge(options: JudgeOptions): TokenJudge | undefined {
  const { legacy, clock } = options;
  const { algorithms, issuer, audience, jwksUrl } = legacy.tokens;
  const connection = jwksUrl === undefined ? undefined : openConnection(towards(jwksUrl, options));
  const verify = verifierOf(options, connection);
  if (verify === undefined) return undefined;
  return {
    async judge(token) {
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
        if (error instanceof UpstreamUnavailable) return { away: 'its keys cannot be fetched' };
        if (error instanceof errors.JOSEError || error instanceof TypeError) return 'forged';
        throw error;
      }
    },
    close: async () => connection?.close(),
  };
}

type Verify = (token: string, rules: JWTVerifyOptions) => Promise<JWTPayload>;

function verifierOf(
  { legacy, clock, log }: JudgeOptions,
  connection: Connection | undefined,
): Verify | undefined {
  const { secret, jwks, jwksUrl } = legacy.tokens;
  if (secret !== undefined) {
    const key = new TextEncoder().encode(secret);
    return async (token, rules) => (await jwtVerify(token, key, rules)).payload;
  }
  if (jwks !== undefined) {
    const keys = createLocalJWKSet(jwks);
    return async (token, rules) => (await jwtVerify(token, keys, rules)).payload;
  }
  if (jwksUrl === undefined || connection === undefined) return undefined;
  const endpoints = { jwksUri: jwksUrl };
  const fetch = (url: string) => fetchOver(connection, url);
  const keys = createUpstreamKeys({ issuer: jwksUrl, endpoints, fetch, log });
  return async (token, rules) =>
    (await jwtVerify(token, (...asked) => keys.keyFor(clock.now(), ...asked), rules)).payload;
}

/** The one way out. At another origin than the system's own neither its address holds nor what is sent to it alone. */
function towards(jwksUrl: string, { legacy, via, ownPorts }: ConnectionOptions): ConnectionOptions {
  const { origin } = new URL(jwksUrl);
  const isOwn = origin === new URL(legacy.url).origin;
  const elsewhere = { ...legacy, url: origin, address: undefined, headers: undefined };
  return { legacy: { ...(isOwn ? legacy : elsewhere), concurrency: 1 }, via, ownPorts };
}

async function fetchOver(connection: Connection, url: string): Promise<Response> {
  const { pathname, search } = new URL(url);
  try {
    const { status, body } = await connection.send({
      ...{ method: 'GET', target: pathname + search },
      headers: ['Accept', 'application/json'],
    });
    // The caller reads nothing of any other.
    return status === 200 ? new Response(new Uint8Array(body)) : new Response(null, { status: 502 });
  } catch (cause) {
    if (!(cause instanceof NoReply)) throw cause;
    throw new UpstreamUnavailable('The keys of the legacy system cannot be fetched.', { cause });
  }
}
