/**
 * What of a reply is the vendor's contract and no data: the texts that it prints, and the names of members. Only these
 * are ever shown of a difference. The texts are those of the dialect's refusals and of its schemas.
 */
import { z } from 'zod';
import type { Dialect, Reason } from '../dialects/contract/dialect.ts';
import type { Endpoint, RequestView } from '../dialects/contract/endpoint.ts';
import type { MountedDialect } from '../dialects/runtime/mounted.ts';
import { isTable, type JsonTable } from './forms.ts';

type Schema = z.core.JSONSchema.BaseSchema;

export interface ContractWords {
  /** Whether the text is the dialect's own: every client may get it. */
  prints(text: string): boolean;
  /** The text with words that the contract does not have left out. */
  shown(text: string): string;
  /** What a reply of the endpoint with this status is said to be. */
  replyOf(endpoint: Endpoint, status: number): Place;
}

/** A place in a reply. */
export interface Place {
  /** How the member is named in a pointer: its name, or '*' where names are data. */
  nameOf(member: string): string;
  member(name: string): Place;
  readonly items: Place;
}

/** Characters of a text that is shown. */
const LONGEST = 160;

const wordsOf = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [];

export function contractWords({ dialect, settings }: MountedDialect): ContractWords {
  const schemas = new Map<string, Schema>();
  const schemaOf = ({ method, path, replies }: Endpoint, status: number): Schema | undefined => {
    const name = `${method} ${path} ${status}`;
    const schema = replies[status];
    if (schema !== undefined && !schemas.has(name))
      schemas.set(name, z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }));
    return schemas.get(name);
  };
  const endpoints = dialect.mounts(settings).flatMap((mount) => mount.endpoints);
  const printed = endpoints.flatMap((endpoint) =>
    Object.keys(endpoint.replies).flatMap((status) => constantsOf(schemaOf(endpoint, Number(status)))),
  );
  const texts = new Set([...printed, ...refusalTexts(dialect, settings)]);
  const words = new Set([...texts].flatMap(wordsOf));
  return {
    prints: (text) => texts.has(text),
    shown: (text) =>
      text
        .slice(0, LONGEST)
        .replace(/[\p{L}\p{N}_]+/gu, (word) => (words.has(word.toLowerCase()) ? word : '…'))
        .replace(/(?:…[^\p{L}\p{N}_]*){2,}/gu, '… ')
        .trim(),
    replyOf: (endpoint, status) => placeOf([schemaOf(endpoint, status)]),
  };
}

/** Texts that a schema allows by name. */
function constantsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([name, value]) => {
    if (name === 'const') return typeof value === 'string' ? [value] : [];
    if (name === 'enum' && Array.isArray(value)) return value.filter((each) => typeof each === 'string');
    return constantsOf(value);
  });
}

const NO_REQUEST: RequestView = {
  ...{ method: '', path: '', base: '', host: '', address: '', issuer: '' },
  ...{ query: new URLSearchParams(), header: () => undefined, arrivedAt: new Date(0) },
};

function refusalTexts({ refusals }: Dialect, settings: MountedDialect['settings']): string[] {
  const reasons = Object.keys(refusals) as Reason[];
  return reasons.flatMap((reason) => {
    const refusal = { reason, issues: [], retryAfter: 5, allow: [], request: NO_REQUEST, settings };
    const { body } = refusals[reason]({ ...refusal, endpoint: undefined, credential: undefined });
    return 'json' in body ? textsIn(body.json) : [];
  });
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/* ------------------------------------------------------------------ places */

/** As APIs name members: no name of a person, no address, no id. */
const A_NAME = /^[a-z_$][\w$-]{0,39}$/;
const AN_ID = /\d{3}|^[\da-f]{8,}$/i;

/** By all branches of a schema that has some. */
function placeOf(branches: readonly unknown[]): Place {
  const schemas = branches.flatMap(alternatives);
  const properties = schemas.flatMap(({ properties: known }) => (isTable(known) ? [known] : []));
  const isFixed = schemas.some(({ additionalProperties }) => additionalProperties === false);
  const others = schemas.flatMap(({ additionalProperties }) =>
    isTable(additionalProperties) && Object.keys(additionalProperties).length > 0
      ? [additionalProperties]
      : [],
  );
  const isKnown = (name: string) => properties.some((known) => Object.hasOwn(known, name));
  return {
    nameOf(name) {
      if (isKnown(name)) return name;
      return isFixed && A_NAME.test(name) && !AN_ID.test(name) ? name : '*';
    },
    member: (name) =>
      placeOf(
        isKnown(name)
          ? properties.map((known) => Object.getOwnPropertyDescriptor(known, name)?.value)
          : others,
      ),
    get items() {
      return placeOf(schemas.flatMap(({ items, prefixItems }) => [items, prefixItems].flat()));
    },
  };
}

function alternatives(schema: unknown): JsonTable[] {
  if (!isTable(schema)) return [];
  const { anyOf, oneOf, allOf } = schema;
  const inner = [anyOf, oneOf, allOf].flatMap((some) => (Array.isArray(some) ? some : []));
  return [schema, ...inner.flatMap(alternatives)];
}
