/**
 * Hashes passwords with argon2id and checks them against any format of imported-hash.ts.
 *
 * Passwords are hashed in Unicode's NFC (NIST SP 800-63B 3.1.1.2): the same password typed on a phone and on
 * a Mac must be the same bytes. Nothing else is done to them: no trimming, no cutting. An imported hash may
 * stem from the bytes as typed, so these are tried too where they differ from NFC; that depends on the
 * password sent alone and tells nothing about the account.
 */
import { availableParallelism } from 'node:os';
import { hash as hashArgon2 } from '@node-rs/argon2';
import { takePassword } from '../text.ts';
import { argon2Parameters, isBcrypt, readHash } from './imported-hash.ts';
import { Refused } from './refusal.ts';
import { createWorkSlots } from './work-slots.ts';

export interface PasswordHasher {
  /** A PHC string. Refused('unavailable') when too many hashes wait, ('invalid-fields') over 1024 bytes. */
  hash(password: string): Promise<string>;
  /**
   * `hash` undefined (no account, no password): the work of a check against a decoy of equal cost, and
   * wrong. `rehash`: right, but of another format or a weaker cost than hash() makes. Refused('unavailable').
   */
  verify(password: string, hash: string | undefined): Promise<{ right: boolean; rehash: boolean }>;
}

/** OWASP's second set; memory in KiB. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

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

/** bcrypt looks at so many bytes. */
const BCRYPT_BYTES = 72;

/** `concurrency`: hashes at once, by default as many as there are cores. `queue`: how many may wait. */
export function createPasswordHasher(options: {
  concurrency?: number | undefined;
  queue: number;
}): PasswordHasher {
  const inSlot = createWorkSlots({
    size: options.concurrency ?? availableParallelism(),
    queue: options.queue,
  });
  // Its password is nobody's: a check against it is never answered with "right".
  const decoy = hashArgon2('', COST);

  return {
    async hash(password) {
      const composed = takePassword(password);
      if (composed === undefined) {
        const faults = [{ path: ['password'], message: 'The password is too long.' }];
        throw new Refused('invalid-fields', { faults });
      }
      return inSlot(() => hashArgon2(composed, COST));
    },
    async verify(password, hash) {
      const composed = takePassword(password);
      if (composed === undefined) return { right: false, rehash: false };
      return inSlot(async () => {
        const check = hash === undefined ? undefined : readHash(hash);
        const right = await matches(check ?? readHash(await decoy), composed, password);
        if (check === undefined || hash === undefined || !right) return { right: false, rehash: false };
        return { right: true, rehash: shouldRehash(hash, password) };
      });
    },
  };
}

async function matches(
  check: ((password: string) => Promise<boolean>) | undefined,
  composed: string,
  password: string,
) {
  if (check === undefined) return false;
  if (await check(composed)) return true;
  return composed !== password && (await check(password));
}

function shouldRehash(hash: string, password: string): boolean {
  // bcrypt cannot tell long passwords apart: what was typed now need not be the whole of what was set.
  if (isBcrypt(hash)) return Buffer.byteLength(password) <= BCRYPT_BYTES;
  const argon2 = argon2Parameters(hash);
  if (argon2 === undefined || argon2.variant !== 'id' || argon2.version !== 19) return true;
  if (argon2.memory > COSTS_TOO_MUCH) return true;
  return !STRONG_ENOUGH.some(({ memory, passes }) => argon2.memory >= memory && argon2.passes >= passes);
}
