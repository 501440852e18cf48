/**
 * The query of GET /users. Lists come as `type=200`, `type=200,400`, `type=200&type=400`, `type[]=200`,
 * `type[0]=200` and `type=[200,400]`; empty values and unknown names are ignored, anything else of a wrong
 * form is refused.
 */
import { z } from 'zod';
import { takeText } from '../../contract/dialect.ts';
import { EMPTY, eitherOf, integer, objectOf, optional, type Reader, text, WRONG, wordOf } from '../fields.ts';
import { plusForBlank } from '../repair-form.ts';
import { COLUMNS } from '../serializers.ts';

export const isColumn = (name: string) => COLUMNS.split(' ').includes(name);

/** Longer than any name. */
const LONGEST = 1024;

const anyText = text({ limit: LONGEST });
/** As long as a request may be: a list is judged by its elements. */
const anyList = text({ limit: 65_536, exact: true });

/** Elements that `rule` lets through as they are. */
export function list(rule: (element: string) => boolean): Reader<string[]> {
  return {
    documented: { type: ['string', 'array'], items: { type: 'string' } },
    read(value) {
      const sent = Array.isArray(value) ? value : [value];
      const elements: string[] = [];
      for (const one of sent) {
        const read = one === null ? EMPTY : anyList.read(one);
        if (read === WRONG) return WRONG;
        for (const element of read === EMPTY ? [] : elementsOf(read)) {
          const kept = takeText(element, LONGEST);
          if (kept === undefined || !rule(kept)) return WRONG;
          elements.push(kept);
        }
      }
      return elements.length === 0 ? EMPTY : elements;
    },
  };
}

/** `200,400`, `[200,400]` and `["a","b"]`. */
function elementsOf(list: string): string[] {
  const sent = list.trim();
  const inner = sent.startsWith('[') && sent.endsWith(']') ? sent.slice(1, -1) : sent;
  return inner
    .split(',')
    .map((element) => element.trim().replace(/^(["'])(.*)\1$/, '$2'))
    .filter((element) => element !== '');
}

const integers = (digits: number) => list((element) => new RegExp(`^\\d{1,${digits}}$`).test(element));
const texts = list(() => true);

/** At least three characters, every sign taken literally. */
const search = text({ limit: LONGEST, rule: (sent) => ([...sent].length < 3 ? undefined : sent) });

/** As in bodies, a blank in an address was a plus. */
const emailSearch: Reader<string> = {
  ...search,
  read: (value) => search.read(typeof value === 'string' ? plusForBlank(value) : value),
};

const yesOrNo = eitherOf(['0', 'false'], ['1', 'true']);

export interface Order {
  readonly by: string;
  readonly descending: boolean;
}

/** `full_name.asc`, `sort[full_name]=asc` or `{"full_name":"asc"}`. */
export const order: Reader<Order> = {
  documented: { type: ['string', 'object'] },
  read(value) {
    const sent = typeof value === 'string' ? value.trim() : value;
    if (sent === '') return EMPTY;
    const [pair, ...more] = pairsOf(sent);
    if (pair === undefined || more.length > 0) return WRONG;
    const [by, direction] = pair;
    if (!isColumn(by) || (direction !== 'asc' && direction !== 'desc')) return WRONG;
    return { by, descending: direction === 'desc' };
  },
};

function pairsOf(sent: unknown): (readonly [string, unknown])[] {
  if (typeof sent === 'string' && !sent.startsWith('{')) {
    const dot = sent.indexOf('.');
    return [[sent.slice(0, Math.max(dot, 0)), sent.slice(dot + 1)]];
  }
  return Object.entries(objectOf(sent) ?? {});
}

const whole = (from: number) => integer(from, 999_999_999);

export const ListQuery = z.object({
  id: optional('id', integers(20)),
  status: optional('status', integers(9)),
  type: optional('type', integers(9)),
  full_name: optional('full_name', search),
  email: optional('email', emailSearch),
  q: optional('q', search),
  subtype: optional('subtype', texts),
  role: optional('role', texts),
  is_admin: optional('is_admin', yesOrNo),
  is_hidden: optional('is_hidden', yesOrNo),
  room_code: optional('room_code', anyText),
  group: optional('group', anyText),
  account_code: optional('account_code', anyText),
  ex_filter: optional('ex_filter', wordOf(['all', 'my-patient'])),
  sort: optional('sort', order),
  start: optional('start', whole(0)),
  limit: optional('limit', whole(1)),
  fields: optional('fields', texts),
});

export type Listing = z.output<typeof ListQuery>;
