/** `portico migration since`: what was made here meanwhile, and is not at the legacy system after going back. */
import { auditRecords, momentFrom } from '../audit.ts';
import { command } from '../command.ts';
import { type CommandContext, inContext, organizationOf } from '../context.ts';
import { type JsonOption, say, sayRecord } from '../output.ts';
import { migratingDialects } from './legacy-dialect.ts';

interface Since {
  accountsMade: number;
  passwordsSet: number;
  statusesChanged: number;
  accountsDeleted: number;
  addressesChanged: number;
  profilesChanged: number;
  apiKeysMade: number;
  /** By sign-ins and refreshes at dialects. */
  tokensMinted: number;
}

/** What each event of the trail is, where it succeeded. */
const COUNTED: Readonly<Record<string, Exclude<keyof Since, 'tokensMinted'>>> = {
  'account.register': 'accountsMade',
  'password.set': 'passwordsSet',
  'account.status': 'statusesChanged',
  'account.delete': 'accountsDeleted',
  'email.change': 'addressesChanged',
  'email.confirm': 'addressesChanged',
  'profile.update': 'profilesChanged',
  'api-key.create': 'apiKeysMade',
};

const MINT = ['sign-in', 'token.refreshed'];

interface Options extends JsonOption {
  readonly time: string;
  readonly organization?: string;
  readonly rows?: boolean;
}

export const sinceCommand = command({
  name: 'since',
  about: 'print what was made here since a moment: what going back would lose',
  argument: ['<time>', 'such as 2026-03-01, 2026-03-01T08:30Z, or how long ago, such as 2h'],
  options: [
    ['--organization <id>', 'of this organization only'],
    ['--json', 'print the counts as JSON'],
    ['--rows', 'print each account that was made or changed as JSON on a line of its own'],
  ],
  help: `
Counted from the audit trail; tokens are those of vendors' clients. A password is never printed.

Examples:
  portico migration since 2h
  portico migration since 2026-03-01T08:30Z --rows > made-here.ndjson`,
  run: inContext(since),
});

async function since(context: CommandContext, options: Options): Promise<void> {
  const { organization, rows } = options;
  if (organization !== undefined) await organizationOf(context, organization);
  const filter = { organization, from: momentFrom(options.time), outcome: 'success' };
  const channels = (await migratingDialects(context)).map(({ dialect }) => dialect.name);
  const counts: Since = {
    ...{ accountsMade: 0, passwordsSet: 0, statusesChanged: 0, accountsDeleted: 0 },
    ...{ addressesChanged: 0, profilesChanged: 0, apiKeysMade: 0, tokensMinted: 0 },
  };
  const changed = new Map<string, Set<string>>();
  for await (const { event, subject, detail } of auditRecords(context, filter)) {
    const member = COUNTED[event];
    if (MINT.includes(event) && channels.includes(String(detail?.channel))) counts.tokensMinted += 1;
    if (member === undefined) continue;
    counts[member] += 1;
    if (subject !== undefined) changed.set(subject, (changed.get(subject) ?? new Set()).add(event));
  }
  if (!rows) return sayRecord(options, counts);
  for (const [id, events] of changed)
    say(JSON.stringify({ ...(await rowOf(context, id)), events: [...events] }));
}

/** An account as it is now, without its secrets. */
async function rowOf({ stores }: CommandContext, id: string) {
  const account = await stores.accounts.byId(id);
  if (account === undefined) return { id, gone: true };
  const { organization, email, emailVerified, username, status, claims, roles, aliases, vendor } = account;
  return { id, organization, email, emailVerified, username, status, claims, roles, aliases, vendor };
}
