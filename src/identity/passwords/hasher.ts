/**
 * Hashes passwords with argon2id and checks them against any family of hashes/.
 *
 * Against user enumeration, a refusal must not tell by its time what kind of hash an account has, or that there
 * is none (docs/decisions/0008-equal-refusals.md). So each refusal does the work of all kinds.
 *
 * Passwords are hashed in Unicode's NFC (NIST SP 800-63B 3.1.1.2): the same password typed on a phone and on
 * a Mac must be the same bytes. Nothing else is done to them: no trimming, no cutting. An imported hash may
 * stem from the bytes as typed, so these are tried too where they differ from NFC; that depends on the
 * password sent alone and tells nothing about the account.
 */
import { availableParallelism } from 'node:os';
import { hash as hashArgon2 } from '@node-rs/argon2';
import { Refused } from '../../core/refused.ts';
import { takePassword } from '../../core/text.ts';
import { argon2Parameters, OWN_BLANK, OWN_COST } from '../hashes/argon2.ts';
import type { HashKeys, HashReading } from '../hashes/hash-family.ts';
import { NO_KEYS, readHash } from '../hashes/read-hash.ts';

export interface PasswordHasher {
  /** A PHC string. `behind`: when no other password waits. Refused('unavailable') when too many hashes wait, ('invalid-fields') over 1024 bytes. */
  hash(password: string, options?: { readonly behind?: boolean }): Promise<string>;
  /**
   * `hash` undefined (no account, no password): wrong. What is wrong, or right but not `admitted`, takes the
   * work of one check of each kind: the one that hash() makes, and `decoys`. `rehash`: right, but of another
   * format or a weaker cost than hash() makes. Refused('unavailable').
   */
  verify(password: string, hash: string | undefined, options?: VerifyOptions): Promise<Verdict>;
}

export interface VerifyOptions {
  /** Hashes of the other kinds that the organization holds, the costliest of each. Read after a refusal alone. */
  readonly decoys?: () => Promise<readonly string[]>;
  /** False: the right password will be refused too. */
  readonly admitted?: boolean;
  /** When no other password waits. */
  readonly behind?: boolean;
}

export interface Verdict {
  readonly right: boolean;
  readonly rehash: boolean;
}

/** OWASP's sets of equal strength: at least so much memory (KiB) with at least so many passes. */
const STRONG_ENOUGH = [
  { memory: 47_104, passes: 1 },
  { memory: 19_456, passes: 2 },
  { memory: 12_288, passes: 3 },
  { memory: 9_216, passes: 4 },
  { memory: 7_168, passes: 5 },
];

/** Above this a foreign hash is remade although it is strong: each sign-in would cost several of ours. */
const COSTS_TOO_MUCH = 65_536;

/** What it hashes and checks waits until no sign-in does. */
export function behindSignIns({ hash, verify }: PasswordHasher): PasswordHasher {
  return {
    hash: (password) => hash(password, { behind: true }),
    verify: (password, known, options) => verify(password, known, { ...options, behind: true }),
  };
}

/** `concurrency`: hashes at once, by default as many as there are cores. `queue`: how many may wait. `keys`: of imported hashes. */
export function createPasswordHasher(options: {
  concurrency?: number | undefined;
  queue: number;
  keys?: HashKeys;
}): PasswordHasher {
  const { keys = NO_KEYS } = options;
  const inSlot = createWorkSlots({
    size: options.concurrency ?? availableParallelism(),
    queue: options.queue,
  });

  return {
    async hash(password, { behind = false } = {}) {
      const composed = takePassword(password);
      if (composed === undefined) {
        const issues = [{ path: ['password'], message: 'The password is too long.' }];
        throw new Refused('invalid-fields', { issues });
      }
      return inSlot(() => hashArgon2(composed, OWN_COST), behind);
    },
    async verify(password, hash, { decoys = async () => [], admitted = true, behind = false } = {}) {
      const composed = takePassword(password);
      if (composed === undefined) return { right: false, rehash: false };
      const spellings = [...new Set([composed, password])];
      const own = hash === undefined ? undefined : readHash(hash, keys);
      return inSlot(async () => {
        const { right, checks } = await tryAll(own, spellings);
        if (right && admitted && own !== undefined) {
          return { right: true, rehash: shouldRehash(own, password) };
        }
        const done = { kind: own?.kind, work: (own?.work ?? 0) * checks };
        await spendRest([OWN_BLANK, ...(await decoys())], { password, times: spellings.length, done });
        return { right, rehash: false };
      }, behind);
    },
  };
}

/** At most so many results leave together. */
const TOGETHER = 6;

/**
 * `size` pieces of work run at once and `queue` wait; the next one gets Refused('unavailable'). First come, first
 * served. Without the second bound a flood of sign-ins fills the memory with waiting passwords and answers each
 * of them minutes too late.
 *
 * While a password waits for each slot, results leave several at a time: what follows a check costs half as much when
 * it is done for several sign-ins in a row, which share transactions and flushes. No slot stays empty for that.
 * `patience`: milliseconds after which results leave although they are fewer.
 */
export function createWorkSlots(options: { size: number; queue: number; patience?: number }) {
  const { size, queue, patience = 60 } = options;
  let running = 0;
  const waiting: (() => void)[] = [];
  const behindThem: (() => void)[] = [];
  const done: (() => void)[] = [];
  let leaving: NodeJS.Timeout | undefined;

  function leave(): void {
    clearTimeout(leaving);
    leaving = undefined;
    for (const resume of done.splice(0)) resume();
  }

  function leaveTogether(): Promise<void> {
    return new Promise((resume) => {
      done.push(resume);
      if (waiting.length < size || done.length >= TOGETHER) leave();
      else leaving ??= setTimeout(leave, patience);
    });
  }

  return async <T>(work: () => Promise<T>, behind = false): Promise<T> => {
    if (running < size) running += 1;
    else {
      if (!behind && waiting.length >= queue) {
        throw new Refused('unavailable', { retryAfter: 5, detail: 'Too many passwords wait to be hashed.' });
      }
      // The slot is handed over by the one that ends: `running` stays.
      await new Promise<void>((resume) => (behind ? behindThem : waiting).push(resume));
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift() ?? behindThem.shift();
      if (next === undefined) running -= 1;
      else next();
      if (!behind) await leaveTogether();
    }
  };
}

async function tryAll(own: HashReading | undefined, spellings: readonly string[]) {
  let checks = 0;
  for (const spelling of own === undefined ? [] : spellings) {
    checks += 1;
    if (await own?.matches(spelling)) return { right: true, checks };
  }
  return { right: false, checks };
}

/** What is missing to `times` checks of each kind, after the work that the account's own hash took. */
async function spendRest(
  decoys: readonly string[],
  spent: { password: string; times: number; done: { kind: string | undefined; work: number } },
): Promise<void> {
  const { password, times, done } = spent;
  const kinds = new Map(decoys.flatMap((hash) => readHash(hash) ?? []).map((check) => [check.kind, check]));
  for (const check of kinds.values()) {
    const rest = check.work * times - (check.kind === done.kind ? done.work : 0);
    if (rest > 0) await check.spend(password, rest);
  }
}

function shouldRehash({ text, sees }: HashReading, password: string): boolean {
  // bcrypt cannot tell long passwords apart: what was typed now need not be the whole of what was set.
  if (sees !== undefined) return Buffer.byteLength(password) <= sees;
  const argon2 = argon2Parameters(text);
  if (argon2 === undefined || argon2.variant !== 'id' || argon2.version !== 19) return true;
  if (argon2.memory > COSTS_TOO_MUCH) return true;
  return !STRONG_ENOUGH.some(({ memory, passes }) => argon2.memory >= memory && argon2.passes >= passes);
}
