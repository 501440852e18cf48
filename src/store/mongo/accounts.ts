import type { UpdateFilter } from 'mongodb';
import type { AccountRecord } from '../../model/account.ts';
import type { AccountStore, InsertOutcome, TakenName, UpdateOutcome } from '../ports/accounts.ts';
import { firstByLogin, foldName } from '../ports/stores.ts';
import type { AccountDocument, Collections } from './collections.ts';
import { isDuplicate, isServerAnswer } from './connection.ts';
import { keyOf } from './keys.ts';

/** Rounds for a name that another account gave up between the refusal and the look at who has it. */
const ROUNDS = 5;

export function createAccountStore(collections: Collections): AccountStore {
  const { accounts } = collections;
  const indexes = new AliasIndexes(collections);
  const one = async (filter: Partial<AccountDocument>) => accountOf(await accounts.findOne(filter));
  return {
    insert: (account) => insert(collections, indexes, account),
    byId: (id) => one({ _id: keyOf(id) }),
    byEmail: (organization, email) => one({ emailKey: keyOf(organization, foldName(email)) }),
    byUsername: (organization, username) => one({ usernameKey: keyOf(organization, foldName(username)) }),
    async byLogin(organization, login, by) {
      const key = keyOf(organization, foldName(login));
      const documents = await accounts.find({ $or: by.map((name) => ({ [`${name}Key`]: key })) }).toArray();
      const found = documents.flatMap((document) => accountOf(document) ?? []);
      return firstByLogin(found, login, by);
    },
    byAlias: (alias, value) => one({ [fieldOf(alias)]: keyOf(value) }),
    update: (account) => update(collections, indexes, account),
    async touch(id, at) {
      await accounts.updateOne({ _id: keyOf(id) }, { $set: { lastSignInAt: at } });
    },
    async remove(id) {
      return (await accounts.deleteOne({ _id: keyOf(id) })).deletedCount === 1;
    },
    async page(organization, { after, limit }) {
      const filter = {
        organizationKey: keyOf(organization),
        ...(after === undefined ? {} : { _id: { $gt: keyOf(after) } }),
      };
      const documents = await accounts.find(filter).sort({ _id: 1 }).limit(limit).toArray();
      return documents.flatMap((document) => accountOf(document) ?? []);
    },
  };
}

/**
 * A vendor's alias is a field with a unique index of its own, made when the vendor is first met: the store
 * does not know the vendors. No account can have the alias before its index stands.
 */
class AliasIndexes {
  readonly #collections: Collections;
  readonly #made = new Map<string, Promise<string>>();

  constructor(collections: Collections) {
    this.#collections = collections;
  }

  async ensure(aliases: readonly string[]): Promise<void> {
    await Promise.all(aliases.map((alias) => this.#one(alias)));
  }

  #one(alias: string): Promise<string> {
    const known = this.#made.get(alias);
    if (known) return known;
    const making = this.#collections.accounts.createIndex(
      { [fieldOf(alias)]: 1 },
      { unique: true, sparse: true },
    );
    this.#made.set(alias, making);
    making.catch(() => this.#made.delete(alias));
    return making;
  }
}

function fieldOf(alias: string): `alias_${string}` {
  if (!/^[a-z][a-z0-9_-]{0,39}$/.test(alias)) throw new RangeError('An alias is named by a dialect.');
  return `alias_${alias}`;
}

async function insert(
  collections: Collections,
  indexes: AliasIndexes,
  account: AccountRecord,
): Promise<InsertOutcome> {
  await indexes.ensure(Object.keys(account.aliases));
  for (let round = 1; ; round += 1) {
    try {
      const lastSignInAt = account.lastSignInAt;
      await collections.accounts.insertOne({
        _id: keyOf(account.id),
        ...fieldsOf(account),
        version: account.version,
        ...(lastSignInAt === undefined ? {} : { lastSignInAt }),
      });
      return 'inserted';
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      if (await collections.accounts.findOne({ _id: keyOf(account.id) })) return { taken: 'id' };
      const taken = await takenName(collections, account);
      if (taken) return { taken };
      if (round === ROUNDS) throw error;
    }
  }
}

async function update(
  collections: Collections,
  indexes: AliasIndexes,
  account: AccountRecord,
): Promise<UpdateOutcome> {
  const { accounts } = collections;
  await indexes.ensure(Object.keys(account.aliases));
  const _id = keyOf(account.id);
  for (let round = 1; ; round += 1) {
    const stored = await accounts.findOne({ _id });
    if (!stored) return 'gone';
    if (stored.version !== account.version) return 'conflict';
    const fields = fieldsOf(account);
    const unset = Object.keys(stored).filter((name) => isName(name) && !(name in fields));
    const change: UpdateFilter<AccountDocument> = {
      $set: { ...fields, version: account.version + 1 },
      ...(unset.length === 0 ? {} : { $unset: Object.fromEntries(unset.map((name) => [name, ''])) }),
    };
    try {
      // The version is compared by the server: what was read above may be old by now.
      const { matchedCount } = await accounts.updateOne({ _id, version: account.version }, change);
      if (matchedCount === 1) return 'updated';
      return (await accounts.findOne({ _id })) ? 'conflict' : 'gone';
    } catch (error) {
      if (!isServerAnswer(error)) throw error;
      const taken = await takenName(collections, account);
      if (taken) return { taken };
      if (!isDuplicate(error) || round === ROUNDS) throw error;
    }
  }
}

function isName(field: string): boolean {
  return field === 'emailKey' || field === 'usernameKey' || field.startsWith('alias_');
}

type Fields = Pick<AccountDocument, 'organizationKey' | 'emailKey' | 'usernameKey' | 'record'> &
  Record<`alias_${string}`, string>;

function fieldsOf(account: AccountRecord): Fields {
  const aliases = Object.entries(account.aliases).map(([alias, value]) => [fieldOf(alias), keyOf(value)]);
  const { email, username, organization } = account;
  return {
    organizationKey: keyOf(organization),
    ...(email === undefined ? {} : { emailKey: keyOf(organization, foldName(email)) }),
    ...(username === undefined ? {} : { usernameKey: keyOf(organization, foldName(username)) }),
    ...Object.fromEntries(aliases),
    record: JSON.stringify(account),
  };
}

/** Which name of `account` another account has. The index has decided already; this only finds the word for it. */
async function takenName({ accounts }: Collections, account: AccountRecord): Promise<TakenName | undefined> {
  const fields: Partial<AccountDocument> = fieldsOf(account);
  const names: [TakenName, keyof AccountDocument & string][] = [
    ['email', 'emailKey'],
    ['username', 'usernameKey'],
    ...Object.keys(account.aliases).map((alias): [TakenName, `alias_${string}`] => [
      `alias:${alias}`,
      fieldOf(alias),
    ]),
  ];
  for (const [name, field] of names) {
    if (fields[field] === undefined) continue;
    const holder = await accounts.findOne({ [field]: fields[field] } as Partial<AccountDocument>);
    if (holder && holder._id !== keyOf(account.id)) return name;
  }
  return undefined;
}

export function accountOf(document: AccountDocument | null): AccountRecord | undefined {
  if (!document) return undefined;
  const { lastSignInAt: _stale, ...record } = JSON.parse(document.record);
  return {
    ...record,
    createdAt: new Date(record.createdAt),
    updatedAt: new Date(record.updatedAt),
    version: document.version,
    ...(document.lastSignInAt === undefined ? {} : { lastSignInAt: document.lastSignInAt }),
  };
}
