/** Options that several commands take, and readers of their values. */
import { text as readAll } from 'node:stream/consumers';
import { Option } from 'commander';
import type { ProfileClaims } from '../model/account.ts';
import type { Json } from '../model/json.ts';
import { CommandRefused } from './output.ts';

/** `--host a --host b` */
export function repeated(flags: string, about: string): Option {
  const each = (value: string, before: string[] = []) => [...before, value];
  return new Option(flags, about).argParser(each);
}

/** `--scope read=Read --scope write`: a table; what has no `=` stands for nothing. */
export function pairs(flags: string, about: string): Option {
  const each = (input: string, before: Record<string, string | undefined> = {}) => {
    const at = input.indexOf('=');
    return at < 0
      ? { ...before, [input]: undefined }
      : { ...before, [input.slice(0, at)]: input.slice(at + 1) };
  };
  return new Option(flags, about).argParser(each);
}

/** An option of a few words, which the flags name: `--registration <on|off>`. */
export function oneOf(flags: string, about: string): Option {
  return new Option(flags, about).choices(/<(.*)>/.exec(flags)?.[1]?.split('|') ?? []);
}

export function required(flags: string, about?: string): Option {
  return new Option(flags, about).makeOptionMandatory();
}

type VendorMembers = Record<string, Record<string, Json>>;

export interface VendorOption {
  readonly vendor?: VendorMembers;
}

export function vendorOption(about: string): Option {
  return new Option('--vendor <vendor.member=value>', about).argParser(vendorMember);
}

/** `vsee.sso=true`: a member below a vendor, its value as JSON or, where that fails, as text. */
function vendorMember(input: string, before: VendorMembers = {}): VendorMembers {
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

/* `--brand accent=#1f6f5c`: how the pages of an organization or a client look, by the rules of a seed file. */

type Branding = Record<string, Json>;

export interface BrandOption {
  readonly brand?: Branding;
}

export const BRAND = new Option(
  '--brand <member=value>',
  'how its pages look, such as accent=#1f6f5c; may be given again; null takes a member away',
).argParser(brandMember);

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
  /** Names of upstreams that the configuration knows. */
  upstreams: readonly string[] = [],
): Promise<Branding | undefined> {
  const before = typeof present === 'object' && present !== null && !Array.isArray(present) ? present : {};
  const branding = changedMembers(before, changes);
  if (branding === undefined || Object.keys(changes).length === 0) return branding;
  const [{ inWords, parsePart }, { clientBranding, issuesOfWays, organizationBranding }] = await Promise.all([
    import('../config/issues.ts'),
    import('../seed/branding.ts'),
  ]);
  const schema = whose === 'client' ? clientBranding : organizationBranding;
  const { issues } = parsePart({ schema, value: branding, at: ['brand'] });
  const all = [...issues, ...issuesOfWays(changes.ways, { upstreams, path: 'brand.ways' })];
  if (all.length > 0) throw new CommandRefused(all.map(inWords).join('\n'));
  return branding;
}

/* `--factors require=required`: what an organization or a client asks of its people, by the rules of a seed file. */

export interface FactorsOption {
  readonly factors?: Record<string, Json>;
}

export const FACTORS = new Option(
  '--factors <member=value>',
  'second factors, such as require=required or grace_days=7; may be given again; null takes a member away',
).argParser((input: string, before: Record<string, Json> = {}) => {
  const [, member, value] = /^([a-z_]+)=([\s\S]*)$/.exec(input) ?? [];
  if (member === undefined || value === undefined) {
    throw new CommandRefused(`${input} is not of the form member=value, such as require=required`);
  }
  const isList = member === 'roles' || member === 'offered';
  return { ...before, [member]: isList && value !== 'null' ? value.split(',') : jsonOrText(value) };
});

/** The members with the changes, of which null takes one away; undefined when none is left. */
export function changedMembers<Value>(
  present: Readonly<Record<string, Value>>,
  changes: Readonly<Record<string, Value>>,
): Record<string, Value> | undefined {
  const all = Object.entries({ ...present, ...changes }).filter(([, value]) => value !== null);
  return all.length === 0 ? undefined : Object.fromEntries(all);
}

/* Which account is meant. */

export interface Who {
  readonly who: string;
  readonly organization?: string;
}

export const WHO = ['<who>', 'id, email address or username'] as const;
export const ITS_ORGANIZATION = [
  '--organization <id>',
  'which organization, if several have the address',
] as const;

/** A whole number of at least 1, and of at most `most`. */
export function countOption(flags: string, about: string, most: number): Option {
  return new Option(flags, about).argParser((value) => {
    const count = /^\d{1,9}$/.test(value) ? Number(value) : 0;
    if (count < 1 || count > most)
      throw new CommandRefused(`${flags.split(' ')[0]} must be from 1 to ${most}.`);
    return count;
  });
}

/* Options for an account's standard claims. */

export const CLAIM_OPTIONS = [
  ['--name <name>', 'the full name'],
  ['--given-name <name>'],
  ['--family-name <name>'],
  ['--phone <number>', 'such as +15555550142'],
  ['--locale <tag>', 'such as de-AT'],
  ['--zoneinfo <zone>', 'such as Europe/Vienna'],
] as const;

type ClaimName = 'name' | 'givenName' | 'familyName' | 'phone' | 'locale' | 'zoneinfo';
export type ClaimOptions = { readonly [Name in ClaimName]?: string };

export function claimChanges(options: ClaimOptions): ProfileClaims {
  const {
    name,
    givenName: given_name,
    familyName: family_name,
    phone: phone_number,
    locale,
    zoneinfo,
  } = options;
  const claims = { name, given_name, family_name, phone_number, locale, zoneinfo };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
