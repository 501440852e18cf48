/** GET /users: the directory of the caller's organization, for staff. Portico knows no visits, so no user is "my patient". */

import { foldName, type OrganizationView, Refused } from '../../contract/dialect.ts';
import type { AccountView } from '../../contract/endpoint.ts';
import { ok } from '../../contract/reply.ts';
import { failures } from '../refusals.ts';
import {
  cells,
  emailOf,
  fullNameOf,
  isOn,
  isStaff,
  ListReply,
  roomsOf,
  statusOf,
  textOf,
  typeOf,
} from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { isColumn, type Listing, ListQuery, type Order } from './list-query.ts';

const MOST = 100;
const ADMINS: ReadonlySet<number> = new Set([100, 150]);

export const listUsers = endpoint({
  method: 'GET',
  path: '/users',
  summary: 'The users of the own organization',
  caller: 'token',
  counts: 'nothing',
  rights({ caller }) {
    if (!isStaff(caller.account)) throw new Refused('forbidden');
  },
  accepts: { query: ListQuery },
  replies: {
    200: ListReply,
    ...failures(400, 401, 403, 503),
  },
  async answer({ query, organization }, use) {
    const result: AccountView[] = [];
    for await (const account of use.accounts.all()) {
      if (matches(account, query, organization)) result.push(account);
    }
    result.sort(inOrder(query.sort ?? { by: 'id', descending: false }, organization));
    const start = query.start ?? 0;
    const page = result.slice(start, start + Math.min(query.limit ?? 20, MOST));
    return ok({
      data: page.map((account) => rowOf(account, organization, query.fields)),
      total_count: result.length,
    });
  },
});

/* ------------------------------------------------------------------ which */

type Filters = {
  readonly [K in keyof Listing]?: (account: AccountView, input: NonNullable<Listing[K]>) => boolean;
};

const occurs = (input: string, text: string) => foldName(text).includes(foldName(input));

/** Each is asked only when its name was given; all of them must hold. */
const FILTERS: Filters = {
  id: (account, input) => input.includes(account.alias),
  status: (account, input) => input.map(Number).includes(statusOf(account)),
  type: (account, input) => input.map(Number).includes(typeOf(account)),
  full_name: (account, input) => {
    const name = foldName(fullNameOf(account));
    return foldName(input)
      .split(/\s+/)
      .every((word) => name.includes(word));
  },
  email: (account, input) => occurs(input, emailOf(account)),
  q: (account, input) => occurs(input, fullNameOf(account)) || occurs(input, emailOf(account)),
  subtype: (account, input) => input.includes(textOf(account.vendor.subtype)),
  role: (account, input) => account.roles.some((role) => input.includes(role)),
  is_admin: (account, input) => ADMINS.has(typeOf(account)) === input,
  is_hidden: (account, input) => isOn(account.vendor.is_hidden) === input,
  room_code: (account, input) => roomsOf(account).some(({ code }) => code === input),
  group: (account, input) => textOf(account.vendor.group) === input,
  ex_filter: (_, input) => input === 'all',
};

export function matches(account: AccountView, query: Listing, organization: OrganizationView): boolean {
  if (query.account_code !== undefined && query.account_code !== organization.id) return false;
  return Object.entries(FILTERS).every(([name, holds]) => {
    const input = query[name as keyof Listing];
    return (
      input === undefined || (holds as (account: AccountView, input: unknown) => boolean)(account, input)
    );
  });
}

/* ------------------------------------------------------------------ in which order */

export function inOrder({ by, descending }: Order, organization: OrganizationView) {
  const sortable = (account: AccountView) => {
    const value = by === 'id' ? BigInt(account.alias) : cells.show(account, organization)[by];
    return typeof value === 'string' ? foldName(value) : (value ?? -1);
  };
  return (left: AccountView, right: AccountView): number => {
    const difference = compare(sortable(left), sortable(right));
    return (descending ? -difference : difference) || compare(BigInt(left.alias), BigInt(right.alias));
  };
}

const compare = <T>(left: T, right: T) => (left < right ? -1 : left > right ? 1 : 0);

/* ------------------------------------------------------------------ what of them */

export function rowOf(account: AccountView, organization: OrganizationView, fields: readonly string[] = []) {
  const input = fields.filter(isColumn);
  const columns = input.length === 0 ? ['email', 'id', 'full_name'] : ['id', ...input];
  const row = cells.show(account, organization);
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}
