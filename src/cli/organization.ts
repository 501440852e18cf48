import { Command, Option } from 'commander';
import type { AuditEvent } from '../model/audit-event.ts';
import type { Json } from '../model/json.ts';
import type { OrganizationRecord } from '../model/organization.ts';
import { type CommandContext, organizationOf, withCommandContext } from './context.ts';
import { type BrandOption, each, type JsonOption, rebranded, vendorMember, withBrand } from './options.ts';
import { CommandRefused, say, sayJson, sayRecord, sayTable } from './output.ts';

interface Changes extends BrandOption {
  readonly name?: string;
  readonly host?: string[];
  readonly hosts?: boolean;
  readonly registration?: 'on' | 'off';
  readonly vendor?: Record<string, Record<string, Json>>;
}

export function organizationCommand(): Command {
  return new Command('organization')
    .description('user directories (tenants)')
    .addCommand(create())
    .addCommand(show())
    .addCommand(set())
    .addCommand(list());
}

function withChanges(command: Command): Command {
  return withBrand(
    command
      .option('--name <name>', 'what people read')
      .option('--host <host>', 'a host name that means this organization; may be given again', each)
      .addOption(
        new Option('--registration <on|off>', 'may people open accounts themselves').choices(['on', 'off']),
      )
      .option('--vendor <vendor.member=value>', 'a field of one vendor; may be given again', vendorMember),
  );
}

function create(): Command {
  return withChanges(new Command('create'))
    .description('make an organization')
    .argument('<id>', 'letters, digits, or any of . _ ~ -')
    .addHelpText(
      'after',
      `
Examples:
  portico organization create north_clinic --name "North Clinic" --host north.portal.example
  portico organization create clinicdev --vendor vsee.sso=true --vendor vsee.vseeid_prefix=clinicdev
`,
    )
    .action((id: string, changes: Changes) =>
      withCommandContext(async (context) => {
        if (!/^[A-Za-z0-9._~-]{1,128}$/.test(id)) {
          throw new CommandRefused('An id has 1 to 128 letters, digits, or any of . _ ~ -');
        }
        if (await context.stores.organizations.byId(id)) {
          throw new CommandRefused(
            `There is an organization ${id} already. Change it: portico organization set ${id} ...`,
          );
        }
        const created = await changed({ id, name: id, hosts: [], vendor: {} }, changes);
        await store(context, created, 'organization.create');
        say(`Organization ${id} was made.`);
      }),
    );
}

function set(): Command {
  return withChanges(new Command('set'))
    .description('change an organization; what is not given stays')
    .argument('<id>')
    .option('--no-hosts', 'take all host names away')
    .addHelpText(
      'after',
      `
--host replaces all host names. A vendor member is removed with the value null.

Examples:
  portico organization set clinicdev --vendor vsee.sso=true --registration on
  portico organization set north_clinic --host north.portal.example --host www.north.example
  portico organization set north_clinic --brand name="North Clinic" --brand accent=#1f6f5c --brand terms=null
`,
    )
    .action((id: string, changes: Changes) =>
      withCommandContext(async (context) => {
        const input = await changed(await organizationOf(context, id), changes);
        await store(context, input, 'organization.update');
        say(`Organization ${id} was changed.`);
      }),
    );
}

function show(): Command {
  return new Command('show')
    .description('print an organization')
    .argument('<id>')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  portico organization show default --json\n')
    .action((id: string, { json }: JsonOption) =>
      withCommandContext(async (context) => {
        const organization = await organizationOf(context, id);
        if (json) sayJson(organization);
        else sayRecord({ ...organization });
      }),
    );
}

function list(): Command {
  return new Command('list')
    .description('print all organizations')
    .option('--json', 'print them as JSON')
    .addHelpText('after', '\nExample:\n  portico organization list\n')
    .action(({ json }: JsonOption) =>
      withCommandContext(async ({ stores }) => {
        const organizations = await stores.organizations.list();
        if (json) return sayJson(organizations);
        const rows = organizations.map(({ id, name, hosts }) => ({ id, name, hosts }));
        sayTable(rows, 'There is no organization. Make one: portico organization create default');
      }),
    );
}

async function changed(
  { branding: before, ...present }: OrganizationRecord,
  { name, host, hosts, registration, vendor = {}, brand }: Changes,
): Promise<OrganizationRecord> {
  const branding = await rebranded('organization', before, brand);
  const merged: OrganizationRecord['vendor'] = { ...present.vendor };
  for (const [dialect, members] of Object.entries(vendor)) {
    const all = Object.entries({ ...merged[dialect], ...members }).filter(([, value]) => value !== null);
    merged[dialect] = Object.fromEntries(all);
  }
  return {
    ...present,
    name: name ?? present.name,
    hosts: host?.map((each) => each.toLowerCase()) ?? (hosts === false ? [] : present.hosts),
    ...(registration && { registration: registration === 'on' }),
    ...(branding && { branding }),
    vendor: merged,
  };
}

async function store(
  context: CommandContext,
  organization: OrganizationRecord,
  event: AuditEvent,
): Promise<void> {
  const outcome = await context.stores.organizations.put(organization);
  if (outcome !== 'stored') {
    const host = outcome.taken.slice('host:'.length);
    const owner = await context.stores.organizations.byHost(host);
    throw new CommandRefused(`The host ${host} belongs to organization ${owner?.id}. Nothing was changed.`);
  }
  await context.note(event, { organization: organization.id });
}
