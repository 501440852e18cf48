import { once } from 'node:events';
import { Option } from 'commander';
import { command } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { required } from '../options.ts';
import { note } from '../output.ts';

interface Options {
  readonly organization: string;
  readonly withHashes?: boolean;
  readonly shape: 'ndjson' | 'csv';
}

export const exportCommand = command({
  name: 'export',
  about: 'print the people of an organization, as portico import reads them',
  options: [
    required('--organization <id>', 'whose people'),
    ['--with-hashes', 'with the hashes of their passwords, as they are stored'],
    new Option('--shape <shape>', 'of the file').choices(['ndjson', 'csv']).default('ndjson'),
  ],
  help: `
Hashes allow guessing passwords: protect the file as you protect the store. API keys stay here, and so do our own
ids of people (sub): an import gives people new ones. The audit trail notes every export.

Examples:
  portico export --organization default > people.ndjson
  (umask 077; portico export --organization default --with-hashes --shape csv > people.csv)`,
  run: inContext(print),
});

async function print(context: CommandContext, options: Options): Promise<void> {
  const { organization, withHashes = false, shape } = options;
  await organizationOf(context, organization);
  const { exportLines } = await import('../../transfer/export-people.ts');
  const detail = { hashes: withHashes, shape };
  // First of all: an export that is killed half way has given people away too.
  await context.note('account.export', { organization, detail });
  let lines = 0;
  for await (const page of exportLines({ stores: context.stores, organization, withHashes }, shape)) {
    if (process.stdout.destroyed) break;
    lines += page.length;
    if (page.length > 0 && !process.stdout.write(`${page.join('\n')}\n`)) await once(process.stdout, 'drain');
  }
  const count = shape === 'csv' ? lines - 1 : lines;
  await context.note('account.export', { organization, detail: { ...detail, count } });
  note(`${count} people`);
}
