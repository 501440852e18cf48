/** Readers of option values that several commands take. */
import { text as readAll } from 'node:stream/consumers';
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
