import { Command } from 'commander';
import { findAccount, organizationOf, withCommandContext } from './context.ts';
import type { JsonOption } from './options.ts';
import { CommandRefused, sayJson, sayTable } from './output.ts';

/** Lines that are printed at most. */
const MOST = 10_000;

interface Options extends JsonOption {
  readonly organization?: string;
  readonly account?: string;
  readonly limit: string;
}

export function auditCommand(): Command {
  return new Command('audit')
    .description('the trail of who did what, from where, with which outcome')
    .addCommand(list());
}

function list(): Command {
  return new Command('list')
    .description('print the latest records, the newest first')
    .option('--organization <id>', 'of this organization only')
    .option('--account <who>', 'of this account only: id or e-mail address')
    .option('--limit <count>', 'so many at most', '50')
    .option('--json', 'print them as JSON')
    .addHelpText(
      'after',
      `
Examples:
  portico audit list --account dr@example.org
  portico audit list --organization default --limit 1000 --json

How long records are kept: audit.retention in the configuration.
`,
    )
    .action(({ organization, account, limit: input, json }: Options) =>
      withCommandContext(async (context) => {
        const limit = /^\d{1,5}$/.test(input) ? Number(input) : 0;
        if (limit < 1 || limit > MOST) throw new CommandRefused(`--limit must be from 1 to ${MOST}.`);
        if (organization !== undefined) await organizationOf(context, organization);
        const subject =
          account === undefined ? undefined : (await findAccount(context, account, organization)).id;
        const records = await context.stores.audit.latest({
          limit,
          ...(organization !== undefined && { organization }),
          ...(subject !== undefined && { subject }),
        });
        if (json) return sayJson(records);
        const rows = records.map((record) => ({
          at: record.at,
          event: record.event,
          outcome: record.outcome,
          organization: record.organization,
          subject: record.subject,
          client: record.clientId,
          address: record.address,
          detail: record.detail,
        }));
        sayTable(rows, 'There is no record of that.');
      }),
    );
}
