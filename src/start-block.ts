/**
 * What a development server prints when it is ready: where everything is, who may sign in, and one command
 * per dialect that works when it is pasted. Never printed in production: it holds passwords.
 */
import type { Config } from './config/schema.ts';
import { readSeed } from './seed/read-seed.ts';
import type { SeedAccount } from './seed/schema.ts';

interface Person extends SeedAccount {
  readonly password: string;
}

type Settings = Readonly<Record<string, unknown>>;

interface SignInCall {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, string>>;
}

interface Sample {
  /** Whom the dialect knows. */
  suits(person: Person, settings: Settings): boolean;
  call(person: Person, settings: Settings): SignInCall;
}

const text = (value: unknown, otherwise: string) => (typeof value === 'string' ? value : otherwise);
const first = (value: unknown, otherwise: string) => text(Array.isArray(value) ? value[0] : value, otherwise);

/** A dialect of one organization whose sign-in takes `email` and `password`. */
function plain(name: string, base: string, path: string): Sample {
  return {
    suits: (person, settings) =>
      knows(person, name) &&
      person.email !== undefined &&
      person.organization === text(settings.organization, 'default'),
    call: ({ email = '', password }, settings) => ({
      path: `${text(settings.base, base)}${path}`,
      body: { email, password },
    }),
  };
}

/** One sign-in per dialect; a dialect without a line here is served all the same. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  visitnote: plain('visitnote', '/api/therapist/v1', '/sign-in'),
  medisync: plain('medisync', '/api', '/login'),
  avycenna: plain('avycenna', '/api/v1', '/auth/login'),
  careportals: {
    suits: (person) => knows(person, 'careportals') && person.email !== undefined,
    call: ({ organization, email = '', password }, settings) => ({
      path: `${first(settings.base, '/patient')}/auth/login`,
      headers: { organization },
      body: { username: email, password },
    }),
  },
  vsee: {
    suits: (person) => knows(person, 'vsee') && (person.username ?? person.email) !== undefined,
    call: ({ organization, username, email = '', password }, settings) => ({
      path: `${text(settings.base, '/api_v3')}/users/login.json`,
      headers: { 'x-accountcode': organization },
      body: { username: username ?? email, password },
    }),
  },
};

/** Whether the seed says anything about this person that only the vendor knows. */
function knows(person: Person, vendor: string): boolean {
  return person.vendor?.[vendor] !== undefined || person.aliases?.[vendor] !== undefined;
}

export function startBlock({ config, issuer }: { config: Config; issuer: string }): string {
  const people = config.demo ? config.seed.flatMap(peopleOf) : [];
  const places: [string, string][] = [
    ['Issuer', issuer],
    ['Discovery', `${issuer}/.well-known/openid-configuration`],
  ];
  if (config.demo) {
    places.push(['Demo application', `${issuer}/demo`]);
    if (config.mail.kind === 'mailbox') places.push(['Mailbox', `${issuer}/dev/mailbox`]);
  }
  const parts = ['Portico is ready.', table(places)];
  if (people.length > 0) parts.push(`People (e-mail, password, organization):\n${table(people.map(lineOf))}`);
  const calls = callsOf({ config, people, issuer });
  if (calls.length > 0) parts.push(`One sign-in per dialect, to paste:\n${calls.join('\n')}`);
  return `\n${parts.join('\n\n')}\n`;
}

function peopleOf(file: string): Person[] {
  const { accounts = [] } = readSeed(file).seed;
  return accounts.flatMap((account) =>
    account.password === undefined || (account.status ?? 'active') !== 'active'
      ? []
      : [{ ...account, password: account.password }],
  );
}

function lineOf({ email, username, password, organization }: Person): [string, string, string] {
  return [email ?? username ?? '', password, organization];
}

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  return rows.map((row) => `  ${line(row).trimEnd()}`).join('\n');
}

function callsOf(facts: { config: Config; people: readonly Person[]; issuer: string }): string[] {
  const { config, people, issuer } = facts;
  return Object.entries(config.dialects).flatMap(([name, settings]) => {
    const sample = SAMPLES[name];
    if (settings.enabled !== true || !sample) return [];
    const person = people.find((candidate) => sample.suits(candidate, settings));
    return person ? [`  # ${name}\n  ${curl(issuer, sample.call(person, settings))}`] : [];
  });
}

function curl(issuer: string, { path, headers = {}, body }: SignInCall): string {
  const all = { ...headers, 'content-type': 'application/json' };
  const sent = Object.entries(all).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  return `curl -s ${issuer}${path} ${sent.join(' ')} -d ${quoted(JSON.stringify(body))}`;
}

/** For a POSIX shell. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
