/** `portico migration check`: before people depend on a legacy system, and whenever something looks odd. */
import type { OrganizationView } from '../../dialects/contract/dialect.ts';
import type { MigratingDialect } from '../../dialects/runtime/mounted.ts';
import type { Identity } from '../../identity/context.ts';
import type { Finding } from '../../legacy/check.ts';
import { command } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { passwordFromInput } from '../options.ts';
import { CommandRefused, type JsonOption, sayList } from '../output.ts';
import { migratingDialect, migratingDialects } from './legacy-dialect.ts';

interface CheckOptions extends JsonOption {
  readonly dialect: string;
  readonly organization?: string;
  readonly login?: string;
  readonly passwordStdin?: boolean;
}

export const checkCommand = command({
  name: 'check',
  about: 'look at a legacy system before people depend on it; changes nothing',
  argument: ['<dialect>'],
  options: [
    ['--organization <id>', 'ask about people of this one; default: the first that it serves'],
    ['--login <name>', 'sign this person in there too, and out again'],
    ['--password-stdin', 'read the password from standard input'],
    ['--json', 'print it as JSON'],
  ],
  help: `
Is it there, and does it speak the vendor's API? Does its name lead back to this server? How long is its certificate
good, and do the clocks agree? With --login: would the person be taken over, and in what does a token of its differ
from Portico's (twin)? Do two legacy systems without proven addresses share an organization?
For which host names did requests come in stage proxy?
Exits with 1 when something failed.

Examples:
  portico migration check visitnote
  printf %s "$PASSWORD" | portico migration check visitnote --login ada@example.org --password-stdin`,
  run: inContext(async (context, options: CheckOptions) => {
    const { login, passwordStdin } = options;
    if ((login !== undefined) !== (passwordStdin === true)) {
      throw new CommandRefused('Give --login and --password-stdin together.');
    }
    const migrating = await migratingDialect(context, options.dialect);
    const credentials = login === undefined ? undefined : { login, password: await passwordFromInput() };
    const findings = await findingsOf(context, migrating, { ...options, credentials });
    sayList(options, findings, { row: (finding) => ({ ...finding }), nothing: 'Nothing was checked.' });
    if (findings.some(({ state }) => state === 'failed')) process.exitCode = 1;
  }),
});

async function findingsOf(
  context: CommandContext,
  migrating: MigratingDialect,
  given: {
    readonly organization?: string;
    readonly credentials: { readonly login: string; readonly password: string } | undefined;
  },
): Promise<Finding[]> {
  const [{ checkReachability, checkNeighbours }, { viaOf }] = await Promise.all([
    import('../../legacy/check.ts'),
    import('../../legacy/loop.ts'),
  ]);
  const { config, clock, secrets } = context;
  const { identity } = await context.tools();
  const all = await Promise.all(
    (await migratingDialects(context)).map(async (each) => ({
      each,
      organizations: await servedBy(identity, each),
    })),
  );
  const own = all.find(({ each }) => each.dialect.name === migrating.dialect.name)?.organizations ?? [];
  const organization = await chosen(context, own, given.organization);
  const via = viaOf(secrets, config.issuer);
  const { port, internal } = config.http;
  const ownPorts = [port, ...(internal.port === null ? [] : [internal.port])];
  const options = { mounted: migrating, organization, via, ownPorts, clock, context: context.context };
  const neighbours = all.filter(({ each }) => each.legacy.addresses === 'unverified');
  return [
    ...(await checkReachability(options)),
    ...(given.credentials === undefined
      ? []
      : await signInFindings({ ...options, identity, credentials: given.credentials })),
    ...checkNeighbours(migrating, {
      own: own.map(({ id }) => id),
      others: neighbours
        .filter(({ each }) => each.dialect.name !== migrating.dialect.name)
        .map(({ each, organizations }) => ({
          name: each.dialect.name,
          organizations: organizations.map(({ id }) => id),
        })),
    }),
    await hostsFinding(context, migrating),
  ];
}

/** Clients move only where their host name leads here. */
async function hostsFinding(
  { stores, clock }: CommandContext,
  { dialect }: MigratingDialect,
): Promise<Finding> {
  const [{ readSightings }, { ok, warning }] = await Promise.all([
    import('../../migration/sightings.ts'),
    import('../../legacy/check.ts'),
  ]);
  const { hosts } = await readSightings(stores.metadata, dialect.name, clock.now());
  if (hosts.length === 0) return warning('hosts', 'no request has passed by in stage proxy yet');
  const names = hosts.map(([host, requests]) => `${host} (${requests} requests)`);
  return ok('hosts', `requests came for ${names.join(', ')}`);
}

async function servedBy(identity: Identity, migrating: MigratingDialect): Promise<OrganizationView[]> {
  const [{ directoryOf }, { organizationsOf }] = await Promise.all([
    import('../../dialects/runtime/directory.ts'),
    import('../../legacy/serves.ts'),
  ]);
  const directory = directoryOf(identity, migrating.dialect.name);
  const views = await Promise.all(
    (await organizationsOf(migrating, identity)).map((id) => directory.byId(id)),
  );
  return views.filter((view) => view !== undefined);
}

async function chosen(
  context: CommandContext,
  served: readonly OrganizationView[],
  id: string | undefined,
): Promise<OrganizationView> {
  if (id !== undefined) await organizationOf(context, id);
  const found = id === undefined ? served[0] : served.find((each) => each.id === id);
  if (found !== undefined) return found;
  const names = served.map((each) => each.id).join(', ') || 'none';
  throw new CommandRefused(`It is asked about people of these organizations: ${names}.`);
}

async function signInFindings(options: {
  readonly mounted: MigratingDialect;
  readonly organization: OrganizationView;
  readonly via: string;
  readonly ownPorts: readonly number[];
  readonly identity: Identity;
  readonly context: CommandContext['context'];
  readonly credentials: { readonly login: string; readonly password: string };
}): Promise<Finding[]> {
  const [{ createLegacySystems }, { checkSignIn }] = await Promise.all([
    import('../../legacy/legacy-systems.ts'),
    import('../../legacy/check-sign-in.ts'),
  ]);
  const { mounted, identity, organization } = options;
  const systems = createLegacySystems({
    ...options,
    mounted: [mounted],
    // Whatever stage it is in: this command asks.
    stages: { asks: () => true, isAway: () => false },
    metrics: { legacyCall: () => undefined },
  });
  try {
    const [system] = await systems.asked(organization.id, mounted.dialect.name);
    if (system === undefined) return [];
    return await checkSignIn({ ...options, system, issuer: identity.issuer });
  } finally {
    await systems.close();
  }
}
