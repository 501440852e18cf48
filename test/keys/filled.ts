/** Many OIDC records of an account that does not exist, as a store holds them after some years. */

import { systemClock } from '../../src/core/clock.ts';
import { secretsFrom } from '../../src/core/crypto.ts';
import { createOidcRecords } from '../../src/oidc/persistence/records.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import { bytesOf } from './rotating-server.ts';

const BATCH = 250;
/** One kind lies in MongoDB, the other in Redis. `lifetime`: seconds. */
const LASTING = { kind: 'RefreshToken', lifetime: 30 * 86_400 };
const PASSING = { kind: 'AuthorizationCode', lifetime: 3000 };

/** One of `lasting` records lasts. */
export async function fill(
  stores: Stores,
  { key, count, lasting = 2 }: { key: string; count: number; lasting?: number },
): Promise<void> {
  const secrets = secretsFrom(bytesOf(key));
  const records = createOidcRecords({ store: stores.oidcRecords, secrets, clock: systemClock });
  for (let from = 0; from < count; from += BATCH) {
    await records.saveAll(
      Array.from({ length: Math.min(BATCH, count - from) }, (_, at) => {
        const number = String(from + at);
        const payload = { grantId: `grant ${number}`, clientId: 'own-app', scope: 'openid', jti: number };
        return { ...(at % lasting === 0 ? LASTING : PASSING), value: `filled ${number}`, payload };
      }),
    );
  }
}
