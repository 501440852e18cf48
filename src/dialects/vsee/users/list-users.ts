/** GET /users: the directory of the caller's organization, for staff. Portico knows no visits, so nobody is "my patient". */
import { z } from 'zod';
import type { OrganizationView } from '../../contract/dialect.ts';
import { foldName, Refused } from '../../contract/dialect.ts';
import type { AccountView } from '../../contract/endpoint.ts';
import { endpoint } from '../../contract/endpoint.ts';
import { ok } from '../../contract/reply.ts';
import { accountOf } from '../caller.ts';
import { failures } from '../refusals.ts';
import { emailOf, fullNameOf, isStaff, seconds, textOf, typeOf, usernameOf } from '../serializers.ts';
import type { Column, Listing, Order } from './list-query.ts';
import { isColumn, ListQuery } from './list-query.ts';
import { roomsOf, statusOf } from './user-profile.ts';

const Row = z.strictObject({
  id: z.string(),
  email: z.string().optional(),
  username: z.string().optional(),
  first_name: z.string().optional(),
  last_name: z.string().optional(),
  full_name: z.string().optional(),
  last_login: z.int().nullable().optional(),
  type: z.int().optional(),
  subtype: z.string().optional(),
});

const MOST = 100;
const ADMINS: ReadonlySet<number> = new Set([100, 150]);

export const listUsers = endpoint({
  method: 'GET',
  path: '/users',
  summary: 'The users of the own organization',
  caller: 'token',
  counts: 'nothing',
  rights({ caller }) {
    if (!isStaff(accountOf(caller))) throw new Refused('forbidden');
  },
  accepts: { query: ListQuery },
  replies: {
    200: z.strictObject({ data: z.array(Row), total_count: z.int() }),
    ...failures(400, 401, 403, 503),
  },
  async answer({ query, organization }, use) {
    const found: AccountView[] = [];
    for await (const account of use.accounts()) {
      if (matches(account, query, organization)) found.push(account);
    }
    found.sort(inOrder(query.sort ?? { by: 'id', descending: false }));
    const start = query.start ?? 0;
    const page = found.slice(start, start + Math.min(query.limit ?? 20, MOST));
    return ok({ data: page.map((account) => rowOf(account, query.fields)), total_count: found.length });
  },
});

/* ------------------------------------------------------------------ which */

type Filters = {
  readonly [K in keyof Listing]?: (account: AccountView, wanted: NonNullable<Listing[K]>) => boolean;
};

const occurs = (wanted: string, text: string) => foldName(text).includes(foldName(wanted));

/** Each is asked only when its name was given; all of them must hold. */
const FILTERS: Filters = {
  id: (account, wanted) => wanted.includes(account.alias),
  status: (account, wanted) => wanted.map(Number).includes(statusOf(account)),
  type: (account, wanted) => wanted.map(Number).includes(typeOf(account)),
  full_name: (account, wanted) => {
    const name = foldName(fullNameOf(account));
    return foldName(wanted)
      .split(/\s+/)
      .every((word) => name.includes(word));
  },
  email: (account, wanted) => occurs(wanted, emailOf(account)),
  q: (account, wanted) => occurs(wanted, fullNameOf(account)) || occurs(wanted, emailOf(account)),
  subtype: (account, wanted) => wanted.includes(textOf(account.vendor.subtype)),
  role: (account, wanted) => account.roles.some((role) => wanted.includes(role)),
  is_admin: (account, wanted) => ADMINS.has(typeOf(account)) === wanted,
  is_hidden: (account, wanted) =>
    (account.vendor.is_hidden === true || account.vendor.is_hidden === 1) === wanted,
  room_code: (account, wanted) => roomsOf(account).some(({ code }) => code === wanted),
  group: (account, wanted) => textOf(account.vendor.group) === wanted,
  ex_filter: (_, wanted) => wanted === 'all',
};

export function matches(account: AccountView, query: Listing, organization: OrganizationView): boolean {
  if (query.account_code !== undefined && query.account_code !== organization.id) return false;
  return Object.entries(FILTERS).every(([name, holds]) => {
    const wanted = query[name as keyof Listing];
    return (
      wanted === undefined || (holds as (account: AccountView, wanted: unknown) => boolean)(account, wanted)
    );
  });
}

/* ------------------------------------------------------------------ in which order */

export function inOrder({ by, descending }: Order) {
  return (left: AccountView, right: AccountView): number => {
    const difference = compare(sortable(left, by), sortable(right, by));
    return (descending ? -difference : difference) || compare(BigInt(left.alias), BigInt(right.alias));
  };
}

function sortable(account: AccountView, by: Column): string | number | bigint {
  if (by === 'id') return BigInt(account.alias);
  const value = cellOf(account, by);
  return typeof value === 'string' ? foldName(value) : (value ?? -1);
}

const compare = <T>(left: T, right: T) => (left < right ? -1 : left > right ? 1 : 0);

/* ------------------------------------------------------------------ what of them */

export function rowOf(account: AccountView, fields: readonly string[] = []) {
  const wanted = fields.filter(isColumn);
  if (wanted.length === 0) {
    return { email: emailOf(account), id: account.alias, full_name: fullNameOf(account) };
  }
  return Object.fromEntries(['id' as const, ...wanted].map((column) => [column, cellOf(account, column)]));
}

function cellOf(account: AccountView, column: Column): string | number | null {
  const { claims, vendor, lastSignInAt } = account;
  const values: Readonly<Record<Column, () => string | number | null>> = {
    id: () => account.alias,
    username: () => usernameOf(account),
    first_name: () => claims.given_name ?? '',
    last_name: () => claims.family_name ?? '',
    full_name: () => fullNameOf(account),
    last_login: () => (lastSignInAt === undefined ? null : seconds(lastSignInAt)),
    type: () => typeOf(account),
    subtype: () => textOf(vendor.subtype),
  };
  return values[column]();
}
