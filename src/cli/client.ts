import type { Issue } from '../config/issues.ts';
import { randomText, randomToken } from '../core/crypto.ts';
import type { ClientRecord } from '../model/client.ts';
import type { SeedClient } from '../seed/schema.ts';
import { command, group } from './command.ts';
import { type CommandContext, inContext, organizationOf } from './context.ts';
import { BRAND, type BrandOption, oneOf, rebranded, repeated, required } from './options.ts';
import { CommandRefused, type JsonOption, say, sayList, sayRecord } from './output.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

interface Id {
  readonly id: string;
}

/** What a client may say for itself and otherwise has from its organization. */
interface OwnWay {
  readonly registration?: 'on' | 'off' | 'inherit';
  readonly signIn?: 'password' | 'name-first' | 'inherit';
}

const OWN_WAY = [
  BRAND,
  oneOf('--registration <on|off|inherit>', 'may people open accounts on the way to it'),
  oneOf('--sign-in <password|name-first|inherit>', 'what its sign-in begins with'),
];

interface Options extends JsonOption, BrandOption, OwnWay {
  readonly organization: string;
  readonly id?: string;
  readonly name?: string;
  readonly redirectUri?: string[];
  readonly logoutUri?: string[];
  readonly grant?: string[];
  readonly scope?: string;
  readonly public?: boolean;
  readonly native?: boolean;
  readonly secretInBody?: boolean;
  readonly firstParty?: boolean;
  readonly allOrganizations?: boolean;
  readonly introspects?: string[];
  readonly revokes?: string[];
  readonly idTokenAlg?: 'RS256' | 'ES256';
}

export const clientCommand = group('client', 'applications that sign people in, and APIs', [
  command({
    name: 'create',
    about: 'register a client; its secret is drawn and printed once',
    options: [
      ...OWN_WAY,
      required('--organization <id>', 'whose accounts it sees'),
      ['--id <id>', 'client_id; drawn when absent'],
      ['--name <name>', 'what people read at consent'],
      repeated('--redirect-uri <uri>', 'exact; may be given again'),
      repeated('--logout-uri <uri>', 'where people go after signing out; may be given again'),
      repeated(
        '--grant <type>',
        'grant type; may be given again (default: authorization_code refresh_token)',
      ),
      ['--scope <scopes>', 'scopes that it may ask for, in one text'],
      ['--public', 'has no secret: browser and mobile applications'],
      ['--native', 'a mobile or desktop application: any port on a loopback redirect URI'],
      ['--secret-in-body', 'sends its secret in the body instead of the Authorization header'],
      ['--first-party', 'your own: people are not asked for consent'],
      ['--all-organizations', 'introspects and revokes in every organization'],
      repeated('--introspects <client>', 'whose tokens it may look at; may be given again'),
      repeated('--revokes <client>', 'whose tokens it may revoke; may be given again'),
      oneOf('--id-token-alg <RS256|ES256>', 'what signs its ID tokens (default: oidc.idTokenAlgorithm)'),
      ['--json', 'print the client as JSON'],
    ],
    help: `
Examples:
  portico client create --organization default --name "Web App" --redirect-uri https://app.example.org/callback
  portico client create --organization default --public --native --redirect-uri http://127.0.0.1/callback
  portico client create --organization default --grant client_credentials --introspects vsee-legacy --revokes vsee-legacy`,
    run: inContext(async (context, options: Options) => {
      await organizationOf(context, options.organization);
      const { client, secret } = await created(options, context);
      if (await context.stores.clients.byId(client.clientId)) {
        throw new CommandRefused(`There is a client ${client.clientId} already. Choose another --id.`);
      }
      await context.stores.clients.put(client);
      const { organization, clientId } = client;
      await context.note('client.create', { organization, detail: { client: clientId } });
      tell(options, client, secret);
    }),
  }),
  command({
    name: 'show',
    about: 'print a client, without its secret',
    argument: ['<id>', 'client_id'],
    options: [['--json', 'print it as JSON']],
    help: 'Example:\n  portico client show web-app',
    run: inContext(async ({ stores }, options: JsonOption & Id) =>
      tell(options, await clientOf(stores, options.id)),
    ),
  }),
  command({
    name: 'set',
    about: 'change how a client is called and looks; what is not given stays',
    argument: ['<id>', 'client_id'],
    options: [...OWN_WAY, ['--name <name>', 'what people read at consent']],
    help: `
--brand is laid over the organization's, member by member: name, logo, logo_dark, accent, support, privacy, terms.

Examples:
  portico client set web-app --name "Web App"
  portico client set web-app --brand name="North Kids" --brand logo=https://kids.example.org/logo.svg --brand accent=#b45309
  portico client set web-app --brand accent=null
  portico client set web-app --registration off --sign-in name-first`,
    run: inContext(
      async (context, { id, name, brand, ...changes }: BrandOption & OwnWay & Id & { name?: string }) => {
        const client = await ownClient(context, id);
        if (name === '') throw new CommandRefused('A name must not be empty.');
        const { branding: before, registration, sign_in, ...rest } = client.metadata;
        const own = ownWay(changes);
        const kept = {
          registration: changes.registration === undefined ? registration : own.registration,
          sign_in: changes.signIn === undefined ? sign_in : own.sign_in,
        };
        const branding = await rebranded('client', before, brand);
        const metadata = {
          ...rest,
          ...Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)),
          ...(name !== undefined && { client_name: name }),
          ...(branding && { branding }),
        };
        await context.stores.clients.put({ ...client, metadata });
        await context.note('client.update', { organization: client.organization, detail: { client: id } });
        say(`Client ${id} was changed.`);
      },
    ),
  }),
  command({
    name: 'list',
    about: 'print all clients',
    options: [
      ['--organization <id>', 'of this organization only'],
      ['--json', 'print them as JSON'],
    ],
    help: 'Example:\n  portico client list --organization default',
    run: inContext(async ({ stores }, options: JsonOption & { organization?: string }) => {
      const { organization } = options;
      const clients = (await stores.clients.list()).filter(
        (client) => organization === undefined || client.organization === organization,
      );
      sayList(options, clients.map(withoutSecret), {
        row: ({ clientId: id, organization, dialect, confidential, metadata }) => {
          const kind = dialect ? `dialect ${dialect}` : confidential ? 'confidential' : 'public';
          return { id, organization, kind, name: metadata.client_name };
        },
        nothing: 'There are no clients. Make one: portico client create --help',
      });
    }),
  }),
  command({
    name: 'delete',
    about: 'delete a client; its tokens are refused from then on',
    argument: ['<id>', 'client_id'],
    options: [['--yes', 'confirm']],
    help: 'Example:\n  portico client delete web-app --yes',
    run: inContext(async (context, { id, yes }: Id & { yes?: boolean }) => {
      const client = await ownClient(context, id);
      if (!yes) throw new CommandRefused(`This deletes client ${id} for good. Add --yes to confirm.`);
      await context.stores.clients.remove(id);
      await context.note('client.delete', { organization: client.organization, detail: { client: id } });
      say(`Client ${id} was deleted.`);
    }),
  }),
]);

/** As the members of a client in a seed file; undefined where the organization's word counts. */
function ownWay({ registration, signIn }: OwnWay) {
  return {
    registration:
      registration === undefined || registration === 'inherit' ? undefined : registration === 'on',
    sign_in: signIn === 'inherit' ? undefined : signIn,
  };
}

/** The record and its secret, judged by the same rules as a client of a seed file. */
async function created(
  options: Options,
  { config: { issuer }, secrets, tools }: CommandContext,
): Promise<{ client: ClientRecord; secret: string | undefined }> {
  const [{ seedSchema }, { clientRecord }] = await Promise.all([
    import('../seed/schema.ts'),
    import('../seed/records.ts'),
  ]);
  const secret = options.public ? undefined : randomToken();
  const branding = await rebranded('client', undefined, options.brand);
  const parsed = seedSchema.safeParse({ clients: [{ ...written(options, secret), branding }] });
  if (!parsed.success) {
    throw refused(
      parsed.error.issues.map(({ path, message }) => ({ path: path.slice(2).join('.'), message })),
    );
  }
  const [client] = (parsed.data.clients ?? []).map((seed) => clientRecord(seed, { issuer, secrets }));
  if (!client) throw refused([]);
  const issues = await (await tools()).oidc.judgeClient(client);
  if (issues.length > 0) throw refused(issues);
  return { client, secret };
}

function refused(issues: readonly Issue[]): CommandRefused {
  const lines = issues.map(({ path, value, message }) => {
    const is = value === undefined ? '' : ` is ${value}:`;
    return `${path === '' ? 'the client' : path}${is} ${message}`;
  });
  return new CommandRefused(lines.join('\n'));
}

/** The client as a seed file would have it. */
function written(options: Options, secret: string | undefined): SeedClient {
  const grants = options.grant ?? ['authorization_code', 'refresh_token'];
  const method = options.secretInBody ? 'client_secret_post' : 'client_secret_basic';
  return {
    client_id: options.id ?? randomText({ alphabet: BASE62, length: 20 }),
    client_secret: secret,
    organization: options.organization,
    client_name: options.name,
    redirect_uris: options.redirectUri ?? [],
    post_logout_redirect_uris: options.logoutUri ?? [],
    grant_types: grants,
    response_types: grants.includes('authorization_code') ? ['code'] : [],
    scope: options.scope,
    application_type: options.native ? 'native' : undefined,
    token_endpoint_auth_method: options.public ? 'none' : method,
    id_token_signed_response_alg: options.idTokenAlg,
    first_party: options.firstParty ?? false,
    all_organizations: options.allOrganizations ?? false,
    introspects: options.introspects ?? [],
    revokes: options.revokes ?? [],
    ...ownWay(options),
  };
}

async function clientOf(stores: CommandContext['stores'], id: string): Promise<ClientRecord> {
  const client = await stores.clients.byId(id);
  if (!client) throw new CommandRefused(`There is no client ${id}. See: portico client list`);
  return client;
}

/** One that an operator may change. */
async function ownClient({ stores }: CommandContext, id: string): Promise<ClientRecord> {
  const client = await clientOf(stores, id);
  if (client.dialect === undefined) return client;
  throw new CommandRefused(`${id} belongs to the dialect ${client.dialect}, which makes it at every start.`);
}

function withoutSecret({ secretHash, ...client }: ClientRecord) {
  return { ...client, confidential: secretHash !== undefined };
}

function tell(options: JsonOption, client: ClientRecord, clientSecret?: string): void {
  const shown = withoutSecret(client);
  const { metadata, ...rest } = shown;
  const once = clientSecret === undefined ? undefined : { name: 'secret', members: { clientSecret } };
  sayRecord(options, options.json ? shown : { ...rest, ...metadata }, once);
}
