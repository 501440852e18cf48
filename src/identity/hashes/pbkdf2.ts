/** PBKDF2 as passlib writes it and as the PHC form has it, and as Django does, whose salt is text. */
import { pbkdf2 as deriveKey } from 'node:crypto';
import { promisify } from 'node:util';
import { COSTS_TOO_MUCH, FEWEST_ROUNDS, type HashFamily, keyedHash, toBase64 } from './hash-family.ts';

const derived = promisify(deriveKey);

/** passlib's `$pbkdf2-sha256$rounds$salt$key` and the PHC form with `i=rounds`; '.' stands for '+'. */
const MODULAR =
  /^(\$pbkdf2(?:-(sha1|sha256|sha384|sha512))?\$(?:i=)?(\d{1,9})(?:,l=\d+)?)\$([A-Za-z0-9+/.]*)\$([A-Za-z0-9+/.]{22,171})$/;
const DJANGO = /^(pbkdf2_(sha1|sha256|sha384|sha512)\$(\d{1,9}))\$([^$]+)\$([A-Za-z0-9+/]{22,171}={0,2})$/;

/** Of one check, over all blocks of the key. */
const MAX_ROUNDS = 10_000_000;
const DIGEST_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

export const pbkdf2: HashFamily = {
  name: 'pbkdf2',
  spellings: [
    // Werkzeug: the salt is text.
    [
      /^pbkdf2:(sha\d+):(\d+)\$([^$]+)\$((?:[\da-f]{2})+)$/,
      (digest, rounds, salt = '', key = '') =>
        modularText({ digest, rounds, salt: Buffer.from(salt), key: Buffer.from(key, 'hex') }),
    ],
    // Spring Security: sixteen bytes of salt, then the key; the name stands for the rest.
    [
      /^\{pbkdf2@SpringSecurity_v5_8\}([\da-f]{96})$/,
      (hex = '') => {
        const bytes = Buffer.from(hex, 'hex');
        return modularText({
          digest: 'sha256',
          rounds: 310_000,
          salt: bytes.subarray(0, 16),
          key: bytes.subarray(16),
        });
      },
    ],
    // ASP.NET Identity: one blob in Base64, of version 2 or 3.
    [/^(A[A-Za-z0-9+/]{65}==)$/, (blob = '') => aspNetVersion2(Buffer.from(blob, 'base64'))],
    [/^(AQ[A-Za-z0-9+/]{40,400}={0,2})$/, (blob = '') => aspNetVersion3(Buffer.from(blob, 'base64'))],
  ],
  read(text) {
    const modular = MODULAR.exec(text);
    const [, head = '', digest = 'sha1', rounds, salt = '', key = ''] = modular ?? DJANGO.exec(text) ?? [];
    if (rounds === undefined) return undefined;
    const expected = fromBase64(key);
    const { byteLength } = expected;
    const blocks = Math.ceil(byteLength / (DIGEST_BYTES[digest] ?? 1));
    if (Number(rounds) < 1) return { refused: 'is no PBKDF2 hash that can be checked: it has no rounds' };
    if (Number(rounds) * blocks > MAX_ROUNDS) return COSTS_TOO_MUCH;
    const saltBytes = modular === null ? Buffer.from(salt) : fromBase64(salt);
    return keyedHash({
      kind: `pbkdf2 ${digest} ${byteLength}`,
      work: Number(rounds),
      fast: Number(rounds) < FEWEST_ROUNDS,
      salt: saltBytes,
      key: expected,
      ...(modular === null && { blank: 'A' }),
      spell: (salt, key) =>
        modular === null
          ? `${head}$${salt}$${key.toString('base64')}`
          : `${head}$${toBase64(salt)}$${toBase64(key)}`.replaceAll('+', head.includes('$i=') ? '+' : '.'),
      derive: (password, work) => derived(password, saltBytes, work, byteLength, digest),
    });
  },
};

function modularText(hash: {
  digest: string | undefined;
  rounds: string | number | undefined;
  salt: Buffer;
  key: Buffer;
}): string {
  const { digest, rounds, salt, key } = hash;
  const name = digest === 'sha1' ? 'pbkdf2' : `pbkdf2-${digest}`;
  return `$${name}$${rounds}$${toBase64(salt)}$${toBase64(key)}`.replaceAll('+', '.');
}

/** A zero, sixteen bytes of salt, and the key of a thousand rounds. */
function aspNetVersion2(blob: Buffer): string | undefined {
  if (blob[0] !== 0 || blob.byteLength !== 49) return undefined;
  return modularText({ digest: 'sha1', rounds: 1000, salt: blob.subarray(1, 17), key: blob.subarray(17) });
}

/** A one, the number of the digest, the rounds, the length of the salt, salt and key. */
function aspNetVersion3(blob: Buffer): string | undefined {
  if (blob[0] !== 1 || blob.byteLength < 30) return undefined;
  const digest = ['sha1', 'sha256', 'sha512'][blob.readUInt32BE(1)];
  const saltEnd = 13 + blob.readUInt32BE(9);
  if (digest === undefined || saltEnd > blob.byteLength - 16) return undefined;
  const [salt, key] = [blob.subarray(13, saltEnd), blob.subarray(saltEnd)];
  return modularText({ digest, rounds: blob.readUInt32BE(5), salt, key });
}

function fromBase64(text: string): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64');
}
