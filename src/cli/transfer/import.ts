import path from 'node:path';
import { InvalidArgumentError, Option } from 'commander';
import type { FileShape } from '../../transfer/read-rows.ts';
import { command } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { migratingDialect } from '../migration/legacy-dialect.ts';
import { required } from '../options.ts';
import { CommandRefused, type JsonOption, note, say, sayJson } from '../output.ts';

interface Options extends JsonOption {
  readonly file: string;
  readonly organization: string;
  readonly dialect?: string;
  readonly roster?: boolean;
  readonly shape?: FileShape;
  readonly complete?: boolean;
  readonly dryRun?: boolean;
  readonly report?: string;
  readonly resume?: boolean;
  readonly maxRejects: number;
}

export const importCommand = command({
  name: 'import',
  about: 'load the people of a legacy system from a file, row by row',
  argument: ['<file>', 'NDJSON, or CSV with a line of column names (format: docs/import.md)'],
  options: [
    required('--organization <id>', 'where the people belong'),
    ['--dialect <name>', 'whose legacy system knows them'],
    ['--roster', 'people without passwords: the legacy system is asked about those'],
    new Option('--shape <shape>', 'of the file, where its name does not end so').choices(['ndjson', 'csv']),
    ['--complete', 'the file has every person: one without an account afterwards is a stranger'],
    ['--dry-run', 'judge every row, and change nothing'],
    ['--report <file>', 'write refused rows there, one line of JSON each'],
    ['--resume', 'go on where an import of this file broke off'],
    new Option('--max-rejects <n>', 'stop when more rows are refused').argParser(whole).default(100),
    ['--json', 'print the figures as JSON'],
  ],
  help: `
The same row leads to the same account, by vendor_id, else identities, else email: importing a file twice
changes nothing. What people have changed here since stays. No email is sent. The address of an account here
that the legacy system does not know is a conflict, unless both sides have proved it.

Examples:
  portico import people.ndjson --organization default --dialect visitnote --roster --dry-run
  portico import people.csv --organization default --dialect visitnote --roster --complete --report refused.ndjson`,
  run: inContext(load),
});

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}

async function load(context: CommandContext, options: Options): Promise<void> {
  const { file, roster, dialect: name, organization, dryRun = false, complete = false, json } = options;
  if (!roster) throw new CommandRefused('Say --roster. People with passwords come by portico seed.');
  if (name === undefined)
    throw new CommandRefused('Say whose legacy system knows the people: --dialect <name>');
  await organizationOf(context, organization);
  const { legacy } = await migratingDialect(context, name);
  if (legacy.organizations?.includes(organization) === false)
    throw new CommandRefused(
      `The legacy system of ${name} does not serve ${organization} (dialects.${name}.legacy.organizations).`,
    );
  const { importRoster, rejectsOf } = await import('../../transfer/import-roster.ts');
  const { stores, secrets, clock } = context;
  const counts = await importRoster({
    ...{ stores, secrets, clock, file, organization, dialect: name, dryRun, complete },
    shape: options.shape ?? shapeOf(file),
    addressesVerified: legacy.addresses === 'verified',
    resume: options.resume ?? false,
    maxRejects: options.maxRejects,
    report: options.report,
    async endAccess(accountId) {
      const { setStatus } = await import('../../identity/accounts/set-status.ts');
      await setStatus((await context.tools()).identity, {
        accountId,
        status: 'blocked',
        context: context.context,
      });
    },
    audit: (detail) => context.note('account.import', { organization, detail: { dialect: name, ...detail } }),
    progress: ({ rows, ...all }) =>
      rows % 10_000 === 0 && note(`${rows} rows, ${rejectsOf({ rows, ...all })} refused`),
  });
  if (json) return sayJson(counts);
  const verb = dryRun ? 'would be' : 'were';
  say(
    `${counts.rows} rows: ${counts.created} accounts ${verb} created, ${counts.updated} updated, ${counts.kept} left as they are`,
  );
  if (rejectsOf(counts) > 0)
    say(
      `${rejectsOf(counts)} refused: ${counts.row} are no rows, ${counts.conflict} in conflict, ${counts.gone} of people who were deleted here`,
    );
  if (complete && !dryRun) say(`The roster of ${name} in ${organization} is complete.`);
}

function shapeOf(file: string): FileShape {
  const shape = { '.ndjson': 'ndjson', '.jsonl': 'ndjson', '.csv': 'csv' } as const;
  const found = Object.entries(shape).find(([ending]) => path.extname(file).toLowerCase() === ending);
  if (found) return found[1];
  throw new CommandRefused(`Say what ${file} is: --shape ndjson or --shape csv`);
}
