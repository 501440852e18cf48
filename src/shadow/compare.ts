/**
 * Two replies to one request, by structure and form. A difference names a place and two forms and no value: what a
 * person is called, or what a token is, is in none of them.
 */
import type { PassedReply, Said } from '../dialects/runtime/legacy-traffic.ts';
import type { Difference } from '../migration/differences.ts';
import type { ContractWords, Place } from './contract-words.ts';
import { formOf, isSaidAlike, isTable, type JsonTable, typeOf } from './forms.ts';

export type Found = Pick<Difference, 'place' | 'kind' | 'there' | 'here'>;

export interface Rules {
  readonly words: ContractWords;
  readonly place: Place;
  /** Whether both sides know the person, so that values are held against each other too. */
  readonly values: boolean;
  /** Values that were drawn in the rehearsal. */
  readonly drawn: ReadonlySet<unknown>;
}

/** Items of a list that are looked at. */
const MOST_ITEMS = 20;
const DEEPEST = 12;
/** Differences of one reply. */
const MOST_FOUND = 50;

/** `isHead`: neither has a body. */
export function compare(
  there: PassedReply,
  here: Said,
  rules: Rules & { readonly isHead: boolean },
): Found[] {
  const found: Found[] = [];
  if (there.status !== here.reply.status)
    found.push({ place: 'status', kind: 'status', there: `${there.status}`, here: `${here.reply.status}` });
  // A yes and a no have nothing else in common.
  if (isYes(there.status) !== isYes(here.reply.status)) return found;
  found.push(...headers(there, here, rules));
  if (!rules.isHead) found.push(...bodies(there, here, rules));
  const unique = new Map(found.map((each) => [JSON.stringify(each), each]));
  return [...unique.values()].slice(0, MOST_FOUND);
}

const isYes = (status: number) => status < 400;

/* ------------------------------------------------------------------ headers */

/** Whose text is the contract's. */
const PRINTED = ['content-type', 'allow', 'www-authenticate'];

function headers(there: PassedReply, { reply, headers: named }: Said, { words }: Rules): Found[] {
  const type = 'json' in reply.body ? { 'content-type': 'application/json; charset=utf-8' } : {};
  const own = Object.entries({ ...type, ...named }).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  const differing = own.flatMap(([name, here]): Found[] => {
    const place = `header ${name}`;
    const [other] = valuesOf(there, name);
    if (other === undefined) return [{ place, kind: 'missing there', there: 'absent', here: formOf(here) }];
    const isPrinted = PRINTED.includes(name);
    if (isPrinted && plain(other) !== plain(here))
      return [{ place, kind: 'text', there: isMediaType(name, other) ? other : words.shown(other), here }];
    const [thereForm, hereForm] = [formOf(other), formOf(here)];
    return isPrinted || thereForm === hereForm
      ? []
      : [{ place, kind: 'form', there: thereForm, here: hereForm }];
  });
  const cookies = valuesOf(there, 'set-cookie').map((cookie) => cookie.split('=', 1)[0]);
  const missing = (reply.cookies ?? []).filter(({ name }) => !cookies.includes(name));
  return [
    ...differing,
    ...missing.map(({ name }) => ({
      ...{ place: `cookie ${name}`, kind: 'missing there' as const, there: 'absent', here: 'cookie' },
    })),
  ];
}

const plain = (value: string) => value.toLowerCase().replaceAll(/[\s"]/g, '');

const isMediaType = (name: string, value: string) =>
  name === 'content-type' && /^[\w.+-]{1,40}\/[\w.+-]{1,40}(?:; ?charset=[\w-]{1,20})?$/.test(value);

function valuesOf({ headers: all }: PassedReply, name: string): string[] {
  return all.filter((_, at) => at % 2 === 1 && all[at - 1]?.toLowerCase() === name);
}

/* ------------------------------------------------------------------ bodies */

function bodies(there: PassedReply, { reply }: Said, rules: Rules): Found[] {
  const text = there.body.toString();
  const kind = (value: string, here: string): Found[] =>
    value === here ? [] : [{ place: '/', kind: 'type', there: value, here }];
  if ('nothing' in reply.body) return kind(text === '' ? 'nothing' : 'a body', 'nothing');
  const json = parsed(text);
  if ('page' in reply.body) return kind(json === undefined && text !== '' ? 'a page' : 'no page', 'a page');
  if (json === undefined) return kind(text === '' ? 'nothing' : 'no JSON', 'JSON');
  return [...walk(json.value, withoutUndefined(reply.body.json), { ...rules, pointer: '', depth: 0 })];
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** As a client reads it. */
const withoutUndefined = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

interface At extends Rules {
  readonly pointer: string;
  readonly depth: number;
}

function* walk(there: unknown, here: unknown, at: At): Generator<Found> {
  const place = at.pointer === '' ? '/' : at.pointer;
  if (at.depth > DEEPEST) return;
  if (typeOf(there) !== typeOf(here)) yield { place, kind: 'type', there: formOf(there), here: formOf(here) };
  else if (Array.isArray(there) && Array.isArray(here)) yield* lists(there, here, at);
  else if (isTable(there) && isTable(here)) yield* tables(there, here, at);
  else if (there !== here) yield* leaves(there, here, at);
}

function* lists(there: readonly unknown[], here: readonly unknown[], at: At): Generator<Found> {
  if (there.length !== here.length)
    yield { place: at.pointer || '/', kind: 'length', there: `${there.length}`, here: `${here.length}` };
  const inside = { ...at, place: at.place.items, pointer: `${at.pointer}/*`, depth: at.depth + 1 };
  for (let item = 0; item < Math.min(there.length, here.length, MOST_ITEMS); item += 1)
    yield* walk(there[item], here[item], inside);
}

function* tables(there: JsonTable, here: JsonTable, at: At): Generator<Found> {
  for (const name of new Set([...Object.keys(there), ...Object.keys(here)])) {
    const pointer = `${at.pointer}/${escaped(shownName(name, { there, here, at }))}`;
    const [hasThere, hasHere] = [Object.hasOwn(there, name), Object.hasOwn(here, name)];
    if (hasThere && hasHere)
      yield* walk(there[name], here[name], {
        ...{ ...at, pointer, place: at.place.member(name) },
        depth: at.depth + 1,
      });
    else if (hasThere)
      yield { place: pointer, kind: 'missing here', there: formOf(there[name]), here: 'absent' };
    else yield { place: pointer, kind: 'missing there', there: 'absent', here: formOf(here[name]) };
  }
}

const escaped = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** A name that is also a value beside it is no name of the contract. */
function shownName(name: string, { there, here, at }: { there: JsonTable; here: JsonTable; at: At }): string {
  const shown = at.place.nameOf(name);
  if (Object.hasOwn(here, name) || shown === '*') return shown;
  const values = Object.values(there).filter((value) => typeof value === 'string');
  return values.some((value) => value.toLowerCase().includes(name.toLowerCase())) ? '*' : shown;
}

function* leaves(there: unknown, here: unknown, at: At): Generator<Found> {
  const { words, values, drawn, pointer } = at;
  const place = pointer || '/';
  const [thereForm, hereForm] = [formOf(there), formOf(here)];
  if (typeof there === 'string' && typeof here === 'string' && words.prints(here))
    yield { place, kind: 'text', there: words.shown(there), here };
  else if (thereForm !== hereForm) yield { place, kind: 'form', there: thereForm, here: hereForm };
  else if (values && !drawn.has(`${here}`) && isSaidAlike(there) && isSaidAlike(here))
    yield { place, kind: 'value', there: thereForm, here: hereForm };
}
