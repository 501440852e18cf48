/**
 * The server key: 32 bytes under which everything that signs people in is stored hashed or encrypted.
 * Production takes it from the configuration; development makes one at its first start and keeps it in a file.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError } from './issues.ts';
import type { Config } from './schema.ts';

/** 32 bytes of base64, base64url or hex; undefined when the text is none of them. */
export function decodeKey(text: string): Buffer | undefined {
  const trimmed = text.trim();
  if (/^[\da-f]{64}$/i.test(trimmed)) return Buffer.from(trimmed, 'hex');
  if (!/^[\w+/-]{43}=?$/.test(trimmed)) return undefined;
  // Node's base64 decoder takes both alphabets.
  return Buffer.from(trimmed, 'base64');
}

/**
 * The key of this configuration. In development the key file is made when absent; of several processes
 * that start together one makes it and all read the same. Throws ConfigError.
 */
export function serverKey({ keys, environment }: Pick<Config, 'keys' | 'environment'>): Buffer {
  if (keys.encryption !== undefined) return readable(keys.encryption, 'keys.encryption');
  if (environment === 'production') {
    throw new ConfigError([{ path: 'keys.encryption', message: 'must be set in production' }]);
  }
  return readable(readOrMake(keys.encryptionFile), keys.encryptionFile);
}

/** All of this configuration: the first encrypts, the others open what is stored under them. Throws ConfigError. */
export function serverKeys(
  config: Pick<Config, 'keys' | 'environment'>,
): [first: Buffer, ...others: Buffer[]] {
  const first = serverKey(config);
  const others = config.keys.decryption.map((text, at) => readable(text, `keys.decryption.${at}`));
  return [first, ...others.filter((key) => !key.equals(first))];
}

function readable(text: string, path: string): Buffer {
  const key = decodeKey(text);
  if (!key) throw new ConfigError([{ path, message: 'must hold 32 bytes as base64, base64url or hex' }]);
  return key;
}

function readOrMake(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(file, error);
  }
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    // The database comes into this folder next, and no other user of the machine has business there.
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
    try {
      // A link fails when the name is taken, so a second process cannot replace the first one's key, and
      // no process reads half a file.
      linkSync(draft, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      unlinkSync(draft);
    }
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): ConfigError {
  const reason = (error as NodeJS.ErrnoException).code ?? String(error);
  return new ConfigError([
    {
      path: 'keys.encryptionFile',
      value: file,
      message: `cannot be read or made (${reason}); make its folder writable, or set keys.encryption`,
    },
  ]);
}

/* Keys that a machine drew, told from those that a person typed: samples, repetitions, pass phrases. */

const SAMPLE = /change-?me|example|secret|insecure|development|default/i;

/**
 * 32 bytes as the server key has them. Refuses few different bytes, what repeats itself, rows of numbers, and
 * printable text throughout. Random bytes fail with a chance of less than one in 10^12.
 */
export function looksRandom(key: Uint8Array): boolean {
  const isText = key.every((byte) => byte >= 32 && byte < 127);
  return new Set(key).size >= 16 && !repeats(key) && !isText;
}

/** The text of a secret. Where it is 32 bytes in base64 or hex, those are judged too. */
export function looksRandomText(text: string): boolean {
  const bytes = decodeKey(text);
  if (bytes && !looksRandom(bytes)) return false;
  const written = new TextEncoder().encode(text);
  // Thirty-two random hex digits have fewer than eight different ones with a chance of one in 10^7.
  return new Set(written).size >= 8 && !repeats(written) && !SAMPLE.test(text);
}

/** One piece over and over, cut off anywhere; or a row, with few different steps from byte to byte. */
function repeats(bytes: Uint8Array): boolean {
  const steps = new Set(bytes.slice(1).map((byte, index) => byte - (bytes[index] ?? 0)));
  if (steps.size < 6) return true;
  for (let period = 1; period <= bytes.length / 2; period += 1) {
    if (bytes.every((byte, index) => index < period || byte === bytes[index - period])) return true;
  }
  return false;
}
