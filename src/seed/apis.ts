/** APIs in a seed file: their form, and what it cannot say. */
import { z } from 'zod';
import type { Issue } from '../config/issues.ts';
import type { Secrets } from '../core/crypto.ts';
import type { ApiRecord } from '../model/api.ts';

/** Scopes of signing in: an API's scope of the same name could not be told from them. */
const OF_SIGN_IN = new Set([
  ...['openid', 'offline_access', 'profile', 'email', 'phone', 'address', 'organization', 'roles', 'groups'],
]);

const SECONDS = 'must be seconds, 1 to 86400';

/** RFC 6749, 3.3. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/** Forms of the seed file that stand elsewhere in it. */
interface Forms {
  readonly id: z.ZodType<string>;
  readonly line: z.ZodString;
  readonly url: z.ZodType<string>;
  readonly claimTable: z.ZodType<Record<string, string>>;
}

export function apiForm({ id, line, url, claimTable }: Forms) {
  const local = line.or(z.record(line, line));
  return z.strictObject({
    id,
    identifier: url.refine((value) => !value.includes('#'), { message: 'must not have a fragment' }),
    secret: line.min(16, 'must have 16 characters or more').optional(),
    name: local.optional(),
    organization: id.optional(),
    scopes: z.record(
      line,
      z.strictObject({
        description: local.optional(),
        roles: z.array(line).optional(),
        unregistered: z.boolean().optional(),
      }),
    ),
    format: z.enum(['jwt', 'opaque']).optional(),
    algorithm: z.enum(['ES256', 'RS256']).optional(),
    lifetime: z.int(SECONDS).min(1, SECONDS).max(86_400, SECONDS).optional(),
    claims: claimTable.optional(),
  });
}

export type SeedApi = z.output<ReturnType<typeof apiForm>>;

export function* judgeApi(at: string, { scopes }: SeedApi): Iterable<Issue> {
  for (const name of Object.keys(scopes)) {
    const path = `${at}.scopes.${name}`;
    if (OF_SIGN_IN.has(name)) yield { path, message: 'must not be a scope of signing in' };
    if (!SCOPE.test(name)) yield { path, message: 'must be a scope: printable, without blanks, " and \\' };
  }
}

/** `{issuer}` becomes the server's own. */
export function apiRecord(
  seed: SeedApi,
  { secrets, issuer }: { secrets: Secrets; issuer: string },
): ApiRecord {
  const { secret, identifier, ...members } = seed;
  const api = {
    ...{ format: 'jwt', algorithm: 'ES256', ...members },
    identifier: identifier.replaceAll('{issuer}', issuer),
    ...(secret !== undefined && { secretHash: secrets.hmac('client-secret', secret) }),
  };
  // Without undefined members.
  return JSON.parse(JSON.stringify(api));
}
