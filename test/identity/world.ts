/**
 * The domain on a real embedded store, without HTTP: a clock that the test moves, a mailbox that catches
 * every email, and a record of whose access was ended.
 */

import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secretsFrom } from '../../src/core/crypto.ts';
import { loadClinicDecisions } from '../../src/dialects/registry.ts';
import { type NewAccountFields, registerAccount } from '../../src/identity/accounts/create-account.ts';
import type { EmailLimits, Identity, RequestContext } from '../../src/identity/context.ts';
import { createPolicyReader } from '../../src/identity/factors/policy.ts';
import { type LegacySystems, NO_LEGACY_SYSTEMS } from '../../src/identity/legacy-systems.ts';
import { createPasswordHasher } from '../../src/identity/passwords/hasher.ts';
import { createPasswordPolicy } from '../../src/identity/passwords/policy.ts';
import {
  type AnonymousLimits,
  createAnonymousBudgets,
} from '../../src/identity/rate-limits/anonymous-budgets.ts';
import { createBudgets } from '../../src/identity/rate-limits/budgets.ts';
import { type AttemptLimits, createAttempts } from '../../src/identity/rate-limits/sign-in-attempts.ts';
import { type PasswordTry, signInWithPassword } from '../../src/identity/sign-in/with-password.ts';
import type { Email } from '../../src/mail/mailer.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import type { AuditRecord } from '../../src/model/audit-event.ts';
import { createLog } from '../../src/observe/log.ts';
import { openEmbeddedStores } from '../../src/store/embedded/embedded-stores.ts';

export interface World {
  readonly identity: Identity;
  readonly emails: Email[];
  readonly audit: Omit<AuditRecord, 'at'>[];
  /** Accounts whose grants and sessions were ended, with what was kept. */
  readonly ended: { accountId: string; keep: unknown }[];
  /** Moves the clock on. */
  pass(seconds: number): void;
  /** Every byte that the database holds. */
  dump(): string;
  person(fields: NewAccountFields, organization?: string): Promise<AccountRecord>;
  close(): Promise<void>;
}

export const PASSWORD = 'Harbour-Lantern-Quartz-41';

export const LIMITS: AttemptLimits = {
  pair: { limit: 10, window: 900 },
  address: { limit: 100, window: 900 },
  login: { limit: 100, window: 3600 },
  codes: { limit: 50, window: 86_400 },
};

const EMAIL_LIMITS: EmailLimits = {
  codes: { limit: 5, window: 600 },
  resets: { limit: 3, window: 900 },
  confirmations: { limit: 5, window: 3600 },
  codesPerAddress: { limit: 100, window: 900 },
  perAddress: { limit: 60, window: 900 },
};

const STRANGERS: AnonymousLimits = {
  signIns: { limit: 2000, window: 3600 },
  pushedRequests: { limit: 2000, window: 3600 },
  deviceCodes: { limit: 600, window: 3600 },
  accounts: { limit: 500, window: 86_400 },
  clientDocuments: { limit: 60, window: 3600 },
  registrations: { limit: 20, window: 3600 },
};

export function from(address = '192.0.2.1'): RequestContext {
  return { address, requestId: 'r-1', clientId: 'c-1', channel: 'hosted' };
}

export async function openWorld(
  options: {
    limits?: Partial<AttemptLimits>;
    strangers?: Partial<AnonymousLimits>;
    queue?: number;
    legacy?: LegacySystems;
  } = {},
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'portico-identity-'));
  const file = join(folder, 'portico.db');
  const log = createLog({ level: 'silent' });
  const stores = await openEmbeddedStores({ file, log });
  await stores.migrate();
  let now = Date.UTC(2030, 5, 1, 12);
  const clock = { now: () => new Date(now) };
  const secrets = secretsFrom(Buffer.alloc(32, 7));
  const emails: Email[] = [];
  const audit: World['audit'] = [];
  const ended: World['ended'] = [];
  const budgets = createBudgets({ store: stores.rateLimits, clock });
  const identity: Identity = {
    legacy: options.legacy ?? NO_LEGACY_SYSTEMS,
    clinicDecisions: await loadClinicDecisions(),
    stores,
    clock,
    secrets,
    log,
    issuer: 'https://id.test',
    hasher: createPasswordHasher({ queue: options.queue ?? 256 }),
    policy: createPasswordPolicy({ productNames: ['Portico'], extra: [] }),
    budgets,
    emailLimits: EMAIL_LIMITS,
    strangers: createAnonymousBudgets({
      ...{ stores, clock, secrets },
      limits: { ...STRANGERS, ...options.strangers },
    }),
    attempts: createAttempts({
      store: stores.rateLimits,
      budgets,
      clock,
      secrets,
      limits: { ...LIMITS, ...options.limits },
    }),
    factorPolicy: createPolicyReader({ stores, clock }),
    mailer: { send: (email) => emails.push(email), drain: async () => true, close: async () => {} },
    audit: { write: (record) => audit.push(record) },
    access: {
      endAll: async (accountId, keep) => void ended.push({ accountId, keep }),
      forgetConsents: async () => {},
    },
  };
  for (const id of ['north', 'south'])
    await stores.organizations.put({ id, name: `${id} clinic`, hosts: [], vendor: {} });
  return {
    identity,
    emails,
    audit,
    ended,
    dump: () =>
      [file, `${file}-wal`]
        .filter((name) => existsSync(name))
        .map((name) => readFileSync(name, 'latin1'))
        .join(''),
    pass(seconds) {
      now += seconds * 1000;
    },
    person: (account, organization = 'north') => registerAccount(identity, { organization, account }),
    async close() {
      await stores.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** The reason of the refusal that a call ends in; throws when it does not. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const { Refused } = await import('../../src/core/refused.ts');
  return call.then(
    () => {
      throw new Error('It was not refused.');
    },
    (error: unknown) => {
      if (error instanceof Refused) return error.reason;
      throw error;
    },
  );
}

/** A sign-in that gives its account. */
export const signInByPassword = (identity: Identity, input: PasswordTry) =>
  signInWithPassword(identity, input, async (signIn) => signIn);
