/**
 * The dialects that there are, one line each. A dialect is loaded when the configuration names it, so one
 * that is not used costs nothing at start. Adding one adds its folder and its line here, nothing else.
 */

import type { z } from 'zod';
import { OperatorError } from '../core/errors.ts';
import type { ClinicDecisions } from '../model/account.ts';
import type { Dialect } from './contract/dialect.ts';
import { withFrameKeys } from './runtime/mounted.ts';

/** Loads a dialect's folder. */
export type DialectLoader = () => Promise<Dialect>;

export const registry: Readonly<Record<string, DialectLoader>> = {
  visitnote: async () => (await import('./visitnote/visitnote.ts')).visitnote,
  medisync: async () => (await import('./medisync/medisync.ts')).medisync,
  careportals: async () => (await import('./careportals/careportals.ts')).careportals,
  avycenna: async () => (await import('./avycenna/avycenna.ts')).avycenna,
  vsee: async () => (await import('./vsee/vsee.ts')).vsee,
};

/** Names that the configuration may use under `dialects`. */
export const dialectNames: readonly string[] = Object.keys(registry);

export class DialectBroken extends OperatorError {
  override readonly name = 'DialectBroken';
}

/** Rejects with DialectBroken, naming the dialect, when its folder cannot be loaded or is another's. */
export async function loadDialect(
  name: string,
  from: Readonly<Record<string, DialectLoader>> = registry,
): Promise<Dialect> {
  const load = Object.hasOwn(from, name) ? from[name] : undefined;
  if (load === undefined) {
    throw new DialectBroken(`There is no dialect '${name}'. There are: ${Object.keys(from).join(', ')}.`);
  }
  try {
    const dialect = await load();
    if (dialect.name !== name) throw new Error(`It calls itself '${dialect.name}'.`);
    return dialect;
  } catch (cause) {
    throw new DialectBroken(`The dialect '${name}' cannot be loaded: ${String(cause)}`, { cause });
  }
}

/** All of the registry, for the documentation and for the checks. */
export function loadAllDialects(): Promise<Dialect[]> {
  return Promise.all(dialectNames.map((name) => loadDialect(name)));
}

/** What clinics decide about their people, by dialect. */
export async function loadClinicDecisions(): Promise<ReadonlyMap<string, ClinicDecisions>> {
  const dialects = await loadAllDialects();
  return new Map(dialects.flatMap(({ name, clinicDecisions: made }) => (made ? [[name, made]] : [])));
}

function isEnabled(settings: unknown): boolean {
  return (
    typeof settings === 'object' && settings !== null && 'enabled' in settings && settings.enabled === true
  );
}

/** Those whose `enabled` is true. `settings`: `dialects` of the configuration. */
export function loadEnabledDialects(
  settings: Readonly<Record<string, unknown>>,
  from: Readonly<Record<string, DialectLoader>> = registry,
): Promise<Dialect[]> {
  const names = Object.keys(settings).filter((name) => isEnabled(settings[name]));
  return Promise.all(names.map((name) => loadDialect(name, from)));
}

/** The zod shapes of `dialects.<name>`, for the configuration: of the named ones, or of all. */
export async function dialectSettings(names = dialectNames): Promise<Record<string, z.ZodType>> {
  const dialects = await Promise.all(names.map((name) => loadDialect(name)));
  return Object.fromEntries(dialects.map((dialect) => [dialect.name, withFrameKeys(dialect, dialectNames)]));
}
