import type { Collections } from './collections.ts';
import { translated } from './connection.ts';

/** Documents per delete, so that no command holds the server for long. */
const BATCH = 500;

/** Deletes OIDC records that ended at or before `now`; resolves with how many. MongoDB's TTL index does the same, later. */
export async function sweep({ oidcRecords }: Collections, now: Date): Promise<number> {
  let total = 0;
  try {
    for (;;) {
      const ended = await oidcRecords
        .find({ expiresAt: { $lte: now } }, { projection: { _id: 1 } })
        .limit(BATCH)
        .toArray();
      if (ended.length === 0) return total;
      // The expiry is asked again: a record that was saved anew meanwhile lives on.
      const { deletedCount } = await oidcRecords.deleteMany({
        _id: { $in: ended.map((oidcRecord) => oidcRecord._id) },
        expiresAt: { $lte: now },
      });
      total += deletedCount;
      if (ended.length < BATCH) return total;
    }
  } catch (error) {
    throw translated(error);
  }
}
