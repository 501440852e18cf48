/**
 * bcrypt, alone or over another digest of the password, which a prefix names: WordPress's own `$wp`, `$sha256-hex` as
 * Django and Meteor have it, and `$devise:<name>` for Devise's pepper. `$2x$` marks hashes of a writer that took signs
 * wrong: they are checked like the others, so that its people with a password beyond ASCII have to reset it.
 */
import { createHash, createHmac } from 'node:crypto';
import { COSTS_TOO_MUCH, type HashFamily, type HashKeys, type PasswordCheck } from './hash-family.ts';

/** Few installations have such a hash. */
const bcryptPackage = () => import('@node-rs/bcrypt');

const FORM = /^(|\$wp|\$sha256-hex|\$devise:([\w-]{1,64}))(\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53})$/;
const MIN_COST = 4;
const MAX_COST = 16;
/** bcrypt looks at so many bytes. */
const SEES = 72;

type Digest = (password: string) => string;

const DIGESTS: Readonly<Record<string, Digest>> = {
  '': (password) => password,
  $wp: (password) => createHmac('sha384', 'wp-sha384').update(password).digest('base64'),
  '$sha256-hex': (password) => createHash('sha256').update(password).digest('hex'),
};

export const bcrypt: HashFamily = {
  name: 'bcrypt',
  spellings: [
    [/^(?:\{bcrypt\}|bcrypt\$)(\$2.+)$/, (hash) => hash],
    [/^bcrypt_sha256\$(\$2.+)$/, (hash) => `$sha256-hex${hash}`],
  ],
  read(text, keys) {
    const [, prefix = '', pepper, hash = '', cost = ''] = FORM.exec(text) ?? [];
    if (hash === '') return undefined;
    if (Number(cost) < MIN_COST)
      return { refused: 'is no bcrypt hash that can be checked: its cost is too low' };
    if (Number(cost) > MAX_COST) return COSTS_TOO_MUCH;
    const digest = pepper === undefined ? DIGESTS[prefix] : peppered(keys, pepper);
    const sees = SEES - Buffer.byteLength(digest?.('') ?? '');
    return {
      ...check(hash, Number(cost), digest),
      text,
      blank: blankOf(cost),
      ...(digest === undefined && { lacks: `passwords.imported.devise.${pepper}` }),
      ...((prefix === '' || pepper !== undefined) && { sees }),
    };
  },
};

function peppered({ devise }: HashKeys, name: string): Digest | undefined {
  const settings = Object.hasOwn(devise, name) ? devise[name] : undefined;
  return settings === undefined ? undefined : (password) => password + settings.pepper;
}

function check(hash: string, cost: number, digest: Digest | undefined): PasswordCheck {
  return {
    kind: 'bcrypt',
    work: 2 ** cost,
    async matches(password) {
      const { verify } = await bcryptPackage();
      return (await verify(digest?.(password) ?? '', hash)) && digest !== undefined;
    },
    async spend(password, work) {
      const { verify } = await bcryptPackage();
      // Every number of rounds is a sum of powers of two.
      for (let power = MIN_COST; 2 ** power <= work; power += 1) {
        const due = Math.floor(work / 2 ** power) % 2 === 1;
        if (due) await verify(password, blankOf(String(power).padStart(2, '0')));
      }
    },
  };
}

function blankOf(cost: string): string {
  return `$2b$${cost}$${'.'.repeat(53)}`;
}
