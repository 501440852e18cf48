/**
 * The suites of this folder hold every back end to the promises of src/store/ports/stores.ts. There is one suite
 * per port, and none of them knows which back end it runs on: a suite gets a function that opens one, and
 * the configuration with which another process opens the same store. Records carry fresh names, so that
 * all suites of a run can share one store.
 *
 * Races are run from two child processes (racer.ts): inside one process a synchronous driver has one
 * winner by accident.
 */
import { randomUUID } from 'node:crypto';
import type { Config } from '../../../src/config/schema.ts';
import type { AccountRecord } from '../../../src/model/account.ts';
import type { OidcRecordRecord } from '../../../src/store/ports/oidc-records.ts';
import type { Stores } from '../../../src/store/ports/stores.ts';

export interface BackEnd {
  /** Open and migrated. */
  readonly stores: Stores;
  /** Opens the same store from another process. */
  readonly config: Config['store'];
  close(): Promise<void>;
}

export type OpenBackEnd = () => Promise<BackEnd>;

/** Calls of a race, and the processes that make them. */
export const CALLS = 50;

/** A name no other test has. */
export function fresh(prefix: string): string {
  return `${prefix}-${randomUUID()}`;
}

/** `milliseconds` after `date`. */
export function later(date: Date, milliseconds: number): Date {
  return new Date(date.getTime() + milliseconds);
}

export function times<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

export function countOf<Item>(items: readonly Item[], input: Item): number {
  return items.filter((item) => item === input).length;
}

/** What could stand between the parts of a key: a part that holds it must not reach into the next one. */
export const BETWEEN = ['\0', ':', '|', '/', ' ', ',', '","', '.'];

/** Ids as an attacker would choose them: each could forge a neighbour's key if keys were glued together. */
export function hostileNames(): string[] {
  const own = randomUUID();
  return [
    own,
    `${own}:`,
    `:${own}`,
    `${own}:a`,
    `${own}\0`,
    `${own}\0a`,
    `${own}\n`,
    `${own}\r\nSET x 1`,
    `${own}*`,
    `${own}%`,
    `{${own}}`,
    `{}${own}`,
    `${own}.a`,
    `$${own}`,
    own.toUpperCase(),
    `${own} `,
    'x'.repeat(1_000_000) + own,
    `${'x'.repeat(1_000_000)}${own}y`,
  ];
}

/** An account as Anna Lindqvist might have it; `over` replaces what a test is about. */
export function accountRecord(over: Partial<AccountRecord> = {}): AccountRecord {
  const at = new Date();
  return {
    id: fresh('account'),
    organization: fresh('clinic'),
    status: 'active',
    emailVerified: false,
    claims: {},
    roles: [],
    aliases: {},
    vendor: {},
    createdAt: at,
    updatedAt: at,
    version: 1,
    ...over,
  };
}

export function oidcRecordRecord(over: Partial<OidcRecordRecord> = {}): OidcRecordRecord {
  return { payload: 'sealed', createdAt: new Date(), durable: false, ...over };
}
