import { Command, Option } from 'commander';
import { randomText, randomToken, type Secrets } from '../core/crypto.ts';
import type { ClientRecord } from '../model/client.ts';
import type { SeedClient } from '../seed/schema.ts';
import { type CommandContext, organizationOf, withCommandContext } from './context.ts';
import { type BrandOption, each, type JsonOption, rebranded, withBrand } from './options.ts';
import { CommandRefused, say, sayJson, sayRecord, sayTable } from './output.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** What a client may say for itself and otherwise has from its organization. */
interface OwnWay {
  readonly registration?: 'on' | 'off' | 'inherit';
  readonly signIn?: 'password' | 'name-first' | 'inherit';
}

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
}

export function clientCommand(): Command {
  return new Command('client')
    .description('applications that sign people in, and APIs')
    .addCommand(create())
    .addCommand(show())
    .addCommand(set())
    .addCommand(list())
    .addCommand(remove());
}

function withOwnWay(command: Command): Command {
  return withBrand(command)
    .addOption(
      new Option('--registration <on|off|inherit>', 'may people open accounts on the way to it').choices([
        'on',
        'off',
        'inherit',
      ]),
    )
    .addOption(
      new Option('--sign-in <password|name-first|inherit>', 'what its sign-in begins with').choices([
        'password',
        'name-first',
        'inherit',
      ]),
    );
}

/** As the members of a client in a seed file; undefined where the organization's word counts. */
function ownWay({ registration, signIn }: OwnWay) {
  return {
    registration:
      registration === undefined || registration === 'inherit' ? undefined : registration === 'on',
    sign_in: signIn === 'inherit' ? undefined : signIn,
  };
}

function create(): Command {
  return withOwnWay(new Command('create'))
    .description('register a client; its secret is drawn and printed once')
    .requiredOption('--organization <id>', 'whose accounts it sees')
    .option('--id <id>', 'client_id; drawn when absent')
    .option('--name <name>', 'what people read at consent')
    .option('--redirect-uri <uri>', 'exact; may be given again', each)
    .option('--logout-uri <uri>', 'where people go after signing out; may be given again', each)
    .option(
      '--grant <type>',
      'grant type; may be given again (default: authorization_code refresh_token)',
      each,
    )
    .option('--scope <scopes>', 'scopes that it may ask for, in one text')
    .option('--public', 'has no secret: browser and mobile applications')
    .option('--native', 'a mobile or desktop application: any port on a loopback redirect URI')
    .option('--secret-in-body', 'sends its secret in the body instead of the Authorization header')
    .option('--first-party', 'your own: people are not asked for consent')
    .option('--all-organizations', 'introspects and revokes in every organization')
    .option('--introspects <client>', 'whose tokens it may look at; may be given again', each)
    .option('--revokes <client>', 'whose tokens it may revoke; may be given again', each)
    .option('--json', 'print the client as JSON')
    .addHelpText(
      'after',
      `
Examples:
  portico client create --organization default --name "Web App" --redirect-uri https://app.example.org/callback
  portico client create --organization default --public --native --redirect-uri http://127.0.0.1/callback
  portico client create --organization default --grant client_credentials --introspects vsee-legacy --revokes vsee-legacy
`,
    )
    .action((options: Options) =>
      withCommandContext(async (context) => {
        await organizationOf(context, options.organization);
        const { client, secret } = await created(options, {
          issuer: context.config.issuer,
          secrets: context.secrets,
        });
        if (await context.stores.clients.byId(client.clientId)) {
          throw new CommandRefused(`There is a client ${client.clientId} already. Choose another --id.`);
        }
        await context.stores.clients.put(client);
        const { organization, clientId } = client;
        await context.note('client.create', { organization, detail: { client: clientId } });
        tell(client, options, secret);
      }),
    );
}

/** The record and its secret, judged by the same rules as a client of a seed file. */
async function created(
  options: Options,
  context: { issuer: string; secrets: Secrets },
): Promise<{ client: ClientRecord; secret: string | undefined }> {
  const [{ seedSchema }, { judgeSeed }, { clientRecord }] = await Promise.all([
    import('../seed/schema.ts'),
    import('../seed/judge-seed.ts'),
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
  const issues = judgeSeed(parsed.data);
  if (issues.length > 0) throw refused(issues);
  const [client] = (parsed.data.clients ?? []).map((seed) => clientRecord(seed, context));
  if (!client) throw refused([]);
  return { client, secret };
}

function refused(issues: readonly { path: string; message: string }[]): CommandRefused {
  return new CommandRefused(
    issues.map(({ path, message }) => `${path.replace(/^clients\.0\.?/, '')} ${message}`).join('\n'),
  );
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
    first_party: options.firstParty ?? false,
    all_organizations: options.allOrganizations ?? false,
    introspects: options.introspects ?? [],
    revokes: options.revokes ?? [],
    ...ownWay(options),
  };
}

function show(): Command {
  return new Command('show')
    .description('print a client, without its secret')
    .argument('<id>', 'client_id')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  portico client show web-app\n')
    .action((id: string, options: JsonOption) =>
      withCommandContext(async ({ stores }) => {
        tell(await clientOf(stores, id), options);
      }),
    );
}

function set(): Command {
  return withOwnWay(new Command('set'))
    .description('change how a client is called and looks; what is not given stays')
    .argument('<id>', 'client_id')
    .option('--name <name>', 'what people read at consent')
    .addHelpText(
      'after',
      `
--brand is laid over the organization's, member by member: name, logo, logo_dark, accent, support, privacy, terms.

Examples:
  portico client set web-app --name "Web App"
  portico client set web-app --brand name="North Kids" --brand logo=https://kids.example.org/logo.svg --brand accent=#b45309
  portico client set web-app --brand accent=null
  portico client set web-app --registration off --sign-in name-first
`,
    )
    .action((id: string, { name, brand, ...signInMethod }: BrandOption & OwnWay & { name?: string }) =>
      withCommandContext(async (context) => {
        const client = await ownClient(context, id);
        if (name === '') throw new CommandRefused('A name must not be empty.');
        const { branding: before, registration, sign_in, ...rest } = client.metadata;
        const own = ownWay(signInMethod);
        const kept = {
          registration: signInMethod.registration === undefined ? registration : own.registration,
          sign_in: signInMethod.signIn === undefined ? sign_in : own.sign_in,
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
      }),
    );
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

function list(): Command {
  return new Command('list')
    .description('print all clients')
    .option('--organization <id>', 'of this organization only')
    .option('--json', 'print them as JSON')
    .addHelpText('after', '\nExample:\n  portico client list --organization default\n')
    .action(({ organization, json }: JsonOption & { organization?: string }) =>
      withCommandContext(async ({ stores }) => {
        const all = await stores.clients.list();
        const clients =
          organization === undefined ? all : all.filter((client) => client.organization === organization);
        if (json) return sayJson(clients.map(withoutSecret));
        const rows = clients.map((client) => ({
          id: client.clientId,
          organization: client.organization,
          kind: client.dialect ? `dialect ${client.dialect}` : client.secretHash ? 'confidential' : 'public',
          name: client.metadata.client_name,
        }));
        sayTable(rows, 'There are no clients. Make one: portico client create --help');
      }),
    );
}

function remove(): Command {
  return new Command('delete')
    .description('delete a client; its tokens are refused from then on')
    .argument('<id>', 'client_id')
    .option('--yes', 'confirm')
    .addHelpText('after', '\nExample:\n  portico client delete web-app --yes\n')
    .action((id: string, { yes }: { yes?: boolean }) =>
      withCommandContext(async (context) => {
        const client = await ownClient(context, id);
        if (!yes) throw new CommandRefused(`This deletes client ${id} for good. Add --yes to confirm.`);
        await context.stores.clients.remove(id);
        await context.note('client.delete', { organization: client.organization, detail: { client: id } });
        say(`Client ${id} was deleted.`);
      }),
    );
}

function withoutSecret({ secretHash, ...client }: ClientRecord) {
  return { ...client, confidential: secretHash !== undefined };
}

function tell(client: ClientRecord, { json }: JsonOption, secret?: string): void {
  const shown = secret === undefined ? {} : { clientSecret: secret };
  if (json) {
    sayJson({ ...withoutSecret(client), ...shown });
    return;
  }
  const { metadata, ...rest } = withoutSecret(client);
  sayRecord({ ...rest, ...metadata, ...shown });
  if (secret !== undefined) say('\nThe secret is shown this once.');
}
