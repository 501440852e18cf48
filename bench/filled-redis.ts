/** A Redis as busy hours leave it: access tokens that no request of the measurement asks for, each with its grant's set. */
import { Redis } from 'ioredis';

/** Milliseconds: longer than a measurement takes. */
const LIFE = 86_400_000;
const BATCH = 10_000;
/** Characters of an encrypted access token of the code flow. */
const PAYLOAD = 'x'.repeat(684);

/** As src/store/redis/oidc-records.ts keeps them; made by Redis itself, since it knows no faster way. */
const ADD = `
for n = ARGV[1], ARGV[1] + ARGV[2] - 1 do
  local id = redis.sha1hex(n)
  local key = 'portico:artifact:{' .. id .. '}'
  redis.call('HSET', key, 'k', 'AccessToken', 'i', id, 'p', ARGV[3], 't', ARGV[4], 'e', ARGV[4] + ARGV[5], 'g', id, 'a', n % 1000000)
  redis.call('PEXPIRE', key, ARGV[5])
  redis.call('ZADD', 'portico:grant:{' .. id .. '}', ARGV[4] + ARGV[5], id)
  redis.call('PEXPIRE', 'portico:grant:{' .. id .. '}', ARGV[5])
end`;

export async function fillRedis(url: string, tokens: number): Promise<void> {
  const redis = new Redis(url);
  for (let from = 0; from < tokens; from += BATCH)
    await redis.eval(ADD, 0, from, Math.min(BATCH, tokens - from), PAYLOAD, Date.now(), LIFE);
  await redis.quit();
}
