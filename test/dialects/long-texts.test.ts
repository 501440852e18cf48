/** No text that a client sends to a dialect keeps the server from others (security.md B1): every field of every endpoint. */
import { expect } from 'chai';
import type { z } from 'zod';
import type { AnyAccepts, Endpoint } from '../../src/dialects/contract/endpoint.ts';
import type { AnySettings } from '../../src/dialects/contract/settings.ts';
import { schemaOf } from '../../src/dialects/docs/openapi.ts';
import { checkDialects } from '../../src/dialects/pipeline/validate.ts';
import { registerAccount } from '../../src/identity/accounts/create-account.ts';
import type { DialectInfo } from '../conformance/dialect-under-test.ts';
import { escaped, FORM, HEAD, type Place, Sender, slowText } from '../support/long-texts.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { vendors, vsee } from './vendors.ts';

const JSON_TYPE = 'application/json';
const PASSWORD = 'Granary-Window-Feather-63';
/** Bytes of a body, beside what surrounds the text. */
const BODY = 65_000;
/** What endpoints for browsers read of a query themselves. */
const READ_BY_HAND = ['token', 'sso_token', 'next', 'state', 'code', 'error'];

type AnyEndpoint = Endpoint<AnyAccepts, AnySettings>;
type Schema = { properties?: Record<string, Schema>; anyOf?: Schema[] };

interface At {
  readonly endpoint: AnyEndpoint;
  /** With its named segments filled in. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Members that hold a text, by their path. */
function leavesOf(schema: Schema): string[][] {
  const options = [schema, ...(schema.anyOf ?? [])].filter(({ properties }) => properties !== undefined);
  if (options.length === 0) return [[]];
  return options.flatMap(({ properties = {} }) =>
    Object.entries(properties).flatMap(([name, inner]) => leavesOf(inner).map((path) => [name, ...path])),
  );
}

function acceptsOf(endpoint: AnyEndpoint, settings: AnySettings): { body?: z.ZodType; query?: z.ZodType } {
  const { accepts } = endpoint;
  return (typeof accepts === 'function' ? accepts(settings) : accepts) ?? {};
}

/** `{"a":{"b":<wire>}}` for the path a, b. */
function jsonAt([name, ...path]: readonly string[], wire: string): string {
  return name === undefined ? wire : `{${JSON.stringify(name)}:${jsonAt(path, wire)}}`;
}

describe('long texts to dialects', function () {
  this.timeout(120_000);
  let server: TestServer;
  let sender: Sender;

  before(async () => {
    // VisitNote counts what one account asks for before it reads a body.
    const dialects = { visitnote: { enabled: true, limits: { general: 100_000 } } };
    server = await startTestServer({ config: { log: { level: 'info' }, dialects } });
    sender = new Sender(server.url);
  });
  after(async () => {
    sender?.close();
    await server?.close();
  });

  async function credentialOf(context: DialectInfo): Promise<Record<string, string>> {
    const { dialect, organization, signIn } = context;
    // VSee's directory is for staff, of whom the seed has one.
    let [email, password] = ['doc@x.test', 'Cobalt-Ferry-Thistle-26'];
    if (context !== vsee) {
      [email, password] = [`long.${dialect.name}@people.test`, PASSWORD];
      const account = { email, emailVerified: true, password };
      await registerAccount(server.running.identity, { organization, account });
    }
    const headers = { 'content-type': JSON_TYPE, ...context.headers };
    const body = JSON.stringify(signIn.body(email, password));
    const reply = await sender.send('POST', signIn.path, headers, body);
    expect(reply.status, reply.text).to.equal(signIn.status);
    const [, ...pointer] = signIn.token.split('/');
    const token = pointer.reduce(
      (value: unknown, name) => (value as Record<string, unknown>)[name],
      reply.json(),
    );
    return context.me.headers(String(token));
  }

  function pathPlaces(pattern: string, { endpoint, headers }: At): Place[] {
    return (pattern.match(/:\w+/g) ?? []).map((segment) => ({
      name: `${endpoint.method} ${pattern} ${segment}`,
      longest: HEAD,
      wire: encodeURIComponent,
      send: (wire) => {
        const path = pattern.replace(segment, () => wire).replace(/\/:\w+/g, '/1');
        return sender.send(endpoint.method, path, headers);
      },
    }));
  }

  function queryPlaces({ endpoint, path, headers }: At, schema: z.ZodType | undefined): Place[] {
    if (endpoint.method !== 'GET') return [];
    const byHand = endpoint.caller === 'anyone' ? READ_BY_HAND : [];
    const names =
      schema === undefined ? byHand : Object.keys((schemaOf(schema, 'input') as Schema).properties ?? {});
    return names.map((name) => sender.queryPlace(path, name, { headers }));
  }

  function bodyPlaces(at: At, schema: z.ZodType | undefined, readsForms: boolean): Place[] {
    const { endpoint, path, headers } = at;
    if (schema === undefined || endpoint.method === 'GET') return [];
    const to = `${endpoint.method} ${path}`;
    const send = (type: string, body: string) =>
      sender.send(endpoint.method, path, { 'content-type': type, ...headers }, body);
    const fields = leavesOf(schemaOf(schema, 'input') as Schema);
    const places = fields.map((field) => ({
      name: `${to} ${field.join('.')}`,
      longest: BODY,
      wire: JSON.stringify,
      send: (wire: string) => send(JSON_TYPE, jsonAt(field, wire)),
    }));
    // The same readers judge what a form holds: all at once.
    const form = {
      name: `${to} as a form`,
      longest: Math.floor(BODY / fields.length) - 30,
      wire: escaped,
      send: (wire: string) => send(FORM, fields.map(([name]) => `${name}=${wire}`).join('&')),
    };
    return readsForms ? [...places, form] : places;
  }

  async function placesOf(context: DialectInfo): Promise<Place[]> {
    const { dialect } = context;
    const settings = { [dialect.name]: { enabled: true } };
    const { mounts } = checkDialects({ dialects: [dialect], settings, reserved: () => false });
    const credential = await credentialOf(context);
    const seen = new Set<AnyEndpoint>();
    const places: Place[] = [];
    for (const { owner, mount, routes } of mounts) {
      for (const { endpoint } of routes.filter((route) => !seen.has(route.endpoint))) {
        seen.add(endpoint);
        const key = endpoint.caller === 'api-key' ? { 'x-apikey': context.apiKey?.['x-apikey'] ?? '' } : {};
        const shown = endpoint.caller === 'anyone' ? {} : credential;
        const pattern = mount.base + endpoint.path;
        const path = pattern.replace(/\/:\w+/g, '/1');
        const at = { endpoint, path, headers: { ...context.headers, ...shown, ...key } };
        const accepts = acceptsOf(endpoint, owner.settings);
        const rules = { ...dialect.bodies, ...(typeof endpoint.body === 'object' ? endpoint.body : {}) };
        places.push(...pathPlaces(pattern, at), ...queryPlaces(at, accepts.query));
        places.push(...bodyPlaces(at, accepts.body, rules.accepts.includes('form')));
      }
    }
    return places;
  }

  for (const context of vendors) {
    it(`B1 no field of ${context.dialect.name} keeps the server from others`, async () => {
      const places = await placesOf(context);
      expect(places.length).to.be.greaterThan(20);
      const slow = await slowText(places);
      expect(slow, slow).to.equal(undefined);
      expect(sender.takeUnread()).to.deep.equal([]);
    });
  }
});
