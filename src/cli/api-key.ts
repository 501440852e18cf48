import { Command } from 'commander';
import type { ApiKeyRecord } from '../model/api-key.ts';
import { findAccount, organizationOf, withCommandContext } from './context.ts';
import { each, type JsonOption } from './options.ts';
import { CommandRefused, say, sayJson, sayRecord, sayTable } from './output.ts';

interface Options extends JsonOption {
  readonly organization: string;
  readonly vendor: string;
  readonly name: string;
  readonly account?: string;
  readonly scope?: string[];
}

export function apiKeyCommand(): Command {
  return new Command('api-key')
    .description('long-lived keys of organizations and accounts')
    .addCommand(create())
    .addCommand(list())
    .addCommand(revoke());
}

function create(): Command {
  return new Command('create')
    .description('make a key; it is printed once')
    .requiredOption('--organization <id>')
    .requiredOption('--vendor <dialect>', 'the dialect that takes it')
    .requiredOption('--name <name>', 'to know it again')
    .option('--account <who>', 'owner, where keys belong to people: id or e-mail address')
    .option('--scope <scope>', 'may be given again', each)
    .option('--json', 'print the key as JSON')
    .addHelpText(
      'after',
      `
Examples:
  portico api-key create --organization clinicdev --vendor vsee --name portal
  portico api-key create --organization default --vendor avycenna --account dr@example.org --name reports --scope read
`,
    )
    .action((options: Options) =>
      withCommandContext(async (context) => {
        await organizationOf(context, options.organization);
        const { loadAllDialects } = await import('../dialects/registry.ts');
        const dialects = await loadAllDialects();
        const form = dialects.find(({ name }) => name === options.vendor)?.apiKeyForm;
        if (!form) {
          const known = dialects.flatMap(({ name, apiKeyForm }) => (apiKeyForm ? [name] : []));
          throw new CommandRefused(`${options.vendor} has no API keys. These have: ${known.join(', ')}`);
        }
        const owner = await ownerOf(options, form.owner, (who) =>
          findAccount(context, who, options.organization),
        );
        const { randomText } = await import('../core/crypto.ts');
        const key = randomText(form.key);
        const secret = form.secret && randomText(form.secret);
        const record: ApiKeyRecord = {
          id: randomText(form.id),
          organization: options.organization,
          vendor: options.vendor,
          name: options.name,
          ...(owner === undefined ? {} : { accountId: owner }),
          keyHash: context.secrets.hmac('api-key', key),
          ...(secret === undefined ? {} : { secretHash: context.secrets.hmac('api-secret', secret) }),
          scopes: options.scope ?? [],
          createdAt: context.clock.now(),
        };
        if ((await context.stores.apiKeys.insert(record)) !== 'inserted')
          throw new CommandRefused('Try again.');
        await context.note('api-key.create', {
          organization: record.organization,
          detail: { keyId: record.id },
        });
        tell(record, options, { key, ...(secret === undefined ? {} : { secret }) });
      }),
    );
}

async function ownerOf(
  { vendor, account }: Options,
  kind: 'organization' | 'account',
  find: (who: string) => Promise<{ id: string }>,
): Promise<string | undefined> {
  if (kind === 'account' && account === undefined) {
    throw new CommandRefused(`A key of ${vendor} belongs to a person. Say whose: --account <e-mail address>`);
  }
  if (kind === 'organization' && account !== undefined) {
    throw new CommandRefused(`A key of ${vendor} belongs to the organization. Leave --account out.`);
  }
  return account === undefined ? undefined : (await find(account)).id;
}

function list(): Command {
  return new Command('list')
    .description('print the keys of an organization, without the keys themselves')
    .requiredOption('--organization <id>')
    .option('--json', 'print them as JSON')
    .addHelpText('after', '\nExample:\n  portico api-key list --organization clinicdev\n')
    .action(({ organization, json }: { organization: string } & JsonOption) =>
      withCommandContext(async (context) => {
        await organizationOf(context, organization);
        const keys = (await context.stores.apiKeys.listByOrganization(organization)).map(withoutHashes);
        if (json) return sayJson(keys);
        const rows = keys.map(({ id, vendor, name, accountId, createdAt, lastUsedAt }) => ({
          id,
          vendor,
          name,
          account: accountId,
          created: createdAt,
          used: lastUsedAt,
        }));
        sayTable(rows, `Organization ${organization} has no API keys.`);
      }),
    );
}

function revoke(): Command {
  return new Command('revoke')
    .description('end a key, at once and everywhere')
    .argument('<id>', 'as api-key list shows it')
    .addHelpText('after', '\nExample:\n  portico api-key revoke 1f0c9a7b5e3d2c4b6a897867\n')
    .action((id: string) =>
      withCommandContext(async (context) => {
        const record = await context.stores.apiKeys.byId(id);
        if (!record || !(await context.stores.apiKeys.remove(id))) {
          throw new CommandRefused(
            `There is no API key ${id}. See: portico api-key list --organization <id>`,
          );
        }
        await context.note('api-key.delete', { organization: record.organization, detail: { keyId: id } });
        say(`API key ${id} is revoked.`);
      }),
    );
}

function withoutHashes({ keyHash: _key, secretHash: _secret, ...record }: ApiKeyRecord) {
  return record;
}

function tell(record: ApiKeyRecord, { json }: JsonOption, shown: { key: string; secret?: string }): void {
  if (json) {
    sayJson({ ...withoutHashes(record), ...shown });
    return;
  }
  sayRecord({ ...withoutHashes(record), ...shown });
  say('\nThe key is shown this once.');
}
