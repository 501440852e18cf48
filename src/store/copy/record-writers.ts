/**
 * Each subject's way across: how a record is written through the ports of the target, and what the target
 * says when it is asked for that record. Writing twice changes nothing, except in the audit trail.
 */
import type { DumpedRecords, DumpSubject } from '../ports/dump.ts';
import type { Limit } from '../ports/rate-limits.ts';
import type { Stores } from '../ports/stores.ts';
import { CopyRefused } from './copy-options.ts';

export interface Carrier<Record> {
  write(target: Stores, record: Record, now: Date): Promise<unknown>;
  /**
   * The record as the target answers, and as it should answer. Absent where a port has no way to ask
   * without changing something.
   */
  readonly compare?: (
    target: Stores,
    record: Record,
    now: Date,
  ) => Promise<readonly [found: unknown, expected: unknown]>;
}

/** Room for all that was counted already: copying counts, and never refuses. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export const carry: { readonly [Subject in DumpSubject]: Carrier<DumpedRecords[Subject]> } = {
  organizations: {
    async write({ organizations }, record) {
      const outcome = await organizations.put(record);
      if (outcome !== 'stored') throw taken(`organization ${record.id}`, outcome.taken);
    },
    compare: async ({ organizations }, record) => [await organizations.byId(record.id), record],
  },
  clients: {
    write: ({ clients }, record) => clients.put(record),
    compare: async ({ clients }, record) => [await clients.byId(record.clientId), record],
  },
  apis: {
    async write({ apis }, record) {
      const outcome = await apis.put(record);
      if (outcome !== 'stored') throw taken(`API ${record.id}`, outcome.taken);
    },
    compare: async ({ apis }, record) => [await apis.byId(record.id), record],
  },
  accounts: {
    async write({ accounts }, record) {
      const outcome = await accounts.insert(record);
      // There already: from the batch that was under way when a copy broke off. Verifying compares it.
      if (outcome === 'inserted' || (await accounts.byId(record.id))) return;
      throw taken(`account ${record.id}`, outcome.taken);
    },
    compare: async ({ accounts }, record) => [await accounts.byId(record.id), record],
  },
  identities: {
    write: ({ identities }, record) => identities.link(record),
    compare: async ({ identities }, record) => [
      await identities.find(record.organization, record.issuer, record.subject),
      record,
    ],
  },
  apiKeys: {
    write: ({ apiKeys }, record) => apiKeys.insert(record),
    compare: async ({ apiKeys }, record) => [await apiKeys.byHash(record.keyHash), record],
  },
  keyring: {
    write: ({ keyring }, record) => keyring.write(record.encrypted, 0),
    compare: async ({ keyring }, record) => [(await keyring.read())?.encrypted, record.encrypted],
  },
  oidcRecords: oidcRecords(),
  codes: {
    write: ({ codes }, { key, ...code }) => codes.put(key, code),
  },
  linkTokens: {
    write: ({ linkTokens }, { hash, ...linkToken }) => linkTokens.put(hash, linkToken),
    compare: async ({ linkTokens }, { hash, ...linkToken }, now) => [
      await linkTokens.read(hash, linkToken.purpose, now),
      linkToken,
    ],
  },
  leases: {
    async write({ leases }, { key, owner, until, result }, now) {
      await leases.acquire(key, owner, now, until);
      if (result) await leases.complete(key, owner, { ...result, until });
    },
    compare: async ({ leases }, { key, result }, now) => [await leases.read(key, now), result ?? 'claimed'],
  },
  presence: {
    write: ({ presence }, { accountId, ...seen }) => presence.put(accountId, seen),
    compare: async ({ presence }, { accountId, ...seen }, now) => [await presence.read(accountId, now), seen],
  },
  deliveries: {
    write: ({ deliveries }, record) => deliveries.add([record]),
    compare: async ({ deliveries }, record, now) => [await deliveries.byId(record.id, now), record],
  },
  ...counters(),
  audit: {
    write: ({ audit }, record) => audit.append(record),
  },
  usage: {
    write: ({ usage }, { day, dialect, tallies }) => usage.change(day, dialect, () => tallies),
    async compare({ usage }, record) {
      const days = await usage.since(record.day);
      return [days.find(({ day, dialect }) => day === record.day && dialect === record.dialect), record];
    },
  },
  metadata: {
    write: ({ metadata }, { name, value }) => metadata.set(name, value),
    compare: async ({ metadata }, { name, value }) => [await metadata.get(name), value],
  },
};

function oidcRecords(): Carrier<DumpedRecords['oidcRecords']> {
  /** Where an OIDC record lies is up to the target. */
  const essence = ({ durable: _place, ...rest }: Omit<DumpedRecords['oidcRecords'], 'kind'>) => rest;
  /** A moment at which the record lived: one that was saved anew with an earlier end counts as used just before it. */
  const usedAt = ({ consumedAt, expiresAt }: DumpedRecords['oidcRecords']) =>
    consumedAt && expiresAt && consumedAt >= expiresAt ? new Date(expiresAt.getTime() - 1) : consumedAt;
  return {
    async write({ oidcRecords }, record) {
      const { kind, id, consumedAt: _later, ...oidcRecord } = record;
      await oidcRecords.put(kind, id, oidcRecord);
      const at = usedAt(record);
      if (at) await oidcRecords.consume(kind, id, at);
    },
    async compare({ oidcRecords }, record, now) {
      const { kind, ...stored } = record;
      const match = await oidcRecords.byId(kind, stored.id, now);
      const consumedAt = usedAt(record);
      return [match && essence(match), essence({ ...stored, ...(consumedAt && { consumedAt }) })];
    },
  };
}

function counters(): Pick<
  { [Subject in DumpSubject]: Carrier<DumpedRecords[Subject]> },
  'windows' | 'attempts' | 'remembered'
> {
  const limitUntil = (until: Date, from: Date): Limit => ({
    limit: NO_LIMIT,
    window: Math.max(1, until.getTime() - from.getTime()),
  });
  return {
    windows: {
      // Before the events of sliding windows, which this would clear too.
      async write({ rateLimits }, { key, count, until }, now) {
        await rateLimits.clear(key);
        const limit = limitUntil(until, now);
        for (let counted = 0; counted < count; counted += 1) await rateLimits.takeInWindow(key, limit, now);
      },
      compare: async ({ rateLimits }, { key, count, until }, now) => [
        (await rateLimits.peekWindow(key, limitUntil(until, now), now)).count,
        count,
      ],
    },
    attempts: {
      write: ({ rateLimits }, { key, mark, at, until }) =>
        rateLimits.take(key, mark, limitUntil(until, at), at),
      compare: async ({ rateLimits }, { key, at, until }) => [
        (await rateLimits.peek(key, limitUntil(until, at), at)).count > 0,
        true,
      ],
    },
    remembered: {
      write: ({ rateLimits }, { key, until }) => rateLimits.remember(key, until),
      compare: async ({ rateLimits }, { key }, now) => [
        (await rateLimits.rememberedUntil(key, now)) !== undefined,
        true,
      ],
    },
  };
}

function taken(what: string, name: string): CopyRefused {
  return new CopyRefused(`The target has the ${name.split(':', 1)[0]} of ${what} already: it is not empty.`);
}
