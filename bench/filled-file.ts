/**
 * The file of the embedded store as it is after years: sign-ins and people that no request of the measurement asks
 * for. Written into the tables at once, with their indexes made anew at the end, because millions of rows would take
 * hours through the ports.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { configSchema } from '../src/config/schema.ts';
import { openStores } from '../src/store/open-stores.ts';
import { GROUND } from './soak/stores.ts';

export interface Filling {
  /** Each with a refresh token. */
  readonly grants: number;
  readonly accounts: number;
}

/** People of one clinic. */
const CLINIC = 1000;
const DAY = 86_400_000;
/** Characters of an encrypted Grant and refresh token of the code flow. */
const PAYLOADS = { Grant: 340, RefreshToken: 800 } as const;

/** A new file. */
export async function writeFilledFile(file: string, { grants, accounts }: Filling): Promise<void> {
  const { store } = configSchema.parse({ ...GROUND, store: { kind: 'embedded', embedded: { file } } });
  const stores = await openStores(store, { log: pino({ level: 'silent' }) });
  await stores.migrate();
  await stores.close();
  const database = new DatabaseSync(file);
  database.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000');
  const indexes = database
    .prepare(
      "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('accounts', 'account_aliases', 'oidc_records')",
    )
    .all();
  for (const { name } of indexes) database.exec(`DROP INDEX ${name}`);
  database.exec('BEGIN');
  const people = Array.from({ length: accounts }, () => randomUUID());
  addAccounts(database, people);
  addGrants(database, people, grants);
  for (const { sql } of indexes) database.exec(String(sql));
  database.exec('COMMIT');
  database.exec('PRAGMA journal_mode = WAL');
  database.close();
}

function addAccounts(database: DatabaseSync, people: readonly string[]): void {
  const account = database.prepare(
    'INSERT INTO accounts (id, organization, email_folded, username_folded, version, record) VALUES (?, ?, ?, ?, 1, ?)',
  );
  const alias = database.prepare('INSERT INTO account_aliases (alias, value, account_id) VALUES (?, ?, ?)');
  const at = new Date(Date.now() - 100 * DAY).toISOString();
  for (const [index, id] of people.entries()) {
    const organization = `clinic-${Math.floor(index / CLINIC)}`;
    const [email, username] = [`person${index}@clinic.example`, `person${index}`];
    const value = String(20_000_000_000 + index);
    const record = {
      ...{ id, organization, status: 'active', email, emailVerified: true, username, roles: ['doctor'] },
      passwordHash: `$argon2id$v=19$m=19456,t=2,p=1$${randomBytes(16).toString('base64')}$${randomBytes(32).toString('base64')}`,
      claims: {
        name: `Person ${index}`,
        given_name: 'Person',
        family_name: String(index),
        zoneinfo: 'Europe/Berlin',
      },
      ...{ aliases: { vsee: value }, vendor: { vsee: { type: 200, tos: true } } },
      ...{ createdAt: at, updatedAt: at, version: 1 },
    };
    account.run(id, organization, email, username, JSON.stringify(record));
    alias.run('vsee', value, id);
  }
}

function addGrants(database: DatabaseSync, people: readonly string[], grants: number): void {
  const statement = database.prepare(
    `INSERT INTO oidc_records (kind, id, payload, expires_at, grant_id, account_id, client_id, durable, created_at)
     VALUES (?, ?, ?, ?, ?, ?, 'confidential', 1, ?)`,
  );
  const now = Date.now();
  const keys = randomTexts(43);
  const key = () => keys.next().value;
  // No request reads what is in them, so that all may be parts of one text.
  const text = randomBytes(6000).toString('base64url');
  const payload = (kind: keyof typeof PAYLOADS, index: number) =>
    text.slice(index % 7000, (index % 7000) + PAYLOADS[kind]);
  for (let index = 0; index < grants; index += 1) {
    const [account = null, grant] = [people[index % people.length], key()];
    // Begun over the last fifty days.
    const begun = now - Math.floor((index / grants) * 50 * DAY);
    statement.run('Grant', key(), payload('Grant', index), begun + 60 * DAY, null, account, begun);
    statement.run(
      'RefreshToken',
      key(),
      payload('RefreshToken', index),
      begun + 55 * DAY,
      grant,
      null,
      begun,
    );
  }
}

/** Many, each as long as an HMAC: one call for each would take minutes. */
function* randomTexts(length: number): Generator<string, never> {
  for (;;) {
    const text = randomBytes(48_000).toString('base64url');
    for (let at = 0; at + length <= text.length; at += length) yield text.slice(at, at + length);
  }
}
