import type { ClientRecord } from '../model/client.ts';
import type { Counts, SeedReport } from '../seed/apply-seed.ts';
import { command } from './command.ts';
import { type CommandContext, inContext } from './context.ts';
import { type JsonOption, note, say, sayJson } from './output.ts';

interface Options extends JsonOption {
  readonly file: string;
  readonly dryRun?: boolean;
  readonly overwritePasswords?: boolean;
}

export const seedCommand = command({
  name: 'seed',
  about: 'load organizations, accounts, API keys and clients from a file',
  argument: ['<file>', 'YAML, or JSON when its name ends in .json (format: docs/seed.md)'],
  options: [
    ['--dry-run', 'print what would change, and change nothing'],
    ['--overwrite-passwords', 'replace passwords of accounts that have one; ends their sign-ins'],
    ['--json', 'print the figures as JSON'],
  ],
  help: `
Creates what is not there and updates what differs; loading a file twice changes nothing. Members that the
file does not name stay as they are. When anything in the file is wrong, nothing is loaded.

Examples:
  portico seed people.yaml --dry-run
  portico seed people.yaml`,
  run: inContext(load),
});

async function load(context: CommandContext, options: Options): Promise<void> {
  const [
    { readSeed },
    { refuseDemo },
    { noteLoaded },
    { applySeed, planFile, reportOf },
    { createPasswordHasher },
    { upstreamNames },
  ] = await Promise.all([
    import('../seed/read-seed.ts'),
    import('../seed/refuse-demo.ts'),
    import('../seed/seed-at-start.ts'),
    import('../seed/apply-seed.ts'),
    import('../identity/passwords/hasher.ts'),
    import('../federation/registry.ts'),
  ]);
  const { stores, secrets, clock, config } = context;
  const file = readSeed(options.file);
  refuseDemo(file, config.environment === 'production');
  const world = {
    stores,
    secrets,
    clock,
    issuer: config.issuer,
    judgeClient: async (client: ClientRecord) => (await context.tools()).oidc.judgeClient(client),
    resources: config.oidc.resources,
    upstreams: upstreamNames(config),
    overwritePasswords: options.overwritePasswords ?? false,
  };
  if (options.dryRun) return tell(reportOf(await planFile(world, file)), 'would be', options);
  const report = await applySeed(
    {
      ...world,
      hasher: createPasswordHasher({ queue: Number.MAX_SAFE_INTEGER, keys: config.passwords.imported }),
      access: { endAll: async (id, keep) => (await context.tools()).identity.access.endAll(id, keep) },
      progress: showProgress,
    },
    file,
  );
  await noteLoaded({ stores, clock, issuer: config.issuer }, file);
  await context.note('seed.load', { detail: { file: file.hash } });
  tell(report, 'were', options);
}

/** For files that take a while. */
function showProgress(done: number, all: number): void {
  if (all >= 500) note(`${done} of ${all} accounts`);
}

function tell(report: SeedReport, verb: string, { json }: JsonOption) {
  if (json) return sayJson(report);
  const line = (name: string, { create, update, keep }: Counts) =>
    say(`${name.padEnd(14)} ${create} ${verb} created, ${update} updated, ${keep} left as they are`);
  line('organizations', report.organizations);
  line('accounts', report.accounts);
  line('API keys', report.apiKeys);
  line('APIs', report.apis);
  line('clients', report.clients);
  if (report.keptPasswords > 0) {
    say(
      `${report.keptPasswords} accounts keep the password that they have (--overwrite-passwords replaces it).`,
    );
  }
}
