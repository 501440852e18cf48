import { isDeepStrictEqual } from 'node:util';
import { randomText } from '../../core/crypto.ts';
import type { ClientRecord } from '../../model/client.ts';
import { command, group } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { BRAND, type BrandOption, rebranded, required } from '../options.ts';
import { CommandRefused, type JsonOption, note, say, sayList, sayRecord } from '../output.ts';
import { checkClients } from './check.ts';
import { judgedClient, membersOf } from './judged-client.ts';
import type { Members } from './option-kinds.ts';
import { CREATE_OPTIONS, type Given, SET_OPTIONS, withOptions } from './options.ts';
import { registrationTokenCommand } from './registration-token.ts';
import { type RotateOptions, rotateSecret } from './rotate-secret.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const DRY_RUN = ['--dry-run', 'print what would be written, and write nothing'] as const;

interface Id {
  readonly id: string;
}

interface WriteOptions extends JsonOption, BrandOption {
  readonly dryRun?: boolean;
}

interface CreateOptions extends WriteOptions {
  readonly organization: string;
  readonly id?: string;
}

interface SetOptions extends WriteOptions, Id {
  readonly organization?: string;
}

export const clientCommand = group('client', 'applications that sign people in or call APIs', [
  command({
    name: 'create',
    about: 'register a client; its secret is drawn and printed once',
    options: [
      required('--organization <id>', 'whose accounts it sees'),
      ['--id <id>', 'client_id; drawn when absent'],
      ...CREATE_OPTIONS,
      BRAND,
      DRY_RUN,
      ['--json', 'print the client as JSON'],
    ],
    help: `
Examples:
  portico client create --organization default --name "Web App" --redirect-uri https://app.example.org/callback
  portico client create --organization default --public --native --redirect-uri http://127.0.0.1/callback
  portico client create --organization default --profile fapi2 --jwks-file bank.json --redirect-uri https://bank.example/cb
  portico client create --organization default --grant client_credentials --introspects vsee-legacy --revokes vsee-legacy`,
    run: inContext(create),
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
    about: 'change a client; what is not given stays',
    argument: ['<id>', 'client_id'],
    options: [
      ['--organization <id>', 'whose accounts it sees; those of the former one can no longer use it'],
      ...SET_OPTIONS,
      BRAND,
      DRY_RUN,
      ['--json', 'print the client as JSON'],
    ],
    help: `
An option that may be given again replaces the whole list; '' empties it, or takes a text away. A client that turns
confidential gets a secret, which is printed once; one that turns public loses its own. The client is judged by the
rules of its use. Other nodes follow within five seconds.

--brand is laid over the organization's, member by member: name, logo, logo_dark, accent, support, privacy, terms.

Examples:
  portico client set web-app --redirect-uri https://app.example.org/callback --logout-uri https://app.example.org/
  portico client set web-app --scope "openid profile email" --no-first-party --dry-run
  portico client set web-app --id-token-alg ES256
  portico client set web-app --brand name="North Kids" --brand accent=#b45309 --brand terms=null
  portico client set web-app --registration off --sign-in name-first`,
    run: inContext(set),
  }),
  command({
    name: 'check',
    about: 'say what clients would be refused for, and what an upgrade changed for them',
    argument: ['[id]', 'client_id; all clients when absent'],
    options: [['--json', 'print it as JSON']],
    help: `
Every client is judged by the rules of its use and by the configuration of this server. KIND is
  refused   requests of the client fail
  changed   works otherwise than with an older Portico, until you settle it as the message says
  note      worth knowing
Exits with 1 when something is refused or changed.

Examples:
  portico client check
  portico client check web-app --json`,
    run: inContext(async (context, { id, ...options }: JsonOption & Partial<Id>) => {
      const all = id === undefined ? await context.stores.clients.list() : [await ownClient(context, id)];
      const own = all.filter(({ dialect }) => dialect === undefined);
      await checkClients(context, own, options);
    }),
  }),
  command({
    name: 'rotate-secret',
    about: 'give a client a new secret, printed once; the old one goes on for a while',
    argument: ['<id>', 'client_id'],
    options: [
      [
        '--keep-old <time>',
        'how long the old secret is accepted too, such as 24h (default: 7d; 0: not at all)',
      ],
      ['--end-old', 'end the old secret now, and make no new one'],
      DRY_RUN,
      ['--json', 'print the secret as JSON'],
    ],
    help: `
Both secrets are accepted at every endpoint. Every node follows within five seconds. Where a seed file names the
client, write the new secret there too: a file that is loaded again brings its own.

Examples:
  portico client rotate-secret web-app
  portico client rotate-secret web-app --end-old            the application has the new one
  portico client rotate-secret web-app --keep-old 0         the old one has leaked`,
    run: inContext(async (context, { id, ...options }: Id & RotateOptions) =>
      rotateSecret(context, await ownClient(context, id), options),
    ),
  }),
  command({
    name: 'list',
    about: 'print all clients; those that registered themselves have the time under REGISTERED',
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
        row: ({ clientId: id, organization, dialect, confidential, registered, metadata }) => {
          const kind = dialect ? `dialect ${dialect}` : confidential ? 'confidential' : 'public';
          return { id, organization, kind, registered: registered?.at, name: metadata.client_name };
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
      await (await context.tools()).oidc.registrations.endClient(id);
      await context.note('client.delete', { organization: client.organization, detail: { client: id } });
      say(`Client ${id} was deleted.`);
    }),
  }),
  registrationTokenCommand,
]);

async function create(context: CommandContext, options: CreateOptions & Given): Promise<void> {
  const { organization, id = randomText({ alphabet: BASE62, length: 20 }), brand, dryRun } = options;
  await organizationOf(context, organization);
  if (await context.stores.clients.byId(id)) {
    throw new CommandRefused(`There is a client ${id} already. Choose another --id.`);
  }
  if (await context.stores.apis.byId(id)) {
    throw new CommandRefused(`${id} is an API. Choose another --id.`);
  }
  const plain = {
    ...{ client_id: id, organization, redirect_uris: [], post_logout_redirect_uris: [] },
    ...{ grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
    token_endpoint_auth_method: 'client_secret_basic',
    // Said for good, so that another setting of the server changes no client that works.
    ...{ id_token_signed_response_alg: context.config.oidc.idTokenAlgorithm, apis: {} },
  };
  const branding = await rebranded('client', undefined, brand);
  const { client, secret } = await judgedClient(context, { ...withOptions(plain, options), branding });
  if (dryRun) {
    tell(options, client);
    return note('Nothing was written.');
  }
  await context.stores.clients.put(client);
  await context.note('client.create', { organization, detail: { client: id } });
  tell(options, client, secret);
}

async function set(context: CommandContext, options: SetOptions & Given): Promise<void> {
  const { id, organization, brand, dryRun } = options;
  const before = await ownClient(context, id);
  const present = membersOf(before);
  if (organization !== undefined) await organizationOf(context, organization);
  const branding = await rebranded('client', before.metadata.branding, brand);
  const members = {
    ...withOptions({ ...present, ...(organization && { organization }) }, options),
    branding,
  };
  const { client, secret } = await judgedClient(context, members, before);
  const changes = changesOf(present, membersOf(client));
  if (dryRun) {
    for (const [member, from, to] of changes) say(`${member}: ${inJson(from)} becomes ${inJson(to)}`);
    return note('Nothing was written.');
  }
  if (changes.length === 0) return say(`Client ${id} has these values already.`);
  await context.stores.clients.put(client);
  const changed = changes.map(([member]) => member);
  const detail = { client: id, changed };
  await context.note('client.update', { organization: client.organization, detail });
  if (secret !== undefined || options.json) return tell(options, client, secret);
  say(`Client ${id} was changed: ${changed.join(', ')}.`);
}

function changesOf(before: Members, after: Members): [member: string, from: unknown, to: unknown][] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name): [string, unknown, unknown][] =>
    isDeepStrictEqual(before[name], after[name]) ? [] : [[name, before[name], after[name]]],
  );
}

function inJson(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
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

function withoutSecret({ secretHash, oldSecret, ...client }: ClientRecord) {
  const until = oldSecret && { oldSecretUntil: oldSecret.until };
  return { ...client, confidential: isConfidential({ ...client, secretHash }), ...until };
}

/** It proves itself: by its secret, a key or a certificate. */
function isConfidential({ secretHash, metadata }: Pick<ClientRecord, 'metadata'> & { secretHash: unknown }) {
  const { token_endpoint_auth_method: method = 'none' } = metadata;
  return secretHash !== undefined || method !== 'none';
}

function tell(options: JsonOption, client: ClientRecord, clientSecret?: string): void {
  const shown = withoutSecret(client);
  const { metadata, ...rest } = shown;
  const once = clientSecret === undefined ? undefined : { name: 'secret', members: { clientSecret } };
  sayRecord(options, options.json ? shown : { ...rest, ...metadata }, once);
}
