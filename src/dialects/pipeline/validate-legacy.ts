/** What is asked of a dialect that is read backwards: half of it would leave people behind. */
import type { Dialect } from '../contract/dialect.ts';

/** What no vendor's token is. */
const NO_TOKENS = ['', 'x', 'x y', '../me'];

export function legacyIssues({ name, legacy, tokens, apiKeyForm }: Dialect): string[] {
  if (legacy === undefined) return [];
  const { tokenForm, signIn, sendCode, code, refresh, singleSignOn } = legacy;
  const lax = /[gy]/.test(tokenForm.flags) || NO_TOKENS.some((text) => tokenForm.test(text));
  const issues = {
    [`takes too much for a token: ${String(tokenForm)}`]: lax,
    "is asked neither 'signIn' nor 'code'": signIn === undefined && code === undefined,
    "is asked one of 'sendCode' and 'code' without the other":
      (sendCode === undefined) !== (code === undefined),
    "is asked 'refresh', and the dialect has no refresh tokens": refresh !== undefined && !tokens.refresh,
    "is not asked 'refresh', and the dialect has refresh tokens": refresh === undefined && !!tokens.refresh,
    "is asked 'singleSignOn', and the dialect has no API keys": singleSignOn !== undefined && !apiKeyForm,
  };
  return Object.entries(issues).flatMap(([issue, holds]) =>
    holds ? [`${name}: its legacy system ${issue}`] : [],
  );
}
