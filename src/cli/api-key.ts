import type { ApiKeyRecord } from '../model/api-key.ts';
import { command, group } from './command.ts';
import { findAccount, inContext, organizationOf } from './context.ts';
import { repeated, required } from './options.ts';
import { CommandRefused, type JsonOption, say, sayList, sayRecord } from './output.ts';

interface Options extends JsonOption {
  readonly organization: string;
  readonly vendor: string;
  readonly name: string;
  readonly account?: string;
  readonly scope?: string[];
}

export const apiKeyCommand = group('api-key', 'long-lived keys of organizations and accounts', [
  command({
    name: 'create',
    about: 'make a key; it is printed once',
    options: [
      required('--organization <id>'),
      required('--vendor <dialect>', 'the dialect that takes it'),
      required('--name <name>', 'to know it again'),
      ['--account <who>', 'owner, where keys belong to people: id or email address'],
      repeated('--scope <scope>', 'may be given again'),
      ['--json', 'print the key as JSON'],
    ],
    help: `
Examples:
  portico api-key create --organization clinicdev --vendor vsee --name portal
  portico api-key create --organization default --vendor avycenna --account dr@example.org --name reports --scope read`,
    run: inContext(async (context, options: Options) => {
      const { organization, vendor, name } = options;
      await organizationOf(context, organization);
      const { loadAllDialects } = await import('../dialects/registry.ts');
      const dialects = await loadAllDialects();
      const form = dialects.find((dialect) => dialect.name === vendor)?.apiKeyForm;
      if (!form) {
        const known = dialects.flatMap(({ name, apiKeyForm }) => (apiKeyForm ? [name] : []));
        throw new CommandRefused(`${vendor} has no API keys. These have: ${known.join(', ')}`);
      }
      const owner = await ownerOf(options, form.owner, (who) => findAccount(context, { who, organization }));
      const { randomText } = await import('../core/crypto.ts');
      const key = randomText(form.key);
      const secret = form.secret && randomText(form.secret);
      const record: ApiKeyRecord = {
        ...{ id: randomText(form.id), organization, vendor, name },
        ...(owner === undefined ? {} : { accountId: owner }),
        keyHash: context.secrets.hmac('api-key', key),
        ...(secret === undefined ? {} : { secretHash: context.secrets.hmac('api-secret', secret) }),
        scopes: options.scope ?? [],
        createdAt: context.clock.now(),
      };
      if ((await context.stores.apiKeys.insert(record)) !== 'inserted')
        throw new CommandRefused('Try again.');
      await context.note('api-key.create', { organization, detail: { keyId: record.id } });
      sayRecord(options, withoutHashes(record), { name: 'key', members: { key, secret } });
    }),
  }),
  command({
    name: 'list',
    about: 'print the keys of an organization, without the keys themselves',
    options: [required('--organization <id>'), ['--json', 'print them as JSON']],
    help: 'Example:\n  portico api-key list --organization clinicdev',
    run: inContext(async (context, options: { organization: string } & JsonOption) => {
      const { organization } = options;
      await organizationOf(context, organization);
      const keys = await context.stores.apiKeys.listByOrganization(organization);
      sayList(options, keys.map(withoutHashes), {
        row: ({ id, vendor, name, accountId: account, createdAt: created, lastUsedAt: used }) => {
          return { id, vendor, name, account, created, used };
        },
        nothing: `Organization ${organization} has no API keys.`,
      });
    }),
  }),
  command({
    name: 'revoke',
    about: 'end a key, at once and everywhere',
    argument: ['<id>', 'as api-key list shows it'],
    help: 'Example:\n  portico api-key revoke 1f0c9a7b5e3d2c4b6a897867',
    run: inContext(async (context, { id }: { id: string }) => {
      const record = await context.stores.apiKeys.byId(id);
      if (!record || !(await context.stores.apiKeys.remove(id))) {
        throw new CommandRefused(`There is no API key ${id}. See: portico api-key list --organization <id>`);
      }
      await context.note('api-key.delete', { organization: record.organization, detail: { keyId: id } });
      say(`API key ${id} is revoked.`);
    }),
  }),
]);

async function ownerOf(
  { vendor, account }: Options,
  kind: 'organization' | 'account',
  find: (who: string) => Promise<{ id: string }>,
): Promise<string | undefined> {
  if (kind === 'account' && account === undefined) {
    throw new CommandRefused(`A key of ${vendor} belongs to a person. Say whose: --account <email address>`);
  }
  if (kind === 'organization' && account !== undefined) {
    throw new CommandRefused(`A key of ${vendor} belongs to the organization. Leave --account out.`);
  }
  return account === undefined ? undefined : (await find(account)).id;
}

function withoutHashes({ keyHash: _key, secretHash: _secret, ...record }: ApiKeyRecord) {
  return record;
}
