/**
 * The clients that registered themselves, in the store. Each has a record of its use that ends when the client was not
 * used for `unusedAfter`; the next sweep then removes the client. The cap counts these records. Adding, changing and
 * removing clients takes a lease over all nodes, so that the cap holds and a change cannot bring a deleted client back.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';
import { randomUUID } from '../../core/crypto.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import type { ClientRecord } from '../../model/client.ts';
import type { ClientStore } from '../../store/ports/installation.ts';
import type { LeaseStore } from '../../store/ports/leases.ts';
import type { ClientRegistry } from '../clients/clients.ts';
import type { OidcRecords } from '../persistence/records.ts';

const KIND = 'RegisteredClient';
/** In the place of an account: all of them are counted together. */
const HOLDER = 'registered-clients';
/** As the provider stores it. */
const ACCESS_TOKEN = 'RegistrationAccessToken';

const LEASE = 'registered-clients';
/** Milliseconds for which one caller is alone, and for which the others wait. */
const ALONE = 10_000;
const PATIENCE = 15_000;
/** Milliseconds for which "there are too many" is not asked again: a flood of registrations then costs little. */
const FULL = 1_000;
/** A use is written down at most so often: once a day, or ten times within the lifetime. Milliseconds. */
const DAY = 86_400_000;

export interface RegisteredClientsDeps {
  readonly oidcRecords: OidcRecords;
  readonly store: ClientStore;
  readonly clients: Pick<ClientRegistry, 'forget'>;
  readonly leases: LeaseStore;
  readonly clock: Clock;
  /** Seconds without use after which a client ends. */
  readonly unusedAfter: number;
  /** How many there may be. */
  readonly most: number;
}

/** Runs `work` while no other process works on registrations. Throws StoreUnavailable after waiting too long. */
export type Alone = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createRegisteredClients(deps: RegisteredClientsDeps) {
  const { oidcRecords, store, clients, clock, unusedAfter, most } = deps;
  const alone = createQueue(deps);
  const seen = new Map<string, number>();
  let fullUntil = Number.NEGATIVE_INFINITY;
  const milliseconds = () => clock.now().getTime();

  /** All that hangs on the client's registration ends with it: the record of its use and its access token. */
  const family = (clientId: string) => `registration:${clientId}`;

  const noteUse = (clientId: string) =>
    oidcRecords.save(KIND, clientId, { clientId, accountId: HOLDER, grantId: family(clientId) }, unusedAfter);

  async function put(client: ClientRecord): Promise<void> {
    await store.put(client);
    clients.forget(client.clientId);
  }

  async function remove(clientId: string): Promise<boolean> {
    const removed = await store.remove(clientId);
    clients.forget(clientId);
    await oidcRecords.endTokens(family(clientId));
    return removed;
  }

  return {
    family,
    alone,
    /** `full`: there are too many. `admit` runs once there is room, and may still say no. */
    async add(client: ClientRecord, admit: () => Promise<boolean>): Promise<'added' | 'full' | 'refused'> {
      const isFull = () => milliseconds() < fullUntil;
      if (isFull()) return 'full';
      return alone(async () => {
        if (isFull()) return 'full';
        if ((await oidcRecords.countByAccount(KIND, HOLDER)) >= most) {
          fullUntil = milliseconds() + FULL;
          return 'full';
        }
        if (!(await admit())) return 'refused';
        await noteUse(client.clientId);
        await put(client);
        return 'added';
      });
    },
    /** False: it is gone, or another change had the same registration access token. The token ends with the change. */
    change: (clientId: string, token: string, work: (present: ClientRecord) => ClientRecord) =>
      alone(async () => {
        const present = await store.byId(clientId);
        if (present === undefined || !(await oidcRecords.load(ACCESS_TOKEN, token))) return false;
        await put(work(present));
        await oidcRecords.remove(ACCESS_TOKEN, token);
        return true;
      }),
    remove: (clientId: string) => alone(() => remove(clientId)),
    /** The client signed a person in, or got a token. */
    async use(clientId: string): Promise<void> {
      const now = milliseconds();
      if (now - (seen.get(clientId) ?? 0) < Math.min(DAY, unusedAfter * 100)) return;
      if (seen.size > most) seen.clear();
      seen.set(clientId, now);
      // What is not there any more is on its way out.
      if (await oidcRecords.load(KIND, clientId)) await noteUse(clientId);
    },
    /** Those that nothing has used for too long. */
    async unused(): Promise<ClientRecord[]> {
      const registered = (await store.list()).filter((client) => client.registered !== undefined);
      if (registered.length === 0) return [];
      const used = await oidcRecords.listByAccount(KIND, HOLDER);
      const live = new Set(used.map(({ payload }) => payload.clientId));
      return registered.filter(({ clientId }) => !live.has(clientId));
    },
  };
}

/** One at a time, over all nodes. Throws StoreUnavailable for those who wait too long. */
function createQueue(deps: Pick<RegisteredClientsDeps, 'leases' | 'clock'>): Alone {
  let last: Promise<unknown> = Promise.resolve();
  /** Those of one process wait in line, so that nodes alone ask the store for the lease. */
  return function alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const deadline = performance.now() + PATIENCE;
    const mine = last.then(() => withLease(deps, deadline, work));
    last = mine.catch(() => undefined);
    return mine;
  };
}

async function withLease<Result>(
  { leases, clock }: Pick<RegisteredClientsDeps, 'leases' | 'clock'>,
  deadline: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const owner = randomUUID();
  for (let pause = 2; performance.now() < deadline; pause = Math.min(pause * 2, 50)) {
    const now = clock.now();
    if (await leases.acquire(LEASE, owner, now, new Date(now.getTime() + ALONE))) {
      try {
        return await work();
      } finally {
        await leases.release(LEASE, owner);
      }
    }
    await delay(pause);
  }
  throw new StoreUnavailable('leases', { cause: new Error('Other registrations did not end in time.') });
}
