/**
 * The connection to MongoDB, and what every call on it has in common: majority writes and reads, short
 * time-outs, and StoreUnavailable for whatever keeps the server from answering.
 */
import {
  type Collection,
  type Document,
  type Filter,
  MongoBulkWriteError,
  MongoClient,
  MongoError,
  MongoServerError,
} from 'mongodb';
import { StoreUnavailable, StoreUnusable } from '../../core/errors.ts';
import type { Log } from '../../observe/log.ts';
import { underGuard, within } from '../ports/guard.ts';

export interface MongoOptions {
  readonly url: string;
  readonly database: string;
  readonly log: Log;
}

/** Milliseconds. A call is over after DEADLINE, its retries by the driver included. */
const SERVER_SELECTION = 3000;
/** Also how long a connection that died without a word is asked whether it lives: less than a caller waits. */
const CONNECT = 2000;
const SOCKET = 3500;
const DEADLINE = 4000;

/**
 * What was acknowledged outlives the loss of the primary, and what is read cannot be rolled back. Member by
 * member, since the same asked for as a whole gives way to what a URL says.
 */
const LASTING = { w: 'majority', journal: true, readConcernLevel: 'majority' } as const;

/** Codes with which a server says "not now": it stepped down, is stopping, or ran out of time or disk. */
const NOT_NOW = new Set([
  6, 7, 50, 64, 89, 91, 100, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436, 14031,
]);

/** Connects at the first call. */
export function mongoClient(url: string): MongoClient {
  return new MongoClient(url, {
    appName: 'portico',
    serverSelectionTimeoutMS: SERVER_SELECTION,
    connectTimeoutMS: CONNECT,
    socketTimeoutMS: SOCKET,
    waitQueueTimeoutMS: SOCKET,
    ...LASTING,
    readPreference: 'primary',
    ignoreUndefined: true,
  });
}

/** The same server without the limit on one command: building an index over many records takes long. */
export function patientMongoClient(url: string): MongoClient {
  return new MongoClient(url, {
    appName: 'portico-migration',
    serverSelectionTimeoutMS: SERVER_SELECTION,
    connectTimeoutMS: SERVER_SELECTION,
    ...LASTING,
  });
}

/** Gives each method of a port the deadline and the translation of errors. */
export function guarded<Port extends object>(port: Port): Port {
  return underGuard(port, async (work) => {
    try {
      return await within(DEADLINE, late, work);
    } catch (error) {
      throw translated(error);
    }
  });
}

const late = () => new StoreUnavailable('mongo', { cause: new Error('No answer in time.') });

/** StoreUnavailable for a server that is away; a fault of ours stays what it is. */
export function translated(error: unknown): unknown {
  if (!(error instanceof MongoError)) {
    return isOfSocket(error) ? new StoreUnavailable('mongo', { cause: error }) : error;
  }
  if (error instanceof MongoServerError && !isPassing(error)) {
    // Authentication failed, or not authorized: no waiting helps.
    if (error.code === 18 || error.code === 13) return refusedLogin(error);
    return error;
  }
  return new StoreUnavailable('mongo', { cause: error });
}

/** The driver passes on as it is what the socket says when it breaks in the middle of a write. */
function isOfSocket(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return /^(E(?!RR_)|ERR_(STREAM|SOCKET)_)/.test(String(error.code));
}

function isPassing(error: MongoServerError): boolean {
  // What breaks the connection under a bulk write is wrapped by the driver, and has no code of the server's.
  const brokenBulk = error instanceof MongoBulkWriteError && error.code === undefined;
  return brokenBulk || NOT_NOW.has(Number(error.code)) || error.hasErrorLabel('RetryableWriteError');
}

function refusedLogin(cause: MongoServerError): StoreUnusable {
  return new StoreUnusable(
    'mongo',
    'MongoDB refused the user of store.mongo.url. It needs the role readWrite on the database store.mongo.database.',
    { cause },
  );
}

/** True when a unique index refused the write. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === 11000;
}

/** True when the server itself answered with an error, whatever its code. */
export function isServerAnswer(error: unknown): boolean {
  return error instanceof MongoServerError && !isPassing(error);
}

/** True when the document was inserted; false when a unique index refused it. */
export async function inserted(insertion: Promise<unknown>): Promise<boolean> {
  try {
    await insertion;
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** The places of the documents that unique indexes refused, in an unordered insertion of many. */
export async function refusedOf(insertion: Promise<unknown>): Promise<ReadonlySet<number>> {
  try {
    await insertion;
    return new Set();
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const errors = [error.writeErrors].flat();
    if (errors.length === 0 || errors.some(({ code }) => code !== 11000)) throw error;
    return new Set(errors.map(({ index }) => index));
  }
}

/** Documents per delete, so that no command holds the server for long. */
const BATCH = 500;

/** Deletes the documents that match; resolves with how many. */
export async function removeInBatches<Stored extends Document>(
  collection: Collection<Stored>,
  filter: Filter<Stored>,
): Promise<number> {
  for (let total = 0; ; ) {
    const some = await collection
      .find(filter, { projection: { _id: 1 } })
      .limit(BATCH)
      .toArray();
    if (some.length === 0) return total;
    // The filter is asked again: a record that was saved anew meanwhile lives on.
    const { deletedCount } = await collection.deleteMany({
      $and: [{ _id: { $in: some.map(({ _id }) => _id) } }, filter],
    } as Filter<Stored>);
    total += deletedCount;
    if (some.length < BATCH) return total;
  }
}
