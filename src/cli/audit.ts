import { Option } from 'commander';
import { command, group } from './command.ts';
import { findAccount, inContext, organizationOf } from './context.ts';
import { CommandRefused, type JsonOption, sayList } from './output.ts';

/** Lines that are printed at most. */
const MOST = 10_000;

interface Options extends JsonOption {
  readonly organization?: string;
  readonly account?: string;
  readonly limit: string;
}

export const auditCommand = group('audit', 'the trail of who did what, from where, with which outcome', [
  command({
    name: 'list',
    about: 'print the latest records, the newest first',
    options: [
      ['--organization <id>', 'of this organization only'],
      ['--account <who>', 'of this account only: id or e-mail address'],
      new Option('--limit <count>', 'so many at most').default('50'),
      ['--json', 'print them as JSON'],
    ],
    help: `
Examples:
  portico audit list --account dr@example.org
  portico audit list --organization default --limit 1000 --json

How long records are kept: audit.retention in the configuration.`,
    run: inContext(async (context, options: Options) => {
      const { organization, account: who } = options;
      const limit = /^\d{1,5}$/.test(options.limit) ? Number(options.limit) : 0;
      if (limit < 1 || limit > MOST) throw new CommandRefused(`--limit must be from 1 to ${MOST}.`);
      if (organization !== undefined) await organizationOf(context, organization);
      const records = await context.stores.audit.latest({
        limit,
        ...(organization !== undefined && { organization }),
        ...(who !== undefined && { subject: (await findAccount(context, { who, organization })).id }),
      });
      sayList(options, records, {
        row: ({ at, event, outcome, organization, subject, clientId: client, address, detail }) => {
          return { at, event, outcome, organization, subject, client, address, detail };
        },
        nothing: 'There is no record of that.',
      });
    }),
  }),
]);
