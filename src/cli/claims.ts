/** Options for an account's standard claims. */
import type { Command } from 'commander';
import type { ProfileClaims } from '../model/account.ts';

const CLAIMS = {
  name: 'name',
  givenName: 'given_name',
  familyName: 'family_name',
  phone: 'phone_number',
  locale: 'locale',
  zoneinfo: 'zoneinfo',
} as const satisfies Record<string, keyof ProfileClaims>;

export type ClaimOptions = { readonly [Name in keyof typeof CLAIMS]?: string };

export function withClaims(command: Command): Command {
  return command
    .option('--name <name>', 'the full name')
    .option('--given-name <name>')
    .option('--family-name <name>')
    .option('--phone <number>', 'such as +15555550142')
    .option('--locale <tag>', 'such as de-AT')
    .option('--zoneinfo <zone>', 'such as Europe/Vienna');
}

export function claimChanges(options: ClaimOptions): ProfileClaims {
  const claims: ProfileClaims = {};
  for (const [option, claim] of Object.entries(CLAIMS) as [
    keyof typeof CLAIMS,
    (typeof CLAIMS)[keyof typeof CLAIMS],
  ][]) {
    const value = options[option];
    if (value !== undefined) claims[claim] = value;
  }
  return claims;
}
