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
    const matching: AccountView[] = [];
    const matches = filterOf(query, organization);
    for await (const batch of use.accounts.all()) matching.push(...batch.filter(matches));
    const order = query.sort ?? { by: 'id', descending: false };
    const start = query.start ?? 0;
    const end = start + Math.min(query.limit ?? 20, MOST);
    const page = inOrder(matching, order, organization).slice(start, end);
    return ok({
      data: page.map((account) => rowOf(account, organization, query.fields)),
      total_count: matching.length,
    });
  },
});

/* ------------------------------------------------------------------ which */

type Filter = (account: AccountView) => boolean;

const occursIn = (input: string) => {
  const part = foldName(input);
  return (text: string) => foldName(text).includes(part);
};

/** Each is made only when its name was given; all of them must hold. */
const FILTERS: { readonly [K in keyof Listing]?: (input: NonNullable<Listing[K]>) => Filter } = {
  id: (input) => (account) => input.includes(account.alias),
  status: (input) => (account) => input.map(Number).includes(statusOf(account)),
  type: (input) => (account) => input.map(Number).includes(typeOf(account)),
  full_name(input) {
    const words = foldName(input).split(/\s+/);
    return (account) => {
      const name = foldName(fullNameOf(account));
      return words.every((word) => name.includes(word));
    };
  },
  email(input) {
    const occurs = occursIn(input);
    return (account) => occurs(emailOf(account));
  },
  q(input) {
    const occurs = occursIn(input);
    return (account) => occurs(fullNameOf(account)) || occurs(emailOf(account));
  },
  subtype: (input) => (account) => input.includes(textOf(account.vendor.subtype)),
  role: (input) => (account) => account.roles.some((role) => input.includes(role)),
  is_admin: (input) => (account) => ADMINS.has(typeOf(account)) === input,
  is_hidden: (input) => (account) => isOn(account.vendor.is_hidden) === input,
  room_code: (input) => (account) => roomsOf(account).some(({ code }) => code === input),
  group: (input) => (account) => textOf(account.vendor.group) === input,
  ex_filter: (input) => () => input === 'all',
};

export function filterOf(query: Listing, organization: OrganizationView): Filter {
  if (query.account_code !== undefined && query.account_code !== organization.id) return () => false;
  const filters = Object.entries(FILTERS).flatMap(([name, make]) => {
    const input = query[name as keyof Listing];
    return input === undefined ? [] : [(make as (input: unknown) => Filter)(input)];
  });
  return (account) => filters.every((holds) => holds(account));
}

/* ------------------------------------------------------------------ in which order */

export function inOrder(
  accounts: readonly AccountView[],
  { by, descending }: Order,
  organization: OrganizationView,
): AccountView[] {
  const sortable = (account: AccountView, id: bigint) => {
    const value = by === 'id' ? id : cells.show(account, organization)[by];
    return typeof value === 'string' ? foldName(value) : (value ?? -1);
  };
  return accounts
    .map((account) => {
      const id = BigInt(account.alias);
      return { account, id, value: sortable(account, id) };
    })
    .sort((left, right) => {
      const difference = compare(left.value, right.value);
      return (descending ? -difference : difference) || compare(left.id, right.id);
    })
    .map(({ account }) => account);
}

const compare = <T>(left: T, right: T) => (left < right ? -1 : left > right ? 1 : 0);

/* ------------------------------------------------------------------ what of them */

export function rowOf(account: AccountView, organization: OrganizationView, fields: readonly string[] = []) {
  const input = fields.filter(isColumn);
  const columns = input.length === 0 ? ['email', 'id', 'full_name'] : ['id', ...input];
  const row = cells.show(account, organization);
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}
