/**
 * Holds what goes over the wire to docs/openapi/<vendor>.json: the document that clients read must say what
 * the server does. A served path whose status is not in the document is a fault as well.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Incoming, Outgoing } from './http-client.ts';

const folder = path.join(import.meta.dirname, '../../docs/openapi');

/** What may follow a path and changes nothing. */
const SUFFIX: Readonly<Record<string, string>> = { vsee: '(\\.json)?' };

interface Media {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Operation {
  readonly requestBody?: Media;
  readonly responses: Readonly<Record<string, Media>>;
}

export interface OpenApiContract {
  /** What is wrong with the exchange; empty when nothing is, or when the document does not serve the path. */
  issues(sent: Outgoing, reply: Incoming): string[];
}

export function openApiContract(vendor: string): OpenApiContract {
  const document = JSON.parse(readFileSync(path.join(folder, `${vendor}.json`), 'utf8')) as {
    paths: Record<string, Record<string, Operation>>;
  };
  const routes = Object.entries(document.paths).map(([template, methods]) => ({
    pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}${SUFFIX[vendor] ?? ''}/?$`),
    template,
    methods,
  }));
  // A path without a parameter goes before one with: /users/login is no /users/{id}.
  routes.sort((a, b) => Number(a.template.includes('{id}')) - Number(b.template.includes('{id}')));
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const compiled = new Map<object, ValidateFunction>();
  const judge = (schema: object, value: unknown, what: string): string[] => {
    const validate = compiled.get(schema) ?? ajv.compile(schema);
    compiled.set(schema, validate);
    return validate(value) ? [] : [`${what} is not as documented: ${ajv.errorsText(validate.errors)}`];
  };

  return {
    issues(sent, reply) {
      const [asked = ''] = sent.path.split('?');
      const operation = routes.find(({ pattern }) => pattern.test(asked))?.methods[sent.method.toLowerCase()];
      if (operation === undefined) return [];
      const documented = operation.responses[String(reply.status)];
      if (documented === undefined) return [`${sent.method} ${asked}: ${reply.status} is not documented`];
      const schema = documented.content?.['application/json']?.schema;
      const body = reply.bytes.byteLength > 0 && schema !== undefined ? jsonOf(reply.text) : undefined;
      return [
        ...(schema === undefined || body === undefined ? [] : judge(schema, body, `reply ${reply.status}`)),
        ...(reply.status < 400 ? requestIssues(operation, sent, judge) : []),
      ];
    },
  };
}

/** What was accepted must be what is documented. Forms carry text alone, so only JSON bodies are held to it. */
function requestIssues(
  { requestBody }: Operation,
  sent: Outgoing,
  judge: (schema: object, value: unknown, what: string) => string[],
): string[] {
  const schema = requestBody?.content?.['application/json']?.schema;
  const isJson = /^application\/json/i.test(sent.headers?.['content-type'] ?? '');
  if (schema === undefined || !isJson || sent.body === undefined) return [];
  const body = jsonOf(String(sent.body));
  return body === undefined ? [] : judge(schema, body, 'the accepted request');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
