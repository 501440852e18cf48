import { randomToken } from '../../core/crypto.ts';
import type { ApiRecord } from '../../model/api.ts';
import { challenge, resourceMetadata, resourceMetadataUrl } from '../../model/resource-metadata.ts';
import { command, group } from '../command.ts';
import { inContext } from '../context.ts';
import { oneOf, pairs, repeated, required } from '../options.ts';
import { CommandRefused, type JsonOption, say, sayJson, sayList, sayRecord } from '../output.ts';
import { clientOf, followGrants, grant, refuseGrant, scopesOf } from './grants.ts';
import { apiOf, type Changes, type Id, store, tell, withoutSecret } from './record.ts';

const CHANGES = [
  ['--name <name>', 'what people read at consent; as JSON by language: {"en":"Records","de":"Akten"}'],
  ['--organization <id>', 'whose clients may be granted it; without it those of all organizations'],
  pairs(
    '--scope <scope=description>',
    'what clients may be granted; may be given again, the description left out',
  ),
  pairs(
    '--scope-roles <scope=roles>',
    'the scope goes to people with one of these roles alone, with commas between',
  ),
  pairs(
    '--scope-unregistered <scope=yes|no>',
    'whether clients that no operator registered may get the scope (docs/mcp.md); may be given again',
  ),
  oneOf('--format <jwt|opaque>', 'of its tokens (default: jwt)'),
  oneOf('--algorithm <ES256|RS256>', 'that signs JWTs (default: ES256)'),
  ['--lifetime <seconds>', 'of its tokens; without it oidc.lifetimes.accessToken'],
  pairs('--claim <claim=member>', 'a claim of its tokens from a member of the account; may be given again'),
] as const;

interface Grant extends Id {
  readonly client: string;
  readonly scope?: string[];
  readonly default?: boolean;
}

const CLIENT = ['<client>', 'client_id'] as const;

export const apiCommand = group('api', 'APIs (resource servers), and which clients may call them', [
  command({
    name: 'create',
    about: 'define an API; the secret with which it asks about tokens is drawn and printed once',
    argument: ['<id>', 'a short name: the client_id with which it asks about tokens'],
    options: [
      required('--identifier <uri>', 'the audience of its tokens, such as https://records.example.org'),
      ...CHANGES,
      ['--no-secret', 'it does not ask about tokens: it verifies JWTs by itself'],
      ['--json', 'print it as JSON'],
    ],
    help: `
Examples:
  portico api create records --identifier https://records.example.org --scope records:read="Read records"
  portico api create billing --identifier https://billing.example.org --format opaque --scope pay --scope-roles pay=admin,clerk`,
    run: inContext(async (context, changes: Changes & { identifier: string; secret: boolean }) => {
      const { id, identifier } = changes;
      const { apis, clients } = context.stores;
      if ((await apis.byId(id)) ?? (await clients.byId(id))) {
        throw new CommandRefused(`There is an API or a client ${id} already. Choose another id.`);
      }
      const secret = changes.secret ? randomToken() : undefined;
      const base: ApiRecord = { id, identifier, scopes: {}, format: 'jwt', algorithm: 'ES256' };
      const api = await store(context, { base, changes, secret });
      await context.note('api.create', { detail: { api: id } });
      tell(changes, api, secret);
    }),
  }),
  command({
    name: 'set',
    about: 'change an API; what is not given stays',
    argument: ['<id>'],
    options: [
      ['--identifier <uri>', 'the audience of its tokens'],
      ...CHANGES,
      repeated('--remove-scope <scope>', 'take a scope away; may be given again'),
      ['--new-secret', 'draw a secret, and print it once; the one before ends'],
      ['--json', 'print it as JSON'],
    ],
    help: `
A claim is taken away by --claim name= with nothing behind it; roles of a scope likewise.

Examples:
  portico api set records --scope records:write="Change records" --scope-roles records:write=nurse,admin
  portico api set records --lifetime 600 --claim mail=email`,
    run: inContext(async (context, changes: Changes & { newSecret?: boolean }) => {
      const base = await apiOf(context, changes.id);
      const secret = changes.newSecret ? randomToken() : undefined;
      const api = await store(context, { base, changes, secret });
      await followGrants(context, base, api);
      await context.note('api.update', { detail: { api: api.id } });
      tell(changes, api, secret);
    }),
  }),
  command({
    name: 'show',
    about: 'print an API without its secret, and the clients that were granted it',
    argument: ['<id>'],
    options: [['--json', 'print it as JSON']],
    help: 'Example:\n  portico api show records',
    run: inContext(async (context, options: JsonOption & Id) => {
      const api = await apiOf(context, options.id);
      const grants = (await context.stores.clients.list())
        .map((client) => [client.clientId, scopesOf(client, api)] as const)
        .filter(([, scopes]) => scopes !== undefined);
      sayRecord(options, { ...withoutSecret(api), grants: Object.fromEntries(grants) });
    }),
  }),
  command({
    name: 'metadata',
    about: 'print what the API tells clients that have no token: its metadata (RFC 9728), and their URL',
    argument: ['<id>'],
    options: [['--json', 'print the document alone']],
    help: 'Examples:\n  portico api metadata mcp\n  portico api metadata mcp --json',
    run: inContext(async (context, options: JsonOption & Id) => {
      const api = await apiOf(context, options.id);
      const document = resourceMetadata(api, context.config.issuer);
      if (options.json) return sayJson(document);
      const [url, header] = [resourceMetadataUrl(api.identifier), challenge(api)];
      if (url === undefined || header === undefined) {
        throw new CommandRefused(
          `${api.identifier} is no web address, so clients do not know where to ask for metadata of it.`,
        );
      }
      const isOurs = api.identifier.startsWith(`${context.config.issuer}/`);
      say(`GET ${url}\n${isOurs ? 'The server answers it by itself' : 'The API answers it'}:\n`);
      sayJson(document);
      say(`\nA request without a token is refused with 401 and:\n\nWWW-Authenticate: ${header}`);
    }),
  }),
  command({
    name: 'list',
    about: 'print all APIs',
    options: [['--json', 'print them as JSON']],
    help: 'Example:\n  portico api list',
    run: inContext(async ({ stores }, options: JsonOption) =>
      sayList(options, (await stores.apis.list()).map(withoutSecret), {
        row: ({ id, identifier, format, scopes }) => ({
          id,
          identifier,
          format,
          scopes: Object.keys(scopes),
        }),
        nothing: 'There are no APIs. Define one: portico api create --help',
      }),
    ),
  }),
  command({
    name: 'grant',
    about: 'let a client get tokens for an API, with these scopes beside those that it was granted before',
    argument: ['<id>'],
    secondArgument: CLIENT,
    options: [
      repeated('--scope <scope>', 'may be given again; none: tokens without a scope'),
      ['--default', 'the client means this API where its request names none'],
    ],
    help: `
Examples:
  portico api grant records web-app --scope records:read
  portico api grant records nightly --scope records:read --scope records:write --default`,
    run: inContext(async (context, given: Grant) => {
      const api = await apiOf(context, given.id);
      const client = await clientOf(context, given.client);
      const { scope = [] } = given;
      refuseGrant(api, client, scope);
      const scopes = [...new Set([...(scopesOf(client, api) ?? []), ...scope])];
      await grant(context, api, client, { scopes, isDefault: given.default === true });
      say(`Client ${given.client} may get tokens for ${api.id}: ${scopes.join(' ') || 'without a scope'}.`);
    }),
  }),
  command({
    name: 'revoke',
    about: 'take scopes of an API away from a client, or the whole API; counts from the next token on',
    argument: ['<id>'],
    secondArgument: CLIENT,
    options: [repeated('--scope <scope>', 'this one alone; may be given again')],
    help: `
Examples:
  portico api revoke records web-app --scope records:read
  portico api revoke records web-app`,
    run: inContext(async (context, { id, client: clientId, scope }: Grant) => {
      const api = await apiOf(context, id);
      const client = await clientOf(context, clientId);
      const before = scopesOf(client, api);
      if (before === undefined) throw new CommandRefused(`Client ${clientId} was not granted the API ${id}.`);
      const scopes = scope && before.filter((name) => !scope.includes(name));
      await grant(context, api, client, { scopes });
      const left = scopes === undefined ? 'no token' : `tokens with: ${scopes.join(' ') || 'no scope'}`;
      say(`Client ${clientId} gets ${left} for ${id} from now on.`);
    }),
  }),
  command({
    name: 'delete',
    about: 'delete an API, and what clients were granted of it; its JWTs live on until they end',
    argument: ['<id>'],
    options: [['--yes', 'confirm']],
    help: 'Example:\n  portico api delete records --yes',
    run: inContext(async (context, { id, yes }: Id & { yes?: boolean }) => {
      const api = await apiOf(context, id);
      if (!yes) throw new CommandRefused(`This deletes the API ${id} for good. Add --yes to confirm.`);
      for (const client of await context.stores.clients.list()) {
        if (scopesOf(client, api)) await grant(context, api, client, { scopes: undefined });
      }
      await context.stores.apis.remove(id);
      await context.note('api.delete', { detail: { api: id } });
      say(`The API ${id} was deleted.`);
    }),
  }),
]);
