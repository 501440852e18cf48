/** argon2 in the PHC form, its members in the order of the specification: our own hashes have it too. */
import { verify } from '@node-rs/argon2';
import { COSTS_TOO_MUCH, type HashFamily, MAX_MEMORY_PASSES, type PasswordCheck } from './hash-family.ts';

const PHC = /^\$argon2(id|i|d)\$(?:v=(\d+)\$)?m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
/** OWASP's second set, of which our own hashes are; memory in KiB. */
export const OWN_COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** One of ours that holds nothing. */
export const OWN_BLANK = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

const MAX_KIB = 2 ** 20;

/** `memory` in KiB. */
export function argon2Parameters(hash: string) {
  const result = PHC.exec(hash);
  if (result === null) return undefined;
  const [, variant = '', version = '16', ...costs] = result.slice(0, 6);
  const [memory = 0, passes = 0, lanes = 0] = costs.map(Number);
  return { variant, version: Number(version), memory, passes, lanes };
}

export const argon2: HashFamily = {
  name: 'argon2',
  spellings: [
    // npm's argon2 writes m, p, t; Django and Spring name the family first; some writers keep Base64's padding.
    [
      /^(?:argon2|\{argon2(?:@\w+)?\})?\$argon2(id|i|d)\$(?:v=(\d+)\$)?((?:[mtp]=\d+,){2}[mtp]=\d+)\$([^$]+)\$([^$]+)$/,
      (variant, version, costs = '', salt = '', key = '') => {
        const { m, t, p } = Object.fromEntries(costs.split(',').map((cost) => cost.split('=')));
        const parameters = `${version === undefined ? '' : `v=${version}$`}m=${m},t=${t},p=${p}`;
        return `$argon2${variant}$${parameters}$${salt.replace(/=+$/, '')}$${key.replace(/=+$/, '')}`;
      },
    ],
  ],
  read(text) {
    const parameters = argon2Parameters(text);
    if (parameters === undefined) return undefined;
    const { version, memory, passes, lanes } = parameters;
    const [salt = '', key = ''] = text.split('$').slice(-2);
    const isWhole = salt.length >= 11 && salt.length <= 86 && key.length >= 6 && key.length <= 86;
    if (![16, 19].includes(version) || passes < 1 || lanes < 1 || memory < 8 * lanes || !isWhole)
      return { refused: 'is no argon2 hash that can be checked: a member is too small or too long' };
    if (memory > MAX_KIB || lanes > 64 || memory * passes * 1024 > MAX_MEMORY_PASSES) return COSTS_TOO_MUCH;
    const blank = [...text.split('$').slice(0, -2), 'A'.repeat(salt.length), 'A'.repeat(key.length)].join(
      '$',
    );
    const kind = `argon2 ${Object.values(parameters).join(' ')}`;
    return { ...wholeChecks(kind, (password) => verify(text, password)), text, blank };
  },
};

/** A kind that is one check or several, never part of one. */
export function wholeChecks(kind: string, matches: PasswordCheck['matches']): PasswordCheck {
  return {
    kind,
    work: 1,
    matches,
    async spend(password, work) {
      for (let done = 0; done < work; done += 1) await matches(password);
    },
  };
}
