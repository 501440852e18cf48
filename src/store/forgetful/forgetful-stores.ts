/**
 * Stores that forget: reads see the real store, writes go to a memory that ends with the rehearsal that made it. So a
 * whole request can run for real, sign-ins and registrations among them, and nothing of it stays: no record, no count
 * of a limit, no audit line. Outside of a rehearsal writes are lost at once.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../core/clock.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { LeaseStore } from '../ports/leases.ts';
import type { LinkTokenStore } from '../ports/link-tokens.ts';
import type { PresenceStore } from '../ports/presence.ts';
import type { Taken } from '../ports/rate-limits.ts';
import type { Stores } from '../ports/stores.ts';
import { forgetfulAccounts } from './accounts.ts';
import { forgetfulApiKeys, forgetfulIdentities } from './belongings.ts';
import { emptyMemory, layer, type Memory } from './memory.ts';
import { forgetfulOidcRecords } from './oidc-records.ts';

export interface ForgetfulStores {
  readonly stores: Stores;
  /** The moment of the rehearsal under way. */
  readonly clock: Clock;
  /** Runs `work` with a memory of its own, at the moment `at`. Resolves with what is left of it. */
  rehearse<Result>(at: Date, work: () => Promise<Result>): Promise<Rehearsed<Result>>;
}

export interface Rehearsed<Result> extends Pick<Memory, 'missed' | 'people'> {
  readonly result: Result;
  /** Whether a person was made. */
  readonly made: boolean;
  /** Ids of accounts that are not what they were. */
  readonly changed: readonly string[];
  /** What was drawn for accounts that had it not: ids, codes. As text. */
  readonly drawn: ReadonlySet<string>;
}

export function createForgetfulStores(real: Stores, realClock: Clock): ForgetfulStores {
  const running = new AsyncLocalStorage<{ readonly memory: Memory; readonly at: Date }>();
  const memory = () => running.getStore()?.memory ?? emptyMemory();
  const dropped = async () => {};
  const { organizations, clients, apis, keyring, deliveries, audit, metadata } = real;
  const named = layer(
    () => memory().metadata,
    ({ key }) => key,
  );
  const namedText = (name: string) =>
    named.one(
      ({ key }) => key === name,
      async () => {
        const value = await metadata.get(name);
        return value === undefined ? undefined : { key: name, value };
      },
    );
  const stores: Stores = {
    accounts: forgetfulAccounts(real.accounts, memory),
    identities: forgetfulIdentities(real.identities, memory),
    apiKeys: forgetfulApiKeys(real.apiKeys, memory),
    oidcRecords: forgetfulOidcRecords(real.oidcRecords, memory),
    linkTokens: forgetfulLinkTokens(real.linkTokens, memory),
    leases: forgetfulLeases(real.leases, memory),
    presence: forgetfulPresence(real.presence, memory),
    // A code is judged by spending it: none is right here.
    codes: { put: dropped, attempt: async () => 'wrong', remove: dropped, removeByAccount: dropped },
    rateLimits: withoutLimits(real.rateLimits),
    organizations: { ...organizations, put: async () => 'stored' },
    clients: { ...clients, put: dropped, remove: async () => false },
    apis: { ...apis, put: async () => 'stored', remove: async () => false },
    keyring: { read: () => keyring.read(), write: async () => false },
    deliveries: {
      ...deliveries,
      add: async (all) => all.map(({ id }) => id),
      update: async () => false,
      remove: async () => false,
    },
    usage: { since: (day) => real.usage.since(day), change: dropped, removeBefore: async () => 0 },
    audit: { ...audit, append: dropped, removeBefore: async () => 0 },
    metadata: {
      get: async (name) => (await namedText(name))?.value,
      set: async (key, value) => named.put({ key, value }),
      async setOnce(key, value) {
        if ((await namedText(key)) !== undefined) return false;
        named.put({ key, value });
        return true;
      },
      async replace(key, before, value) {
        if ((await namedText(key))?.value !== before) return false;
        named.put({ key, value });
        return true;
      },
    },
    migrate: dropped,
    health: () => real.health(),
    fullness: () => real.fullness(),
    sweep: async () => 0,
    close: dropped,
  };
  return {
    stores,
    clock: { now: () => running.getStore()?.at ?? realClock.now() },
    async rehearse(at, work) {
      const own = emptyMemory();
      const result = await running.run({ memory: own, at }, work);
      return { ...outcomeOf(own), result };
    },
  };
}

function outcomeOf(memory: Memory): Omit<Rehearsed<unknown>, 'result'> {
  const { missed, people, accounts, identities, apiKeys } = memory;
  const known = new Map(people.map((account) => [account.id, account]));
  const now = [...accounts.values()].filter((account) => account !== undefined);
  const moved = [...known.values()].filter(({ id, updatedAt }) => {
    const own = accounts.get(id);
    return accounts.has(id) && own?.updatedAt.getTime() !== updatedAt.getTime();
  });
  const owners = [...identities.values(), ...apiKeys.values()].map((own) => own?.accountId);
  return {
    ...{ missed, people },
    made: now.some(({ id }) => !known.has(id)),
    changed: [...moved.map(({ id }) => id), ...owners.filter((id) => id !== undefined)],
    drawn: new Set(now.flatMap((account) => drawnIn(account, known.get(account.id)))),
  };
}

/** Aliases and vendors' members that `before` has not. */
function drawnIn(account: AccountRecord, before: AccountRecord | undefined): string[] {
  const values = ({ aliases, vendor }: AccountRecord) =>
    [aliases, ...Object.values(vendor)].flatMap((members) => Object.values(members).map(String));
  const known = new Set(before === undefined ? [] : values(before));
  return values(account).filter((value) => !known.has(value));
}

const ROOM: Taken = { allowed: true, count: 1, retryAfter: 0 };

/** What a request counts is counted where it was answered. */
function withoutLimits({ rememberedUntil }: Stores['rateLimits']): Stores['rateLimits'] {
  const room = async () => ROOM;
  const nothing = async () => {};
  return {
    hold: async (budgets) => budgets.map(() => ({ room: true, charged: ROOM })),
    ...{ finish: nothing, giveBack: nothing, clear: nothing, remember: nothing },
    ...{ take: room, peek: room, takeInWindow: room, peekWindow: room },
    rememberedUntil,
  };
}

function forgetfulLinkTokens(real: LinkTokenStore, memory: () => Memory): LinkTokenStore {
  const own = layer(
    () => memory().linkTokens,
    ({ key }) => key,
    ({ accountId, purpose }) =>
      memory().endedLinks.some(
        (ended) => ended.accountId === accountId && (ended.purpose ?? purpose) === purpose,
      ),
  );
  const read = async (hash: string, purpose: string, now: Date) => {
    const found = await own.one(
      (stored) => stored.key === hash && stored.purpose === purpose && stored.expiresAt > now,
      async () => {
        const stored = await real.read(hash, purpose, now);
        return stored && { ...stored, key: hash };
      },
    );
    if (found === undefined) memory().missed.add('link-token');
    return found;
  };
  const plain = (found: Awaited<ReturnType<typeof read>>) => {
    if (found === undefined) return undefined;
    const { key: _, ...linkToken } = found;
    return linkToken;
  };
  return {
    put: async (key, linkToken) => own.put({ ...linkToken, key }),
    read: async (hash, purpose, now) => plain(await read(hash, purpose, now)),
    async spend(hash, purpose, now) {
      const found = await read(hash, purpose, now);
      own.remove(found);
      return plain(found);
    },
    async removeByAccount(accountId, purpose) {
      const { linkTokens, endedLinks } = memory();
      endedLinks.push({ accountId, purpose });
      for (const [key, stored] of linkTokens) {
        if (stored?.accountId === accountId && (purpose ?? stored.purpose) === stored.purpose)
          linkTokens.set(key, undefined);
      }
    },
  };
}

function forgetfulLeases(real: LeaseStore, memory: () => Memory): LeaseStore {
  const table = () => memory().leases;
  const read: LeaseStore['read'] = async (key, now) => {
    if (!table().has(key)) return real.read(key, now);
    const lease = table().get(key);
    if (lease === undefined || lease.until <= now) return 'free';
    return lease.result ?? 'claimed';
  };
  const held = (key: string, owner: string) => {
    const lease = table().get(key);
    return lease?.owner === owner && lease.result === undefined;
  };
  return {
    read,
    async acquire(key, owner, now, until) {
      if ((await read(key, now)) !== 'free') return false;
      table().set(key, { key, owner, until });
      return true;
    },
    async complete(key, owner, { until, ...result }) {
      if (!held(key, owner)) return false;
      table().set(key, { key, owner, until, result });
      return true;
    },
    async release(key, owner) {
      if (held(key, owner)) table().set(key, undefined);
    },
    forget: async (key) => void table().set(key, undefined),
  };
}

function forgetfulPresence(real: PresenceStore, memory: () => Memory): PresenceStore {
  const table = () => memory().presence;
  return {
    put: async (key, presence) => void table().set(key, { ...presence, key }),
    async read(accountId, now) {
      if (!table().has(accountId)) return real.read(accountId, now);
      const found = table().get(accountId);
      return found && found.until > now ? { lastSeenAt: found.lastSeenAt, until: found.until } : undefined;
    },
    remove: async (accountId) => void table().set(accountId, undefined),
  };
}
