/** A test server that is stopped and started with other keys, on one store and at one address. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../src/config/schema.ts';
import { decodeKey } from '../../src/config/server-key.ts';
import { isFull, type KeyRecord, readKeyRecord } from '../../src/keys/key-record.ts';
import { freePort } from '../support/ports.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** The one with which the store of every test server begins (test/support/server.ts). */
export const FIRST = Buffer.alloc(32, 7).toString('base64');
export const newKey = () => randomBytes(32).toString('base64');
export const bytesOf = (key: string): Buffer => decodeKey(key) ?? Buffer.alloc(0);

type Keys = Partial<Pick<Config['keys'], 'encryption' | 'decryption' | 'cookies'>>;

export async function openRotating() {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  let server: TestServer | undefined;
  let folder: string | undefined;
  const present = (): TestServer => {
    if (server === undefined) throw new Error('It does not run.');
    return server;
  };
  return {
    issuer,
    get server() {
      return present();
    },
    get file() {
      return path.join(folder ?? '', 'portico.db');
    },
    /** Stops it, and starts it with these keys. */
    async restart(keys: Keys): Promise<void> {
      const before = server;
      server = undefined;
      await before?.close({ keepStore: true });
      server = await startTestServer({
        ...(folder !== undefined && { folder }),
        config: { issuer, http: { port }, keys },
      });
      folder = server.folder;
    },
    async stop(): Promise<void> {
      await server?.close({ keepStore: true });
      server = undefined;
    },
    record: async (): Promise<KeyRecord> => {
      const record = await readKeyRecord(present().running.stores.metadata);
      if (record === undefined) throw new Error('There is no record of the keys.');
      return record;
    },
    /** Until nothing is under another key. */
    async emptied(): Promise<void> {
      const deadline = performance.now() + 20_000;
      const { metadata } = present().running.stores;
      while ((await readKeyRecord(metadata))?.server.filter(isFull).length !== 1) {
        if (performance.now() > deadline) throw new Error('The re-encryption did not end in time.');
        await sleep(20);
      }
    },
    close: () => server?.close(),
  };
}

export function endLeases(file: string): void {
  const database = new DatabaseSync(file, { timeout: 5000 });
  database.exec('UPDATE leases SET expires_at = 0');
  database.close();
}

export function vacuum(file: string): void {
  const database = new DatabaseSync(file, { timeout: 5000 });
  database.exec('VACUUM');
  database.close();
}

export function keyRecordIn(file: string): KeyRecord {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    const row = database.prepare("SELECT value FROM metadata WHERE name = 'server-keys'").get();
    return JSON.parse(String(row?.value));
  } finally {
    database.close();
  }
}

export interface Encrypted {
  readonly text: string;
  readonly context: string;
  /** Of what is not encrypted anew: the moment at which it ends. */
  readonly until?: number;
}

/** Everything in a store's file that is encrypted, each with the context that may open it. */
export function encryptedIn(file: string): Encrypted[] {
  const database = new DatabaseSync(file);
  try {
    const all = (sql: string) => database.prepare(sql).all() as unknown as Row[];
    const linkTokens = all('SELECT hash, record, expires_at FROM link_tokens');
    return [
      ...all('SELECT kind, id, payload FROM oidc_records').map(({ kind, id, payload }) => ({
        text: payload,
        context: `${kind}:${id}`,
      })),
      ...['ticket', 'state', 'upstream-names'].flatMap((kind) =>
        linkTokens.map(({ hash, record: json, expires_at: until }) => ({
          ...{ text: String(JSON.parse(json).data), context: `${kind}:${hash}`, until },
        })),
      ),
      ...all('SELECT key, encrypted, expires_at FROM leases WHERE encrypted IS NOT NULL').map(
        ({ key, encrypted, expires_at: until }) => ({ text: encrypted, context: key, until }),
      ),
      ...all('SELECT encrypted FROM keyring').map(({ encrypted }) => ({
        text: encrypted,
        context: 'keyring',
      })),
      { text: keyRecordIn(file).lookupKey, context: 'lookup-key' },
    ];
  } finally {
    database.close();
  }
}

type Row = Record<'kind' | 'id' | 'payload' | 'hash' | 'record' | 'key' | 'encrypted', string> & {
  expires_at: number;
};
