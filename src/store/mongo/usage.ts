import { setTimeout as wait } from 'node:timers/promises';
import type { UsageStore } from '../ports/usage.ts';
import type { Collections } from './collections.ts';
import { inserted } from './connection.ts';
import { keyOf } from './keys.ts';

export function createUsageStore({ usage }: Collections): UsageStore {
  return {
    async change(day, dialect, next) {
      const _id = keyOf(day, dialect);
      for (;;) {
        const before = await usage.findOne({ _id });
        const tallies = next(before?.tallies);
        const version = (before?.version ?? 0) + 1;
        const written = before
          ? (await usage.updateOne({ _id, version: before.version }, { $set: { tallies, version } }))
              .matchedCount === 1
          : await inserted(usage.insertOne({ _id, day, dialect, version, tallies }));
        if (written) return;
        // Another node was faster.
        await wait(Math.random() * 20);
      }
    },
    async since(first) {
      const documents = await usage
        .find({ day: { $gte: first } })
        .sort({ day: 1, dialect: 1 })
        .toArray();
      return documents.map(({ day, dialect, tallies }) => ({ day, dialect, tallies }));
    },
    async removeBefore(day) {
      return (await usage.deleteMany({ day: { $lt: day } })).deletedCount;
    },
  };
}
