/** phpass: WordPress's and phpBB's with MD5 (`$P$`, `$H$`), Drupal's with SHA-512 (`$S$`); `U` where an MD5 was hashed again. */
import { hash } from 'node:crypto';
import { COSTS_TOO_MUCH, FEWEST_ROUNDS, type HashFamily, keyedHash } from './hash-family.ts';
import { inThread } from './rounds.ts';

const FORM = /^((U?)\$([PHS])\$([./0-9A-Za-z]))([./0-9A-Za-z]{8})([./0-9A-Za-z]{22}|[./0-9A-Za-z]{43})$/;
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Powers of two. */
const MAX_COST = 20;

export const phpass: HashFamily = {
  name: 'phpass',
  read(text) {
    const [, head = '', again = '', mark = '', costSign = '', salt = '', key = ''] = FORM.exec(text) ?? [];
    const digest = mark === 'S' ? 'sha512' : 'md5';
    if (head === '' || key.length !== (mark === 'S' ? 43 : 22)) return undefined;
    const cost = ALPHABET.indexOf(costSign);
    if (cost < 7) return { refused: 'is no phpass hash that can be checked: its cost is too low' };
    if (cost > MAX_COST) return COSTS_TOO_MUCH;
    return keyedHash({
      kind: `phpass ${digest}`,
      work: 2 ** cost,
      fast: digest === 'md5' || 2 ** cost < FEWEST_ROUNDS,
      salt: Buffer.from(salt),
      key: Buffer.from(key),
      blank: '.',
      spell: (salt, key) => `${head}${salt}${key}`,
      async derive(password, rounds) {
        const hashed = again === '' ? password : hash('md5', password);
        const made = await inThread({ algorithm: `phpass ${digest}`, password: hashed, salt, rounds });
        return Buffer.from(encoded(made).slice(0, key.length));
      },
    });
  },
};

/** Six bits a sign, the lowest first. */
function encoded(bytes: Buffer): string {
  let text = '';
  for (let place = 0; place < bytes.byteLength; place += 3) {
    const few = bytes.subarray(place, place + 3);
    const value = few.reduceRight((sum, byte) => sum * 256 + byte, 0);
    for (let sign = 0; sign <= few.byteLength; sign += 1) text += ALPHABET[(value >> (6 * sign)) & 63];
  }
  return text;
}
