/**
 * What MongoDB needs, as numbered steps under a lock. Each step is safe to repeat, so a node that died
 * with the lock, or one that held it too long, does no harm. A step that was released is never changed; a
 * new one is added behind it.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Db } from 'mongodb';
import { StoreUnavailable, StoreUnusable } from '../../core/errors.ts';
import type { AuditRecord } from '../../model/audit-event.ts';
import { OPENING_EVENTS, withOpening } from '../../model/opened-before.ts';
import type { Log } from '../../observe/log.ts';
import { SAME_MAILBOX, withAsciiDomain } from '../ports/stores.ts';
import { accountOf, fieldsOf, takenName } from './accounts.ts';
import { keyAuditRecords } from './audit.ts';
import { type AccountDocument, type Collections, collectionsOf } from './collections.ts';
import { inserted, isServerAnswer, type MongoOptions, patientMongoClient, translated } from './connection.ts';

/** Milliseconds after which a lock counts as left behind, and that another node waits for it. */
const LOCK_LIFE = 120_000;
const LOCK_PATIENCE = 150_000;

/** MongoDB's own sweeper runs by the server's clock: an hour behind, so that no node's clock is ahead of it. */
const SWEEP_DELAY = 3600;

/** Accounts that a step looks at in one go. */
const PAGE = 500;

const UNIQUE = { unique: true, sparse: true } as const;
const SPARSE = { sparse: true } as const;

const STEPS: readonly ((collections: Collections, db: Db, log: Log) => Promise<void>)[] = [
  async ({ accounts, identities, apiKeys, oidcRecords, audit }) => {
    await accounts.createIndex({ emailKey: 1 }, UNIQUE);
    await accounts.createIndex({ usernameKey: 1 }, UNIQUE);
    await accounts.createIndex({ organizationKey: 1, _id: 1 });
    await identities.createIndex({ accountKey: 1 });
    await apiKeys.createIndex({ keyHashKey: 1 }, UNIQUE);
    await apiKeys.createIndex({ slotKey: 1 }, UNIQUE);
    await apiKeys.createIndex({ accountKey: 1 }, SPARSE);
    await apiKeys.createIndex({ organizationKey: 1 });
    await oidcRecords.createIndex({ grantKey: 1 }, SPARSE);
    await oidcRecords.createIndex({ accountKey: 1 }, SPARSE);
    await oidcRecords.createIndex({ uidKey: 1 }, SPARSE);
    await oidcRecords.createIndex({ userCodeKey: 1 }, SPARSE);
    await oidcRecords.createIndex({ expiresAt: 1 }, { expireAfterSeconds: SWEEP_DELAY });
    await audit.createIndex({ at: -1 });
    await audit.createIndex({ organizationKey: 1, at: -1 });
    await audit.createIndex({ subjectKey: 1, at: -1 });
  },
  markOpenedAccounts,
  renameCollections,
  async ({ apis }) => void (await apis.createIndex({ identifierKey: 1 }, UNIQUE)),
  spellDomainsInAscii,
  keyAuditRecords,
  async ({ deliveries }) => {
    await deliveries.createIndex({ dueAt: 1 }, SPARSE);
    await deliveries.createIndex({ expiresAt: 1 }, { expireAfterSeconds: SWEEP_DELAY });
  },
  // Grants from before have no such key: a client that is deleted leaves them to their end.
  async ({ oidcRecords }) => void (await oidcRecords.createIndex({ clientKey: 1 }, SPARSE)),
  noteStandings,
];

/** What accounts are tallied by. */
async function noteStandings({ accounts }: Collections): Promise<void> {
  // While nodes of the version before serve, an account that they change keeps its old standing until its next change.
  for await (const document of accounts.find({ record: /"legacy":\{/, standings: { $exists: false } })) {
    const { standings } = fieldsOf(accountOf(document));
    const { _id, version } = document;
    if (standings !== undefined) await accounts.updateOne({ _id, version }, { $set: { standings } });
  }
  await accounts.createIndex({ organizationKey: 1, standings: 1 });
}

/** Today's names. */
async function renameCollections({ keyring, oidcRecords }: Collections, db: Db): Promise<void> {
  const known = await db.listCollections({}, { nameOnly: true }).toArray();
  for (const [before, now] of Object.entries({ artifacts: 'oidcRecords', facts: 'metadata' })) {
    if (known.some(({ name }) => name === before)) await db.renameCollection(before, now);
  }
  await keyring.updateMany({ sealed: { $exists: true } }, { $rename: { sealed: 'encrypted' } });
  await oidcRecords.updateMany(
    { artifactId: { $exists: true } },
    { $rename: { artifactId: 'oidcRecordId' } },
  );
}

/** Says of every account where its person opened it; roles that it gave itself become its vendor's. */
async function markOpenedAccounts({ accounts, audit }: Collections): Promise<void> {
  const event = new RegExp(`"event":"(?:${OPENING_EVENTS.join('|').replaceAll('.', '\\.')})"`);
  let after = '';
  for (;;) {
    const page = await accounts
      .find({ _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(PAGE)
      .toArray();
    const last = page.at(-1);
    if (last === undefined) return;
    const subjectKey = { $in: page.map(({ _id }) => _id) };
    const lines = await audit.find({ subjectKey, record: event }).sort({ at: -1, _id: -1 }).toArray();
    // The oldest comes last, and stays.
    const openings = new Map(lines.map((line) => [line.subjectKey, JSON.parse(line.record) as AuditRecord]));
    await Promise.all(page.map((document) => mark(accounts, document, openings.get(document._id))));
    after = last._id;
  }
}

/** A node of the version before may change the account meanwhile: then it is looked at again. */
async function mark(
  accounts: Collections['accounts'],
  document: AccountDocument,
  opening: AuditRecord | undefined,
): Promise<void> {
  const { _id } = document;
  for (let present: AccountDocument | null = document; present; present = await accounts.findOne({ _id })) {
    const { version } = present;
    const marked = withOpening(accountOf(present), opening);
    if (marked === undefined) return;
    const $set = { record: JSON.stringify(marked), version: version + 1 };
    if ((await accounts.updateOne({ _id, version }, { $set })).matchedCount === 1) return;
  }
}

/** Addresses at internationalized domains get the spelling of a look-up. Two accounts are never made one. */
async function spellDomainsInAscii(collections: Collections, _db: Db, log: Log): Promise<void> {
  const { accounts } = collections;
  const named = /"(?:email|username)":"[^"]*[^\x00-\x7f]/;
  for (const { _id } of await accounts.find({ record: named }).sort({ _id: 1 }).toArray()) {
    for (let present = await accounts.findOne({ _id }); present; present = await accounts.findOne({ _id })) {
      const { version } = present;
      const account = withAsciiDomain(accountOf(present));
      const $set = { ...fieldsOf(account), version: version + 1 };
      try {
        if ((await accounts.updateOne({ _id, version }, { $set })).matchedCount === 1) break;
      } catch (error) {
        if (!isServerAnswer(error) || !(await takenName(collections, account))) throw error;
        log.warn({ account: account.id }, SAME_MAILBOX);
        break;
      }
    }
  }
}

/** Throws StoreUnusable when a newer Portico has migrated this database. */
export async function migrate(options: MongoOptions): Promise<void> {
  const client = patientMongoClient(options.url);
  try {
    await migrateWith(client.db(options.database), options);
  } catch (error) {
    throw translated(error);
  } finally {
    await client.close();
  }
}

async function migrateWith(db: Db, options: MongoOptions): Promise<void> {
  const collections = collectionsOf(db);
  if ((await versionOf(collections, options)) === STEPS.length) return;
  const owner = randomUUID();
  await lock(collections, owner);
  try {
    const done = await versionOf(collections, options);
    for (const [index, step] of STEPS.entries()) {
      if (index < done) continue;
      options.log.info({ step: index + 1 }, 'Migrating MongoDB.');
      await step(collections, db, options.log);
      await collections.migrations.updateOne(
        { _id: 'schema' },
        { $set: { version: index + 1 } },
        { upsert: true },
      );
    }
  } finally {
    await collections.migrations.deleteOne({ _id: 'lock', owner });
  }
}

async function versionOf({ migrations }: Collections, options: MongoOptions): Promise<number> {
  const version = (await migrations.findOne({ _id: 'schema' }))?.version ?? 0;
  if (version <= STEPS.length) return version;
  throw new StoreUnusable(
    'mongo',
    `The database ${options.database} was migrated by a newer Portico (schema ${version}; this one knows ` +
      `${STEPS.length}). Start that version again, or restore a backup from before the upgrade.`,
  );
}

async function lock({ migrations }: Collections, owner: string): Promise<void> {
  const giveUp = Date.now() + LOCK_PATIENCE;
  while (Date.now() < giveUp) {
    const until = new Date(Date.now() + LOCK_LIFE);
    if (await inserted(migrations.insertOne({ _id: 'lock', owner, until }))) return;
    await migrations.deleteOne({ _id: 'lock', until: { $lte: new Date() } });
    await wait(50 + Math.random() * 100);
  }
  throw new StoreUnavailable('mongo', {
    cause: new Error('Another node has held the migration lock too long.'),
  });
}
