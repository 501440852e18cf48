/**
 * docs/openapi/<dialect>.json, made from the endpoint tables: zod's own JSON Schema for bodies, queries and
 * replies, so that the documentation cannot say anything else than what is checked. Served in development at
 * /docs/<dialect>; `npm run docs` writes the files and a test fails when they are stale.
 */
import { z } from 'zod';
import type { BodyKind, BodyRules, Dialect, Mount } from '../contract/dialect.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import type { AnySettings } from '../contract/settings.ts';
import { loadAllDialects } from '../registry.ts';
import { bodyRules, schemasOf } from '../runtime/current-request.ts';
import { splitSettings } from '../runtime/mounted.ts';

type JsonSchema = Record<string, unknown>;

const MEDIA: Readonly<Record<BodyKind, string>> = {
  json: 'application/json',
  form: 'application/x-www-form-urlencoded',
  multipart: 'multipart/form-data',
};

/** `io`: as it is sent, or as it comes out. What zod cannot say (a check in code) is left open. */
export function schemaOf(schema: z.ZodType, io: 'input' | 'output'): z.core.JSONSchema.BaseSchema {
  const { $schema: _, ...described } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return described;
}

/** ':id' becomes '{id}', with the form that the segment has. */
function pathParameters(path: string, forms: Readonly<Record<string, RegExp>>): JsonSchema[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => {
    const pattern = forms[name]?.source.replace(/^\^|\$$/g, '');
    const schema = { type: 'string', ...(pattern !== undefined && { pattern: `^(?:${pattern})$` }) };
    return { name, in: 'path', required: true, schema };
  });
}

function queryParameters(schema: z.ZodType | undefined): JsonSchema[] {
  if (schema === undefined) return [];
  const described = schemaOf(schema, 'input');
  const required = described.required ?? [];
  return Object.entries(described.properties ?? {}).map(([name, form]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: form,
  }));
}

function requestBody(rules: BodyRules, body: z.ZodType): JsonSchema {
  const schema = withNulls(schemaOf(body, 'input'));
  const content = Object.fromEntries(rules.accepts.map((kind) => [MEDIA[kind], { schema }]));
  return { required: rules.absent === 'refuse', content };
}

/** To every vendor a null is the same as a member that is absent, where one may be. */
function withNulls(schema: z.core.JSONSchema.BaseSchema): JsonSchema {
  const required = schema.required ?? [];
  const members = Object.entries(schema.properties ?? {});
  const properties = members.map(([name, form]) => [
    name,
    required.includes(name) || Object.keys(form).length === 0 ? form : { anyOf: [form, { type: 'null' }] },
  ]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** No content where the schema allows nothing but nothing. */
function content(status: string, schema: z.ZodType): JsonSchema {
  const described = schemaOf(schema, 'output');
  const nothing = described.not !== undefined || described.maxLength === 0 || status === '204';
  if (nothing || /^3/.test(status)) return {};
  const isPage = described.type === 'string';
  return { content: { [isPage ? 'text/html' : 'application/json']: { schema: described } } };
}

function describe(status: number): string {
  if (status < 300) return 'Done';
  if (status < 400) return 'Location leads on';
  return status < 500 ? 'Refused' : 'Not now';
}

function operation(endpoint: Endpoint, mount: Mount, dialect: Dialect, settings: AnySettings): JsonSchema {
  const accepts = schemasOf(endpoint, settings);
  const forms = { ...mount.segments, ...endpoint.segments };
  const parameters = [
    ...pathParameters(mount.base + endpoint.path, forms),
    ...queryParameters(accepts.query),
  ];
  return {
    summary: endpoint.summary,
    // Openness is spelled out here as well.
    'x-caller': endpoint.caller,
    ...(parameters.length > 0 && { parameters }),
    ...(accepts.body && { requestBody: requestBody(bodyRules(dialect, endpoint), accepts.body) }),
    responses: Object.fromEntries(
      Object.entries(endpoint.replies).map(([status, schema]) => [
        status,
        { description: describe(Number(status)), ...content(status, schema) },
      ]),
    ),
  };
}

/** OpenAPI 3.1 of one dialect, under its default settings unless others are given. */
export function openApi(dialect: Dialect, raw: unknown = {}): JsonSchema {
  const settings = dialect.settings.parse(splitSettings(raw).own);
  const paths: Record<string, JsonSchema> = {};
  for (const mount of dialect.mounts(settings)) {
    for (const endpoint of mount.endpoints) {
      const path = (mount.base + endpoint.path).replace(/:(\w+)/g, '{$1}');
      const described = operation(endpoint, mount, dialect, settings);
      paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: described };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: dialect.title, version: '1' },
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/** The file's text, the same bytes for the same tables. */
export function openApiText(dialect: Dialect): string {
  return `${JSON.stringify(openApi(dialect), null, 2)}\n`;
}

/** The documents of the registry's dialects: file name and text. */
export async function openApiDocuments(): Promise<[file: string, text: string][]> {
  const dialects = await loadAllDialects();
  return dialects.map((dialect) => [`${dialect.name}.json`, openApiText(dialect)]);
}
