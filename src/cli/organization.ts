import { emailDomain } from '../core/text.ts';
import type { AuditEvent } from '../model/audit-event.ts';
import { type FactorPolicy, policyForm } from '../model/factors.ts';
import type { OrganizationRecord } from '../model/organization.ts';
import { command, group } from './command.ts';
import { type CommandContext, inContext, organizationOf } from './context.ts';
import {
  BRAND,
  type BrandOption,
  changedMembers,
  FACTORS,
  type FactorsOption,
  oneOf,
  rebranded,
  repeated,
  type VendorOption,
  vendorOption,
} from './options.ts';
import { CommandRefused, type JsonOption, say, sayList, sayRecord } from './output.ts';

interface Id {
  readonly id: string;
}

interface Changes extends BrandOption, FactorsOption, VendorOption, Id {
  readonly name?: string;
  readonly host?: string[];
  readonly hosts?: boolean;
  readonly emailDomain?: string[];
  readonly emailDomains?: boolean;
  readonly registration?: 'on' | 'off';
  readonly defaultApi?: string;
}

const CHANGES = [
  ['--name <name>', 'what people read'],
  repeated('--host <host>', 'a host name that means this organization; may be given again'),
  repeated('--email-domain <domain>', 'a domain of its people’s addresses; may be given again'),
  oneOf('--registration <on|off>', 'may people open accounts themselves'),
  ['--default-api <uri>', "the API that its clients mean where their request names none; none: ''"],
  vendorOption('a field of one vendor; may be given again'),
  BRAND,
  FACTORS,
] as const;

export const organizationCommand = group('organization', 'user directories (tenants)', [
  command({
    name: 'create',
    about: 'make an organization',
    argument: ['<id>', 'letters, digits, or any of . _ ~ -'],
    options: CHANGES,
    help: `
Examples:
  portico organization create north_clinic --name "North Clinic" --host north.portal.example
  portico organization create clinicdev --vendor vsee.sso=true --vendor vsee.vseeid_prefix=clinicdev`,
    run: inContext(async (context, changes: Changes) => {
      const { id } = changes;
      if (!/^[A-Za-z0-9._~-]{1,128}$/.test(id)) {
        throw new CommandRefused('An id has 1 to 128 letters, digits, or any of . _ ~ -');
      }
      if (await context.stores.organizations.byId(id)) {
        throw new CommandRefused(
          `There is an organization ${id} already. Change it: portico organization set ${id} ...`,
        );
      }
      const created = await changed(context, { id, name: id, hosts: [], vendor: {} }, changes);
      await store(context, created, 'organization.create');
      say(`Organization ${id} was made.`);
    }),
  }),
  command({
    name: 'show',
    about: 'print an organization',
    argument: ['<id>'],
    options: [['--json', 'print it as JSON']],
    help: 'Example:\n  portico organization show default --json',
    run: inContext(async (context, options: JsonOption & Id) => {
      const { factors, ...organization } = await organizationOf(context, options.id);
      sayRecord(options, { ...organization, ...(factors && { factors: policyForm(factors) }) });
    }),
  }),
  command({
    name: 'set',
    about: 'change an organization; what is not given stays',
    argument: ['<id>'],
    options: [
      ...CHANGES,
      ['--no-hosts', 'take all host names away'],
      ['--no-email-domains', 'take all email domains away'],
    ],
    help: `
--host replaces all host names, --email-domain all email domains. A vendor member is removed with the value null.

Examples:
  portico organization set clinicdev --vendor vsee.sso=true --registration on
  portico organization set north_clinic --email-domain north.example --email-domain clinic.north.example
  portico organization set north_clinic --factors require=required --factors grace_days=30
  portico organization set north_clinic --host north.portal.example --host www.north.example
  portico organization set north_clinic --brand name="North Clinic" --brand accent=#1f6f5c --brand terms=null`,
    run: inContext(async (context, changes: Changes) => {
      const input = await changed(context, await organizationOf(context, changes.id), changes);
      await store(context, input, 'organization.update');
      say(`Organization ${input.id} was changed.`);
    }),
  }),
  command({
    name: 'list',
    about: 'print all organizations',
    options: [['--json', 'print them as JSON']],
    help: 'Example:\n  portico organization list',
    run: inContext(async ({ stores }, options: JsonOption) =>
      sayList(options, await stores.organizations.list(), {
        row: ({ id, name, hosts }) => ({ id, name, hosts }),
        nothing: 'There is no organization. Make one: portico organization create default',
      }),
    ),
  }),
]);

async function changed(
  { config, clock }: CommandContext,
  { branding: before, defaultApi: apiBefore, factors: policyBefore, ...present }: OrganizationRecord,
  {
    name,
    host,
    hosts,
    emailDomain: domain,
    emailDomains: domains,
    registration,
    defaultApi,
    vendor = {},
    brand,
    factors: factorChanges,
  }: Changes,
): Promise<OrganizationRecord> {
  const { upstreamNames } = await import('../federation/registry.ts');
  const branding = await rebranded('organization', before, brand, upstreamNames(config));
  const factors = factorChanges
    ? await changedPolicy(policyBefore, factorChanges, clock.now())
    : policyBefore;
  const api = defaultApi ?? apiBefore;
  const merged: OrganizationRecord['vendor'] = { ...present.vendor };
  for (const [dialect, members] of Object.entries(vendor)) {
    const all = Object.entries({ ...merged[dialect], ...members }).filter(([, value]) => value !== null);
    merged[dialect] = Object.fromEntries(all);
  }
  return {
    ...present,
    name: name ?? present.name,
    hosts: host?.map((each) => each.toLowerCase()) ?? (hosts === false ? [] : present.hosts),
    ...(domain && { emailDomains: domain.map(domainGiven) }),
    ...(domains === false && { emailDomains: [] }),
    ...(registration && { registration: registration === 'on' }),
    ...(branding && { branding }),
    ...(factors && { factors }),
    ...(api && { defaultApi: api }),
    vendor: merged,
  };
}

async function changedPolicy(
  before: FactorPolicy | undefined,
  changes: NonNullable<FactorsOption['factors']>,
  now: Date,
): Promise<FactorPolicy | undefined> {
  const form = changedMembers<unknown>(before ? policyForm(before) : {}, changes);
  if (form === undefined) return undefined;
  const [{ inWords, parsePart }, { factorsForm, policyOf }] = await Promise.all([
    import('../config/issues.ts'),
    import('../seed/factors.ts'),
  ]);
  const { value, issues } = parsePart({ schema: factorsForm, value: form, at: ['factors'] });
  if (value === undefined) throw new CommandRefused(issues.map(inWords).join('\n'));
  return policyOf(value, before, now);
}

function domainGiven(domain: string): string {
  const spelled = /^[^\s@.]+(?:\.[^\s@.]+)+$/u.test(domain) ? emailDomain(`x@${domain}`) : undefined;
  if (spelled === undefined) throw new CommandRefused(`${domain} is no domain such as north.example.`);
  return spelled;
}

async function store(
  context: CommandContext,
  organization: OrganizationRecord,
  event: AuditEvent,
): Promise<void> {
  const outcome = await context.stores.organizations.put(organization);
  if (outcome !== 'stored') {
    const { organizations } = context.stores;
    const [kind, name = ''] = outcome.taken.split(':');
    const owner = await (kind === 'host' ? organizations.byHost(name) : organizations.byEmailDomain(name));
    const what = kind === 'host' ? 'host' : 'email domain';
    throw new CommandRefused(
      `The ${what} ${name} belongs to organization ${owner?.id}. Nothing was changed.`,
    );
  }
  await context.note(event, { organization: organization.id });
}
