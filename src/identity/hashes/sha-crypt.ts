/** crypt(3) with SHA-256 (`$5$`) and SHA-512 (`$6$`), as glibc and passlib write it. */
import { COSTS_TOO_MUCH, FEWEST_ROUNDS, type HashFamily, keyedHash } from './hash-family.ts';
import { inThread } from './rounds.ts';

const FORM =
  /^(\$([56])\$(?:rounds=(\d{1,9})\$)?)([./0-9A-Za-z]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/;
const MIN_ROUNDS = 1000;
const MAX_ROUNDS = 1_000_000;

export const shaCrypt: HashFamily = {
  name: 'sha-crypt',
  spellings: [[/^\{CRYPT\}(\$[56]\$.+)$/i, (hash) => hash]],
  read(text) {
    const [, head = '', id = '', written = '5000', salt = '', key = ''] = FORM.exec(text) ?? [];
    if (head === '' || key.length !== (id === '5' ? 43 : 86)) return undefined;
    const rounds = Number(written);
    if (rounds < MIN_ROUNDS)
      return { refused: 'is no sha-crypt hash that can be checked: it has too few rounds' };
    if (rounds > MAX_ROUNDS) return COSTS_TOO_MUCH;
    return keyedHash({
      kind: `sha-crypt ${id}`,
      work: rounds,
      fast: rounds < FEWEST_ROUNDS,
      salt: Buffer.from(salt),
      key: Buffer.from(key),
      blank: '.',
      spell: (salt, key) => `${head}${salt}$${key}`,
      derive: (password, rounds) => inThread({ algorithm: `crypt ${id}`, password, salt, rounds }),
    });
  },
};
