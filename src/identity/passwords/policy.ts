/**
 * Which new passwords are refused (NIST SP 800-63B 3.1.1.2): too short ones, and those that guessers try
 * first. One list for every channel; no rules of composition. Entries of eight characters stay in although the
 * hosted pages ask for more, because dialects have lower minimums.
 */
import { takePassword } from '../../core/text.ts';

export type PasswordVerdict = 'ok' | 'too-short' | 'too-common';

export interface PasswordPolicy {
  /** `minimum` in code points. Too short comes before too common. */
  judge(
    password: string,
    rules: { minimum: number; organizationName?: string | undefined },
  ): Promise<PasswordVerdict>;
}

/** `productNames` and `extra` (passwords.blocklist): words that, with digits and signs around them, make no password. */
export function createPasswordPolicy(options: {
  productNames: readonly string[];
  extra: readonly string[];
}): PasswordPolicy {
  let common: Promise<ReadonlySet<string>> | undefined;
  const words = ['Portico', ...options.productNames, ...options.extra];
  const exact = new Set(options.extra.map(fold));
  return {
    async judge(password, { minimum, organizationName }) {
      const composed = takePassword(password);
      // Too long: the hasher refuses it.
      if (composed === undefined) return 'ok';
      if ([...composed].length < minimum) return 'too-short';
      const folded = fold(composed);
      const own = organizationName === undefined ? words : [...words, organizationName];
      common ??= loadCommon();
      if ((await common).has(folded) || exact.has(folded) || own.some((word) => isMadeOf(folded, word)))
        return 'too-common';
      return 'ok';
    },
  };
}

/** With the first password that is judged: the list takes 20 MB, and most processes wait long for one. */
async function loadCommon(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common'].map(fold));
}

function fold(text: string): string {
  return (takePassword(text) ?? '').toLowerCase();
}

/** 'portico2031!' and 'North-Clinic-99' are made of 'Portico' and 'North Clinic': without the word no letter is left. */
function isMadeOf(folded: string, word: string): boolean {
  const alphabetic = (text: string) => text.replace(/[^\p{L}\p{M}]/gu, '');
  const core = alphabetic(fold(word));
  // A word of three letters says little about the rest.
  if (core.length < 4) return false;
  const password = alphabetic(folded);
  return password.length > 0 && password.replaceAll(core, '') === '';
}
