import type { UpdateFilter } from 'mongodb';
import { inTurn } from '../../core/in-turn.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AccountStore, InsertOutcome, TakenName, UpdateOutcome } from '../ports/accounts.ts';
import { defined, firstByLogin, foldName, recordFrom, standingsText } from '../ports/stores.ts';
import type { AccountDocument, Collections } from './collections.ts';
import { isDuplicate, isServerAnswer, refusedOf } from './connection.ts';
import { keyOf } from './keys.ts';

/** Calls that find out which name is taken. */
const AT_ONCE = 64;
/** Rounds for a name that another account gave up between the refusal and the look at who has it. */
const ROUNDS = 5;

export function createAccountStore(collections: Collections): AccountStore {
  const { accounts } = collections;
  const ensureIndexes = aliasIndexes(collections);
  const one = async (filter: Partial<AccountDocument>) => {
    const document = await accounts.findOne(filter);
    return document ? accountOf(document) : undefined;
  };
  return {
    async insert(account) {
      await ensureIndexes(account);
      return insert(collections, account);
    },
    async insertMany(accounts) {
      const aliases = Object.assign({}, ...accounts.map((account) => account.aliases));
      await ensureIndexes({ aliases });
      return insertMany(collections, accounts);
    },
    byId: (id) => one({ _id: keyOf(id) }),
    byEmail: (organization, email) => one({ emailKey: keyOf(organization, foldName(email)) }),
    byUsername: (organization, username) => one({ usernameKey: keyOf(organization, foldName(username)) }),
    async byLogin(organization, login, by) {
      const key = keyOf(organization, foldName(login));
      const documents = await accounts.find({ $or: by.map((name) => ({ [`${name}Key`]: key })) }).toArray();
      return firstByLogin(documents.map(accountOf), login, by);
    },
    byAlias: (alias, value) => one({ [fieldOf(alias)]: keyOf(value) }),
    async update(account) {
      await ensureIndexes(account);
      return update(collections, account);
    },
    async touch(id, at) {
      await accounts.updateOne({ _id: keyOf(id) }, { $set: { lastSignInAt: at } });
    },
    async remove(id) {
      return (await accounts.deleteOne({ _id: keyOf(id) })).deletedCount === 1;
    },
    async page(organization, { after, limit }) {
      const beyond = after === undefined ? {} : { _id: { $gt: keyOf(after) } };
      const filter = { organizationKey: keyOf(organization), ...beyond };
      const documents = await accounts.find(filter).sort({ _id: 1 }).limit(limit).toArray();
      return documents.map(accountOf);
    },
    async tally(organization) {
      // Of the two fields of one index and no other, so that no document is read.
      const groups = await accounts
        .aggregate<{ readonly _id: string | null; readonly count: number }>([
          { $match: { organizationKey: keyOf(organization) } },
          { $group: { _id: '$standings', count: { $sum: 1 } } },
        ])
        .toArray();
      return groups.map(({ _id, count }) => ({ standings: JSON.parse(_id ?? '{}'), count }));
    },
  };
}

/**
 * A vendor's alias is a field with a unique index of its own, made when the vendor is first met: the store
 * does not know the vendors. No account can have the alias before its index stands.
 */
function aliasIndexes({ accounts }: Collections) {
  const made = new Map<string, Promise<string>>();
  const ensure = (alias: string) => {
    const known = made.get(alias);
    if (known) return known;
    const making = accounts.createIndex({ [fieldOf(alias)]: 1 }, { unique: true, sparse: true });
    made.set(alias, making);
    making.catch(() => made.delete(alias));
    return making;
  };
  return ({ aliases }: Pick<AccountRecord, 'aliases'>) => Promise.all(Object.keys(aliases).map(ensure));
}

function fieldOf(alias: string): `alias_${string}` {
  if (!/^[a-z][a-z0-9_-]{0,39}$/.test(alias)) throw new RangeError('An alias is named by a dialect.');
  return `alias_${alias}`;
}

function documentOf(account: AccountRecord) {
  const { id, version, lastSignInAt } = account;
  return defined({ _id: keyOf(id), ...fieldsOf(account), version, lastSignInAt });
}

/** One look finds the names that are taken; an account whose name was given up meanwhile is inserted alone. */
async function insertMany(
  collections: Collections,
  accounts: readonly AccountRecord[],
): Promise<InsertOutcome[]> {
  if (accounts.length === 0) return [];
  const documents = accounts.map(documentOf);
  const refused = await refusedOf(collections.accounts.insertMany(documents, { ordered: false }));
  const holders = await holdersOf(
    collections,
    [...refused].flatMap((at) => documents[at] ?? []),
  );
  return inTurn(accounts, AT_ONCE, async (account, at) => {
    if (!refused.has(at)) return 'inserted';
    const taken = Object.entries(documents[at] ?? {}).find(([field, value]) =>
      holders.has(`${field} ${value}`),
    );
    const name = taken && (taken[0] === '_id' ? 'id' : nameOf(taken[0]));
    return name === undefined ? insert(collections, account) : { taken: name };
  });
}

/** 'field value' of each name of the documents that an account has. */
async function holdersOf({ accounts }: Collections, documents: readonly object[]): Promise<Set<string>> {
  const names = documents.flatMap((document) =>
    Object.entries(document).filter(([field]) => field === '_id' || nameOf(field) !== undefined),
  );
  if (names.length === 0) return new Set();
  const either = Object.entries(Object.groupBy(names, ([field]) => field)).map(([field, all = []]) => ({
    [field]: { $in: all.map(([, value]) => value) },
  }));
  const found = await accounts.find({ $or: either }, { projection: { record: 0 } }).toArray();
  return new Set(found.flatMap((one) => Object.entries(one).map(([field, value]) => `${field} ${value}`)));
}

async function insert(collections: Collections, account: AccountRecord): Promise<InsertOutcome> {
  const document = documentOf(account);
  for (let round = 1; ; round += 1) {
    try {
      await collections.accounts.insertOne(document);
      return 'inserted';
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      if (await collections.accounts.findOne({ _id: document._id })) return { taken: 'id' };
      const taken = await takenName(collections, account);
      if (taken) return { taken };
      if (round === ROUNDS) throw error;
    }
  }
}

async function update(collections: Collections, account: AccountRecord): Promise<UpdateOutcome> {
  const { accounts } = collections;
  const _id = keyOf(account.id);
  for (let round = 1; ; round += 1) {
    const stored = await accounts.findOne({ _id });
    if (!stored) return 'gone';
    if (stored.version !== account.version) return 'conflict';
    const fields = fieldsOf(account);
    const unset = Object.keys(stored).filter(
      (field) => (nameOf(field) || field === 'standings') && !(field in fields),
    );
    const change: UpdateFilter<AccountDocument> = {
      $set: { ...fields, version: account.version + 1 },
      ...(unset.length === 0 ? {} : { $unset: Object.fromEntries(unset.map((field) => [field, ''])) }),
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

/** The word for the name that a field of a document holds; undefined for any other field. */
function nameOf(field: string): TakenName | undefined {
  if (field === 'emailKey') return 'email';
  if (field === 'usernameKey') return 'username';
  return field.startsWith('alias_') ? `alias:${field.slice('alias_'.length)}` : undefined;
}

type Fields = Pick<AccountDocument, 'organizationKey' | 'emailKey' | 'usernameKey' | 'standings' | 'record'> &
  Record<`alias_${string}`, string>;

export function fieldsOf(account: AccountRecord): Fields {
  const { email, username, organization } = account;
  const aliases = Object.entries(account.aliases).map(([alias, value]) => [fieldOf(alias), keyOf(value)]);
  return {
    ...defined({
      organizationKey: keyOf(organization),
      emailKey: email === undefined ? undefined : keyOf(organization, foldName(email)),
      usernameKey: username === undefined ? undefined : keyOf(organization, foldName(username)),
      standings: standingsText(account),
    }),
    ...Object.fromEntries(aliases),
    record: JSON.stringify(account),
  };
}

/** Which name of `account` another account has. The index has decided already; this only finds the word for it. */
export async function takenName(
  { accounts }: Collections,
  account: AccountRecord,
): Promise<TakenName | undefined> {
  for (const [field, value] of Object.entries(fieldsOf(account))) {
    const name = nameOf(field);
    const holder = name && (await accounts.findOne({ [field]: value }));
    if (holder && holder._id !== keyOf(account.id)) return name;
  }
  return undefined;
}

export function accountOf({ record, version, lastSignInAt }: AccountDocument): AccountRecord {
  return recordFrom<AccountRecord>(record, ['createdAt', 'updatedAt'], { version, lastSignInAt });
}
