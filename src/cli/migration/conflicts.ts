/** `portico migration conflicts`: people of a legacy system whose address is an account's here, and what becomes of them. */
import { createHash } from 'node:crypto';
import type { AccountRecord } from '../../model/account.ts';
import type { AuditRecord } from '../../model/audit-event.ts';
import { auditRecords } from '../audit.ts';
import { command } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { CommandRefused, type JsonOption, say, sayList } from '../output.ts';

interface Conflict {
  readonly id: string;
  readonly dialect: string;
  readonly organization: string | undefined;
  /** The account here. */
  readonly account: string | undefined;
  readonly vendorId: string | undefined;
  readonly why: string;
  readonly count: number;
  readonly last: string;
}

interface Options extends JsonOption {
  readonly action?: string;
  readonly conflict?: string;
  readonly organization?: string;
  readonly email?: string;
}

export const conflictsCommand = command({
  name: 'conflicts',
  about: 'list people of a legacy system whose address belongs to another account here, and settle one',
  argument: ['[action]', 'join, rename or ignore; without one, all are listed'],
  secondArgument: ['[conflict]', 'its id, as the list has it'],
  options: [
    ['--organization <id>', 'of this organization only'],
    ['--email <address>', 'rename: the address that the account here gets instead'],
    ['--json', 'print the list as JSON'],
  ],
  help: `
join    they are one person: the account gets the vendor's id. A password that was set here stays the only one.
rename  they are two: the account here gets another address and is signed out, and the legacy system's person comes in
        with this one.
ignore  the legacy system's person stays out; the conflict is not listed any more.

Examples:
  portico migration conflicts --json
  portico migration conflicts join 3f2a9c1e
  portico migration conflicts rename 3f2a9c1e --email other@example.org`,
  run: inContext(async (context, options: Options) => {
    if (options.organization !== undefined) await organizationOf(context, options.organization);
    const open = await openConflicts(context, options.organization);
    if (options.action === undefined) return list(options, open);
    const conflict = open.find(({ id }) => id === options.conflict);
    if (conflict === undefined)
      throw new CommandRefused(`There is no open conflict ${options.conflict ?? 'without its id'}.`);
    await settle(context, conflict, options);
  }),
});

function list(options: Options, open: readonly Conflict[]): void {
  sayList(options, open, {
    row: ({ id, dialect, organization, account, vendorId, why, count, last }) => {
      return { id, dialect, organization, account, "vendor's id": vendorId, why, count, last };
    },
    nothing: 'There is no open conflict.',
  });
}

async function openConflicts(context: CommandContext, organization?: string): Promise<Conflict[]> {
  const settled = new Set<string>();
  for await (const { detail } of auditRecords(context, { event: 'migration.settle', organization }))
    settled.add(String(detail?.conflict));
  const found = new Map<string, Conflict>();
  for await (const record of auditRecords(context, { event: 'migration.conflict', organization })) {
    const conflict = conflictOf(record);
    const known = found.get(conflict.id);
    const last = known !== undefined && known.last > conflict.last ? known.last : conflict.last;
    if (!settled.has(conflict.id))
      found.set(conflict.id, { ...conflict, last, count: (known?.count ?? 0) + 1 });
  }
  return [...found.values()].sort((one, other) => other.last.localeCompare(one.last));
}

function conflictOf({ at, organization, subject, detail }: AuditRecord): Conflict {
  const dialect = String(detail?.dialect);
  const vendorId = typeof detail?.vendorId === 'string' ? detail.vendorId : undefined;
  const named = JSON.stringify([dialect, organization ?? null, subject ?? null, vendorId ?? null]);
  return {
    id: createHash('sha256').update(named).digest('hex').slice(0, 8),
    ...{ dialect, organization, account: subject, vendorId },
    ...{ why: String(detail?.why), count: 1, last: at.toISOString() },
  };
}

async function settle(context: CommandContext, conflict: Conflict, options: Options): Promise<void> {
  const { action } = options;
  if (action === 'join') await join(context, conflict);
  else if (action === 'rename') await rename(context, conflict, options.email);
  else if (action !== 'ignore')
    throw new CommandRefused(`${action} settles no conflict: join, rename or ignore.`);
  const { id, dialect, organization, account: subject } = conflict;
  await context.note('migration.settle', {
    ...(organization !== undefined && { organization }),
    ...(subject !== undefined && { subject }),
    detail: { conflict: id, dialect, how: action },
  });
  say(`Conflict ${id} is settled: ${action}.`);
}

async function join(context: CommandContext, conflict: Conflict): Promise<void> {
  const { dialect, vendorId } = conflict;
  await refuseHeldId(context, conflict);
  const { authorityOf, withEntry } = await import('../../identity/accounts/password-authority.ts');
  await change(context, conflict, (present) => {
    const password = authorityOf(present, dialect) === 'portico' ? 'portico' : 'legacy';
    const aliases = vendorId === undefined ? present.aliases : { ...present.aliases, [dialect]: vendorId };
    return { ...withEntry(present, dialect, { password }), aliases };
  });
}

/** One vendor's id is one account. */
async function refuseHeldId({ stores }: CommandContext, conflict: Conflict): Promise<void> {
  const { dialect, vendorId, account } = conflict;
  const holder = vendorId === undefined ? undefined : await stores.accounts.byAlias(dialect, vendorId);
  if (holder !== undefined && holder.id !== account)
    throw new CommandRefused(
      `Account ${holder.id} of ${holder.organization} has the id ${vendorId} already.`,
    );
}

async function rename(context: CommandContext, conflict: Conflict, email: string | undefined): Promise<void> {
  if (email === undefined) throw new CommandRefused('Say which address the account gets: --email <address>');
  await change(context, conflict, (present) => ({ ...present, email, emailVerified: false }));
  const [{ endEmails }, { identity }] = await Promise.all([
    import('../../identity/accounts/revoke-access.ts'),
    context.tools(),
  ]);
  if (conflict.account === undefined) return;
  // A person who changes an address has proved the new one, and goes on. Here the old one becomes another person's:
  // no session and no token that names it stays.
  await identity.access.endAll(conflict.account);
  await endEmails(identity, conflict.account);
}

async function change(
  context: CommandContext,
  { account }: Conflict,
  how: (present: AccountRecord) => AccountRecord,
): Promise<void> {
  if (account === undefined) throw new CommandRefused('The conflict names no account here: ignore it.');
  const [{ updateAccount }, { identity }] = await Promise.all([
    import('../../identity/accounts/update-account.ts'),
    context.tools(),
  ]);
  await updateAccount(identity, account, how);
}
