/** Options that several commands take, and readers of their values. */
import { text as readAll } from 'node:stream/consumers';
import type { Command } from 'commander';
import type { ProfileClaims } from '../model/account.ts';
import type { Json } from '../model/json.ts';
import { CommandRefused } from './output.ts';

/** For options that may be given again: `--host a --host b`. */
export function each(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** `vsee.sso=true`: a member below a vendor, its value as JSON or, where that fails, as text. */
export function vendorMember(
  input: string,
  before: Record<string, Record<string, Json>> = {},
): Record<string, Record<string, Json>> {
  const [, vendor, member, value] = /^([^.=]+)\.([^=]+)=([\s\S]*)$/.exec(input) ?? [];
  if (vendor === undefined || member === undefined || value === undefined) {
    throw new CommandRefused(`${input} is not of the form vendor.member=value, such as vsee.sso=true`);
  }
  return { ...before, [vendor]: { ...before[vendor], [member]: jsonOrText(value) } };
}

export function jsonOrText(value: string): Json {
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}

/** A password from standard input, without the line break at its end. Never from the command line, where others can see it. */
export async function passwordFromInput(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write('Password, then Enter and Ctrl-D: ');
  const password = (await readAll(process.stdin)).replace(/\r?\n$/, '');
  if (password === '') throw new CommandRefused('No password came on standard input.');
  return password;
}

export interface JsonOption {
  readonly json?: boolean;
}

/* `--brand accent=#1f6f5c`: how the pages of an organization or a client look, by the rules of a seed file. */

type Branding = Record<string, Json>;

export interface BrandOption {
  readonly brand?: Branding;
}

export function withBrand(command: Command): Command {
  return command.option(
    '--brand <member=value>',
    'how its pages look, such as accent=#1f6f5c; may be given again; null takes a member away',
    brandMember,
  );
}

function brandMember(input: string, before: Branding = {}): Branding {
  const [, member, value] = /^([a-z_]+)=([\s\S]*)$/i.exec(input) ?? [];
  if (member === undefined || value === undefined) {
    throw new CommandRefused(`${input} is not of the form member=value, such as accent=#1f6f5c`);
  }
  // A name such as 24 is a name.
  return { ...before, [member]: /^(?:null|\[.*\])$/s.test(value) ? jsonOrText(value) : value };
}

/** The branding with the changes; undefined when nothing is left of it. CommandRefused names every issue. */
export async function rebranded(
  whose: 'organization' | 'client',
  present: Json | undefined,
  changes: Branding = {},
): Promise<Branding | undefined> {
  const before = typeof present === 'object' && present !== null && !Array.isArray(present) ? present : {};
  const all = Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null);
  if (all.length === 0) return undefined;
  const branding = Object.fromEntries(all);
  if (Object.keys(changes).length === 0) return branding;
  const [{ inWords, parsePart }, { clientBranding, organizationBranding }] = await Promise.all([
    import('../config/issues.ts'),
    import('../seed/branding.ts'),
  ]);
  const schema = whose === 'client' ? clientBranding : organizationBranding;
  const { issues } = parsePart({ schema, value: branding, at: ['brand'], from: () => undefined });
  if (issues.length > 0) throw new CommandRefused(issues.map(inWords).join('\n'));
  return branding;
}

/* Options for an account's standard claims. */

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
