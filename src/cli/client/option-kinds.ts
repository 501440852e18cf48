/** The kinds of options in the table of options.ts: what Commander reads, and how it changes the client. */
import { Option } from 'commander';
import { oneOf, repeated } from '../options.ts';
import { CommandRefused } from '../output.ts';

/** A client with the names of a seed file, before its schema has judged it. */
export type Members = Readonly<Record<string, unknown>>;

export interface ClientOption {
  readonly option: Option;
  /** `set` alone takes things away. */
  readonly negation?: Option;
  change(value: unknown, present: Members): Members;
}

/** '' takes it away. */
export function text(flags: string, member: string, about: string): ClientOption {
  return {
    option: new Option(flags, about),
    change: (value) => ({ [member]: value === '' ? undefined : value }),
  };
}

/** Replaces the whole list; '' alone empties it. */
export function list(flags: string, member: string, about: string): ClientOption {
  return { option: repeated(flags, about), change: (value) => ({ [member]: filled(value) }) };
}

/** `upn=email`. The name of a claim may be a URL; a member has no equals sign. */
export function claimEntry(input: string, before: Members = {}): Members {
  const [, claim, member] = /^(.+)=([^=]+)$/.exec(input) ?? [];
  if (claim === undefined) {
    throw new CommandRefused(`${input} is not of the form name=member, such as upn=email`);
  }
  return { ...before, [claim]: member === 'null' ? null : member };
}

/** What it proves itself by, in place of what it had; '' takes it away, and a secret takes its place. */
export function credential(flags: string, about: string, read: (value: string) => Members): ClientOption {
  const none = { jwks: undefined, jwks_uri: undefined, ...certificateSubject() };
  return {
    option: new Option(flags, about),
    change: (value) => ({
      ...none,
      ...(value === '' ? { token_endpoint_auth_method: 'client_secret_basic' } : read(String(value))),
    }),
  };
}

/** `san_dns=app.example` */
export function certificateSubject(input?: string): Members {
  const names = ['san_dns', 'san_uri', 'san_ip', 'san_email', 'subject_dn'];
  const [, name = '', value] = /^(\w+)=(.+)$/.exec(input ?? '') ?? [];
  if (input !== undefined && !names.includes(name)) {
    throw new CommandRefused(
      `${input} is not of the form name=value, with one of the names ${names.join(', ')}`,
    );
  }
  return Object.fromEntries(
    names.map((each) => [`tls_client_auth_${each}`, each === name ? value : undefined]),
  );
}

const ENCRYPTED = ['id_token', 'userinfo', 'introspection'];

/** `id_token=ECDH-ES/A256GCM`. */
export function encryption(input: string, before: Members = {}): Members {
  const [, answer = '', alg, enc] = /^(\w+)=([^/]+)(?:\/(.+))?$/.exec(input) ?? [];
  if (!ENCRYPTED.includes(answer)) {
    throw new CommandRefused(
      `${input} is not of the form answer=alg or answer=alg/enc, where answer is ${ENCRYPTED.join(', ')}`,
    );
  }
  const isOff = alg === 'null';
  return {
    ...before,
    [`${answer}_encrypted_response_alg`]: isOff ? undefined : alg,
    [`${answer}_encrypted_response_enc`]: isOff ? undefined : enc,
  };
}

export function asMembers(value: unknown): Members {
  return typeof value === 'object' ? { ...value } : {};
}

export function filled(value: unknown): unknown[] {
  return Array.isArray(value) ? value.filter((each) => each !== '') : [];
}

export function flag(
  flags: string,
  about: string,
  change: (value: boolean, present: Members) => Members,
): ClientOption {
  return {
    option: new Option(flags, about),
    negation: new Option(flags.replace('--', '--no-'), 'takes that back'),
    change: (value, present) => change(value === true, present),
  };
}

/** `inherit`: what the server or the organization says. A word stands for itself unless `meaning` has it. */
export function choice(
  flags: string,
  member: string,
  about: string,
  meaning: Readonly<Record<string, boolean>> = {},
): ClientOption {
  const meant = (word: string) => (word === 'inherit' ? undefined : (meaning[word] ?? word));
  return { option: oneOf(flags, about), change: (value) => ({ [member]: meant(String(value)) }) };
}
