/** scrypt in the PHC form, as passlib writes it. */
import { scrypt as deriveKey } from 'node:crypto';
import {
  COSTS_TOO_MUCH,
  type HashFamily,
  keyedHash,
  MAX_MEMORY,
  MAX_MEMORY_PASSES,
  toBase64,
} from './hash-family.ts';

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]{22,171})$/;

/** One that takes less memory is guessed like a fast digest. */
const LEAST_MEMORY = 2 ** 20;

export interface ScryptCost {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

export const scrypt: HashFamily = {
  name: 'scrypt',
  spellings: [
    // Django; Werkzeug.
    [
      /^scrypt\$(\d+)\$([^$]+)\$(\d+)\$(\d+)\$([A-Za-z0-9+/]+)=*$/,
      (N, salt, r, p, key) => phc(N, r, p, salt, key),
    ],
    [
      /^scrypt:(\d+):(\d+):(\d+)\$([^$]+)\$((?:[\da-f]{2})+)$/,
      (N, r, p, salt, key = '') => phc(N, r, p, salt, toBase64(Buffer.from(key, 'hex'))),
    ],
    // Spring Security: the parameters are one hexadecimal number.
    [
      /^(?:\{scrypt(?:@\w+)?\})?\$([\da-f]{5,6})\$([A-Za-z0-9+/]+)=*\$([A-Za-z0-9+/]+)=*$/,
      (parameters, salt, key) => {
        const all = Number.parseInt(parameters ?? '', 16);
        return `$scrypt$ln=${all >> 16},r=${(all >> 8) & 255},p=${all & 255}$${salt}$${key}`;
      },
    ],
  ],
  read(text) {
    const [, ln, r, p, salt = '', key = ''] = PHC.exec(text) ?? [];
    if (ln === undefined) return undefined;
    const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
    const refusal = refusalOfCost(cost);
    if (refusal !== undefined) return refusal;
    const expected = Buffer.from(key, 'base64');
    return keyedHash({
      kind: `scrypt ${ln} ${r} ${p}`,
      work: 1,
      fast: memoryOf(cost) < LEAST_MEMORY,
      salt: Buffer.from(salt, 'base64'),
      key: expected,
      spell: (salt, key) => `$scrypt$ln=${ln},r=${r},p=${p}$${toBase64(salt)}$${toBase64(key)}`,
      async derive(password, work) {
        let made: Buffer = Buffer.alloc(0);
        for (let done = 0; done < work; done += 1)
          made = await scryptKey(password, Buffer.from(salt, 'base64'), expected.byteLength, cost);
        return made;
      },
    });
  },
};

/** `salt` is text; N is a power of two. */
function phc(N = '', r = '', p = '', salt = '', key = ''): string | undefined {
  const ln = Math.log2(Number(N));
  return Number.isInteger(ln)
    ? `$scrypt$ln=${ln},r=${r},p=${p}$${toBase64(Buffer.from(salt))}$${key}`
    : undefined;
}

const memoryOf = ({ ln, r }: ScryptCost) => 128 * 2 ** ln * r;

export function refusalOfCost(cost: ScryptCost) {
  const { ln, r, p } = cost;
  // RFC 7914: N below 2^(128 r / 8).
  if (ln < 1 || r < 1 || p < 1 || ln >= 16 * r)
    return { refused: 'is no scrypt hash that can be checked: a cost is too small' };
  return memoryOf(cost) > MAX_MEMORY || memoryOf(cost) * p > MAX_MEMORY_PASSES ? COSTS_TOO_MUCH : undefined;
}

export function scryptKey(
  password: string,
  salt: Buffer,
  length: number,
  { ln, r, p }: ScryptCost,
): Promise<Buffer> {
  const options = { N: 2 ** ln, r, p, maxmem: 4 * MAX_MEMORY };
  return new Promise((resolve, reject) => {
    deriveKey(password, salt, length, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
