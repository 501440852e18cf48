import type { AccountRecord } from '../../model/account.ts';
import type { AccountStore, InsertOutcome, TakenName } from '../ports/accounts.ts';
import { firstByLogin, foldName } from '../ports/stores.ts';
import { layer, type Memory } from './memory.ts';

export function forgetfulAccounts(real: AccountStore, memory: () => Memory): AccountStore {
  const own = layer(
    () => memory().accounts,
    ({ id }) => id,
  );

  /** Notes who was found, and that a person was looked for in vain. */
  async function noted(lookUp: Promise<AccountRecord | undefined>): Promise<AccountRecord | undefined> {
    const found = await lookUp;
    const { missed, people, accounts } = memory();
    if (found === undefined) missed.add('person');
    else if (!accounts.has(found.id)) people.push(found);
    return found;
  }

  const named =
    (organization: string, name: 'email' | 'username', value: string) => (account: AccountRecord) =>
      account.organization === organization && foldName(account[name] ?? '') === foldName(value);
  const byName = (organization: string, name: 'email' | 'username', value: string) =>
    own.one(named(organization, name, value), () =>
      name === 'email' ? real.byEmail(organization, value) : real.byUsername(organization, value),
    );
  const byAlias = (alias: string, value: string) =>
    own.one(
      ({ aliases }) => aliases[alias] === value,
      () => real.byAlias(alias, value),
    );
  const byId = (id: string) =>
    own.one(
      (account) => account.id === id,
      () => real.byId(id),
    );

  /** A name that another account has. */
  async function takenOf(account: AccountRecord): Promise<TakenName | undefined> {
    const { organization, email, username, aliases } = account;
    const isOther = (holder: AccountRecord | undefined) => holder !== undefined && holder.id !== account.id;
    if (email !== undefined && isOther(await byName(organization, 'email', email))) return 'email';
    if (username !== undefined && isOther(await byName(organization, 'username', username)))
      return 'username';
    for (const [alias, value] of Object.entries(aliases))
      if (isOther(await byAlias(alias, value))) return `alias:${alias}`;
    return undefined;
  }

  async function insert(account: AccountRecord): Promise<InsertOutcome> {
    const taken = (await byId(account.id)) ? 'id' : await takenOf(account);
    if (taken !== undefined) return { taken };
    own.put(account);
    return 'inserted';
  }

  return {
    insert,
    async insertMany(accounts) {
      const outcomes: InsertOutcome[] = [];
      for (const account of accounts) outcomes.push(await insert(account));
      return outcomes;
    },
    // For operators: what a rehearsal made is not counted.
    tally: (organization) => real.tally(organization),
    byId: (id) => noted(byId(id)),
    byEmail: (organization, email) => noted(byName(organization, 'email', email)),
    byUsername: (organization, username) => noted(byName(organization, 'username', username)),
    byLogin: (organization, login, by) =>
      noted(
        own.one(
          (account) =>
            account.organization === organization && firstByLogin([account], login, by) !== undefined,
          () => real.byLogin(organization, login, by),
        ),
      ),
    byAlias: (alias, value) => noted(byAlias(alias, value)),
    async update(account) {
      const present = await byId(account.id);
      if (present === undefined) return 'gone';
      if (present.version !== account.version) return 'conflict';
      const taken = await takenOf(account);
      if (taken !== undefined) return { taken };
      const { lastSignInAt: _, ...changed } = account;
      const kept = present.lastSignInAt && { lastSignInAt: present.lastSignInAt };
      own.put({ ...changed, ...kept, version: account.version + 1 });
      return 'updated';
    },
    async touch(id, at) {
      const present = await byId(id);
      if (present !== undefined) own.put({ ...present, lastSignInAt: at });
    },
    remove: async (id) => own.remove(await byId(id)),
    async page(organization, { after = '', limit }) {
      const page = await own.all(
        (account) => account.organization === organization && account.id > after,
        () => real.page(organization, { after, limit }),
      );
      return page.sort((one, other) => (one.id < other.id ? -1 : 1)).slice(0, limit);
    },
  };
}
