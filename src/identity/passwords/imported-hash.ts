/**
 * Password hashes that other systems made and `portico seed` takes over: bcrypt, scrypt, PBKDF2, argon2i.
 * Read only: at the next sign-in the password is hashed anew by hasher.ts. Costs are capped,
 * because one hash that takes a minute would hold one of the few slots for a minute.
 */
import { pbkdf2, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { verify as verifyArgon2 } from '@node-rs/argon2';

const pbkdf2Bytes = promisify(pbkdf2);

const MAX_MEMORY = 1 << 30;
const MIN_BCRYPT_COST = 4;
const MAX_BCRYPT_COST = 16;
const MAX_PBKDF2_ROUNDS = 10_000_000;

export interface PasswordCheck {
  /** What two checks have in common whose work can be told by one number. */
  readonly kind: string;
  /** Of one check, in a unit of the kind: rounds, or one where the kind names every cost. */
  readonly work: number;
  /** Tells whether the password is the one; the bytes are hashed as given. */
  matches(password: string): Promise<boolean>;
  /** So much work of the kind, for nothing. */
  spend(password: string, work: number): Promise<void>;
}

/** How to check against `hash`; undefined when the format is not known or costs too much. */
export function readHash(hash: string): PasswordCheck | undefined {
  return readArgon2(hash) ?? readBcrypt(hash) ?? readScrypt(hash) ?? readPbkdf2(hash);
}

/** A hash of the same kind and cost that holds nothing of this one: salt and key are blank. */
export function decoyOf(hash: string): string {
  if (isBcrypt(hash)) return blankBcrypt(hash.slice(4, 6));
  const parts = hash.split('$');
  return [...parts.slice(0, -2), ...parts.slice(-2).map((part) => part.replace(/[^=]/g, 'A'))].join('$');
}

/** A kind that is one check or several, never part of one. */
function whole(kind: string, matches: PasswordCheck['matches']): PasswordCheck {
  return {
    kind,
    work: 1,
    matches,
    async spend(password, work) {
      for (let done = 0; done < work; done += 1) await matches(password);
    },
  };
}

const ARGON2 = /^\$argon2(id|i|d)\$(?:v=(\d+)\$)?m=(\d+),t=(\d+),p=(\d+)\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/;

/** `memory` in KiB. */
export function argon2Parameters(hash: string) {
  const result = ARGON2.exec(hash);
  if (result === null) return undefined;
  const [, variant = '', version = '16', ...costs] = result;
  const [memory = 0, passes = 0, lanes = 0] = costs.map(Number);
  return { variant, version: Number(version), memory, passes, lanes };
}

function readArgon2(hash: string): PasswordCheck | undefined {
  const parameters = argon2Parameters(hash);
  if (parameters === undefined) return undefined;
  if (parameters.memory * 1024 > MAX_MEMORY || parameters.passes > 64 || parameters.lanes > 64)
    return undefined;
  return whole(`argon2 ${Object.values(parameters).join(' ')}`, (password) => verifyArgon2(hash, password));
}

/** Few installations have such a hash. */
const bcrypt = () => import('@node-rs/bcrypt');

const BCRYPT = /^\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

export function isBcrypt(hash: string): boolean {
  return BCRYPT.test(hash);
}

function readBcrypt(hash: string): PasswordCheck | undefined {
  const cost = Number(BCRYPT.exec(hash)?.[1] ?? Number.NaN);
  if (!(cost >= MIN_BCRYPT_COST && cost <= MAX_BCRYPT_COST)) return undefined;
  return {
    kind: 'bcrypt',
    work: 2 ** cost,
    async matches(password) {
      return (await bcrypt()).verify(password, hash);
    },
    async spend(password, work) {
      // Every number of rounds is a sum of powers of two.
      for (let power = MIN_BCRYPT_COST; 2 ** power <= work; power += 1) {
        const due = Math.floor(work / 2 ** power) % 2 === 1;
        if (due) await (await bcrypt()).verify(password, blankBcrypt(String(power).padStart(2, '0')));
      }
    },
  };
}

function blankBcrypt(cost: string): string {
  return `$2b$${cost}$${'.'.repeat(53)}`;
}

/** The PHC form, as passlib writes it. */
const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{22,})$/;

function readScrypt(hash: string): PasswordCheck | undefined {
  const result = SCRYPT.exec(hash);
  if (result === null) return undefined;
  const [, ln, r, p, salt = '', key = ''] = result;
  const options = { N: 2 ** Number(ln), r: Number(r), p: Number(p), maxmem: MAX_MEMORY };
  if (options.N < 2 || options.r < 1 || options.p < 1) return undefined;
  if (128 * options.N * options.r > MAX_MEMORY / 4 || options.p > 16) return undefined;
  const expected = Buffer.from(key, 'base64');
  return whole(`scrypt ${ln} ${r} ${p}`, async (password) => {
    const actual = await new Promise<Buffer>((resolve, reject) => {
      scrypt(password, Buffer.from(salt, 'base64'), expected.byteLength, options, (error, derived) =>
        error === null ? resolve(derived) : reject(error),
      );
    });
    return timingSafeEqual(actual, expected);
  });
}

/** passlib's `$pbkdf2-sha256$rounds$salt$key` and the PHC form with `i=rounds`; '.' stands for '+'. */
const PBKDF2 =
  /^\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?(\d{1,8})(?:,l=\d+)?\$([A-Za-z0-9+/.]+)\$([A-Za-z0-9+/.]{22,})$/;
/** Django: the salt is text. */
const PBKDF2_DJANGO = /^pbkdf2_(sha1|sha256|sha512)\$(\d{1,8})\$([^$]+)\$([A-Za-z0-9+/]{22,}={0,2})$/;

function readPbkdf2(hash: string): PasswordCheck | undefined {
  const passlib = PBKDF2.exec(hash);
  const result = passlib ?? PBKDF2_DJANGO.exec(hash);
  if (result === null) return undefined;
  const [, digest = 'sha1', rounds, salt = '', key = ''] = result;
  if (Number(rounds) < 1 || Number(rounds) > MAX_PBKDF2_ROUNDS) return undefined;
  const saltBytes = passlib === null ? Buffer.from(salt) : fromBase64(salt);
  const expected = fromBase64(key);
  const derive = (password: string, work: number) =>
    pbkdf2Bytes(password, saltBytes, work, expected.byteLength, digest);
  return {
    kind: `pbkdf2 ${digest} ${expected.byteLength}`,
    work: Number(rounds),
    matches: async (password) => timingSafeEqual(await derive(password, Number(rounds)), expected),
    async spend(password, work) {
      await derive(password, work);
    },
  };
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64');
}
