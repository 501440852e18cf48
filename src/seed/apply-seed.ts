/**
 * Writes what a plan says. Safe to repeat, and safe to run from several processes at once: every write is
 * the store's own atomic one, and a conflict is planned again.
 */
import { availableParallelism } from 'node:os';
import type { Issue } from '../config/issues.ts';
import { inTurn } from '../core/in-turn.ts';
import { withOwnAuthority } from '../identity/accounts/password-authority.ts';
import { endEmails } from '../identity/accounts/revoke-access.ts';
import type { AccessEnder } from '../identity/context.ts';
import { readForeignHash } from '../identity/hashes/foreign-hash.ts';
import type { PasswordHasher } from '../identity/passwords/hasher.ts';
import { noteHashes } from '../identity/sign-in/verify-password.ts';
import type { AccountRecord } from '../model/account.ts';
import type { TakenName } from '../store/ports/accounts.ts';
import type { Stores } from '../store/ports/stores.ts';
import {
  isSame,
  ownerOf,
  type PlannedAccount,
  planAccount,
  planSeed,
  type SeedPlan,
  type SeedWorld,
  type Step,
} from './plan-seed.ts';
import { SeedError, type SeedFile } from './read-seed.ts';
import { apiKeyRecord, newAccount, withSeed } from './records.ts';

export interface SeedOptions extends SeedWorld {
  readonly hasher: PasswordHasher;
  /** Ends grants and sessions of an account that the file blocks, or whose password it replaces. */
  readonly access?: Pick<AccessEnder, 'endAll'>;
  /** Called now and then with how many accounts are done. */
  readonly progress?: (done: number, all: number) => void;
  /** Breaks off between two accounts. */
  readonly stopped?: AbortSignal | undefined;
}

export type Counts = Readonly<Record<Step, number>>;

export type SeedReport = ReturnType<typeof reportOf>;

/** Throws SeedError, with nothing written, when a name of the file belongs to another account. */
export async function planFile(world: SeedWorld, file: SeedFile): Promise<SeedPlan> {
  const plan = await planSeed(world, file.seed);
  if (plan.issues.length > 0) throw new SeedError(file.file, file.located(plan.issues));
  return plan;
}

export async function applySeed(options: SeedOptions, file: SeedFile): Promise<SeedReport> {
  const plan = await planFile(options, file);
  const { stores, clock, secrets } = options;
  for (const { record, step } of plan.organizations) {
    if (step === 'keep') continue;
    const outcome = await stores.organizations.put(record);
    if (outcome !== 'stored')
      throw new SeedError(file.file, [{ path: record.id, message: `${outcome.taken} is taken` }]);
  }
  await applyAccounts(options, plan.accounts, file.file);
  for (const { seed, present, step } of plan.apiKeys) {
    if (step === 'keep') continue;
    if (present) await stores.apiKeys.remove(present.id);
    const accountId = await ownerOf(stores, seed);
    await stores.apiKeys.insert(apiKeyRecord(seed, { secrets, accountId, now: clock.now() }));
  }
  for (const { record, step } of plan.apis) {
    if (step === 'keep') continue;
    const outcome = await stores.apis.put(record);
    if (outcome !== 'stored')
      throw new SeedError(file.file, [{ path: record.id, message: `its ${outcome.taken} is taken` }]);
  }
  for (const { record, step } of plan.clients) if (step !== 'keep') await stores.clients.put(record);
  return reportOf(plan);
}

async function applyAccounts(
  options: SeedOptions,
  accounts: readonly PlannedAccount[],
  file: string,
): Promise<void> {
  const imported = accounts.filter(({ setsPassword }) => setsPassword).map(({ seed }) => seed);
  for (const [organization, seeds] of Map.groupBy(imported, (seed) => seed.organization)) {
    const hashes = seeds.flatMap(({ password_hash: hash }) => {
      const judged = hash === undefined ? undefined : readForeignHash(hash);
      return judged === undefined || judged.kind === 'refused' ? [] : judged.decoy;
    });
    if (hashes.length > 0) await noteHashes(options.stores, organization, hashes);
  }
  let done = 0;
  const apply = async (planned: PlannedAccount) => {
    options.stopped?.throwIfAborted();
    if (planned.step !== 'keep') await applyAccount({ options, planned, file, tries: 3 });
    done += 1;
    if (done % 100 === 0 || done === accounts.length) options.progress?.(done, accounts.length);
  };
  const [hashed, others] = [accounts.filter(takesHash), accounts.filter((planned) => !takesHash(planned))];
  await inTurn(others, AT_ONCE, apply);
  // As many at once as there are cores: hashing passwords is the work.
  await inTurn(hashed, Math.max(2, availableParallelism()), apply);
}

/** The embedded store writes what comes in one turn as one. */
const AT_ONCE = 256;

function takesHash({ setsPassword, seed }: PlannedAccount): boolean {
  const { password, password_hash: hash } = seed;
  if (!setsPassword) return false;
  return password !== undefined || (hash !== undefined && readForeignHash(hash).kind === 'weak');
}

/** A name that was free is taken: perhaps by another process that loads the same file. Then it is an update. */
async function applyAccount(task: {
  options: SeedOptions;
  planned: PlannedAccount;
  file: string;
  tries: number;
}): Promise<void> {
  const { options, planned, file, tries } = task;
  const { stores, clock, access } = options;
  const passwordHash = planned.setsPassword ? await hashFor(options, planned) : undefined;
  const written = await write({ stores, now: clock.now(), planned, passwordHash });
  if ('taken' in written) {
    const issues: Issue[] = [];
    const again = await planAccount(options, planned.seed, { at: 'accounts', issues });
    if (tries > 1 && issues.length === 0) {
      return applyAccount({ options, planned: again, file, tries: tries - 1 });
    }
    const path = planned.seed.email ?? planned.seed.username ?? 'an account';
    throw new SeedError(file, [{ path, message: `${written.taken} was taken while the file was loaded` }]);
  }
  const { account, created } = written;
  for (const { issuer, subject } of planned.newLinks) {
    const { organization, id: accountId } = account;
    await stores.identities.link({ organization, issuer, subject, accountId, createdAt: clock.now() });
  }
  if (created) return;
  const blocked = account.status === 'blocked';
  if (blocked || passwordHash !== undefined) {
    await Promise.all([access?.endAll(account.id), endEmails(options, account.id)]);
  }
  // As set-status.ts: unblocking gives none of them back.
  if (blocked) await stores.apiKeys.removeByAccount(account.id);
}

/** The hash to be stored; undefined when the account has that password already. */
async function hashFor(options: SeedOptions, { seed, id }: PlannedAccount): Promise<string | undefined> {
  const { hasher, stores } = options;
  const present = id === undefined ? undefined : (await stores.accounts.byId(id))?.passwordHash;
  const isRight = async (text: string, hash: string) => (await hasher.verify(text, hash)).right;
  if (seed.password_hash !== undefined) {
    const judged = readForeignHash(seed.password_hash);
    if (judged.kind !== 'weak')
      return judged.kind === 'refused' || judged.hash === present ? undefined : judged.hash;
    const isThere = present !== undefined && (await judged.isIn(present, isRight));
    return isThere ? undefined : judged.wrap((text) => hasher.hash(text));
  }
  if (seed.password === undefined) return undefined;
  if (present !== undefined && (await isRight(seed.password, present))) return undefined;
  return hasher.hash(seed.password);
}

/** Inserts, or updates by compare-and-set until it succeeds. */
async function write(input: {
  stores: Stores;
  now: Date;
  planned: PlannedAccount;
  passwordHash: string | undefined;
}): Promise<{ account: AccountRecord; created: boolean } | { taken: TakenName }> {
  const { stores, now, planned, passwordHash } = input;
  if (planned.id === undefined) {
    const account = { ...newAccount(planned.seed, now), ...(passwordHash !== undefined && { passwordHash }) };
    const outcome = await stores.accounts.insert(account);
    return outcome === 'inserted' ? { account, created: true } : outcome;
  }
  for (;;) {
    const present = await stores.accounts.byId(planned.id);
    if (present === undefined) return { taken: 'id' };
    const seeded = withSeed(present, planned.seed);
    const account = passwordHash === undefined ? seeded : { ...withOwnAuthority(seeded), passwordHash };
    if (isSame(present, account)) return { account, created: false };
    const outcome = await stores.accounts.update({ ...account, updatedAt: now });
    if (outcome === 'updated') return { account, created: false };
    if (typeof outcome === 'object') return outcome;
  }
}

export function reportOf(plan: SeedPlan) {
  const count = (steps: readonly { step: Step }[]): Counts => {
    const { create = [], update = [], keep = [] } = Object.groupBy(steps, ({ step }) => step);
    return { create: create.length, update: update.length, keep: keep.length };
  };
  return {
    organizations: count(plan.organizations),
    accounts: count(plan.accounts),
    apiKeys: count(plan.apiKeys),
    apis: count(plan.apis),
    clients: count(plan.clients),
    /** Accounts that kept a password of their own. */
    keptPasswords: plan.accounts.filter(({ keepsPassword }) => keepsPassword).length,
  };
}
