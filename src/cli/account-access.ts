/** Finding an account, what it is signed in with, and ending that: the operator's side of my account. */
import { type AccountRecord, withoutHashes } from '../model/account.ts';
import type { AuditEvent } from '../model/audit-event.ts';
import type { OperatorTools } from '../server/server.ts';
import { command, type MakeCommand } from './command.ts';
import { type CommandContext, findAccount, inContext, organizationOf } from './context.ts';
import { countOption, ITS_ORGANIZATION, required, WHO, type Who } from './options.ts';
import { CommandRefused, type JsonOption, note, say, sayList } from './output.ts';

interface Search extends JsonOption {
  readonly part: string;
  readonly organization: string;
  readonly limit: number;
  readonly after?: string;
}

interface SignOut extends Who {
  readonly session?: string;
  readonly grant?: string;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export const accessCommands: readonly MakeCommand[] = [
  command({
    name: 'search',
    about: 'find accounts by a part of an email address, username, name or phone number',
    argument: ['<part>', 'in any case; a phone number however it is spaced'],
    options: [
      required('--organization <id>', 'the directory that is searched'),
      countOption('--limit <count>', 'at most so many', 1000).default(50),
      ['--after <id>', 'go on after this account'],
      ['--json', 'print them as JSON'],
    ],
    help: `
Examples:
  portico account search lindgren --organization default
  portico account search '555 0142' --organization default --json`,
    run: inContext(search),
  }),
  command({
    name: 'sessions',
    about: 'print the browsers that are signed in as an account',
    argument: WHO,
    options: [ITS_ORGANIZATION, ['--json', 'print them as JSON']],
    help: 'Example:\n  portico account sessions ada@example.org',
    run: inContext(async (context, options: Who & JsonOption) => {
      const { id } = await findAccount(context, options);
      const { accountAccess } = (await context.tools()).oidc;
      sayList(options, await accountAccess.listSessions(id), {
        row: ({ uid, clients, signedInAt, lastUsedAt, browser }) => ({
          session: uid,
          clients,
          since: signedInAt,
          used: lastUsedAt,
          browser: [browser?.browser, browser?.system].filter((one) => one !== undefined),
        }),
        nothing: 'No browser is signed in.',
      });
    }),
  }),
  command({
    name: 'grants',
    about: 'print the clients that hold tokens of an account',
    argument: WHO,
    options: [ITS_ORGANIZATION, ['--json', 'print them as JSON']],
    help: 'Example:\n  portico account grants ada@example.org',
    run: inContext(async (context, options: Who & JsonOption) => {
      const { id } = await findAccount(context, options);
      const { accountAccess } = (await context.tools()).oidc;
      const grants = await Promise.all(
        (await accountAccess.listGrants(id)).map(async (grant) => ({
          ...grant,
          lastUsedAt: (await accountAccess.lastUseOf(grant.grantId)) ?? grant.createdAt,
        })),
      );
      sayList(options, grants, {
        row: ({ grantId, clientId, createdAt, lastUsedAt, scopes }) => ({
          grant: grantId,
          client: clientId,
          since: createdAt,
          used: lastUsedAt,
          scopes,
        }),
        nothing: 'No client holds tokens.',
      });
    }),
  }),
  command({
    name: 'sign-out',
    about: 'end the sign-ins of an account: all of them, one browser, or one client',
    argument: WHO,
    options: [
      ['--session <id>', 'this browser and what its clients got by it; see: account sessions'],
      ['--grant <id>', 'this grant with its tokens, and what its client was allowed; see: account grants'],
      ITS_ORGANIZATION,
      ['--dry-run', 'print what would end, and end nothing'],
      ['--yes', 'confirm'],
    ],
    help: `
API keys stay: portico api-key revoke, or portico account set --end-api-keys. To keep the person out:
portico account block.

Examples:
  portico account sign-out ada@example.org --dry-run
  portico account sign-out ada@example.org --yes`,
    run: inContext(signOut),
  }),
  command({
    name: 'reset-factors',
    about: 'remove the second factors of a person who has lost them, and end all sign-ins',
    argument: WHO,
    options: [ITS_ORGANIZATION, ['--yes', 'confirm']],
    help: `
Passkeys, authenticator app, recovery codes, remembered browsers and app passwords go; the password stays, and the
person is told by email. Make sure first who is asking.

Example:
  portico account reset-factors ada@example.org --yes`,
    run: inContext(async (context, options: Who & { yes?: boolean }) => {
      const { id: accountId } = await findAccount(context, options);
      if (options.yes !== true)
        throw new CommandRefused(
          `This removes all second factors of account ${accountId}. Add --yes to confirm.`,
        );
      const { resetFactors } = await import('../identity/factors/reset-factors.ts');
      const { identity } = await context.tools();
      const reset = await resetFactors(identity, { accountId, context: context.context });
      say(`Account ${accountId} ${reset ? 'has no second factor any more' : 'had no second factor'}.`);
    }),
  }),
];

async function search(context: CommandContext, options: Search): Promise<void> {
  const { organization, part, limit, after } = options;
  await organizationOf(context, organization);
  if (part.trim() === '')
    throw new CommandRefused('Say a part of an email address, username, name or phone number.');
  const { searchAccounts } = await import('../identity/accounts/search-accounts.ts');
  const found: ReturnType<typeof withoutHashes>[] = [];
  let more = false;
  for await (const account of searchAccounts(context.stores.accounts, {
    ...{ organization, part, after },
  })) {
    more = found.length === limit;
    if (more) break;
    found.push(withoutHashes(account));
  }
  sayList(options, found, {
    row: ({ id, email, username, claims, status }) => {
      return { id, email, username, name: claims.name, phone: claims.phone_number, status };
    },
    nothing: `No account of organization ${organization} has that in its names.`,
  });
  if (more) note(`There are more: --after ${found.at(-1)?.id}`);
}

type Access = OperatorTools['oidc']['accountAccess'];

interface Held {
  readonly sessions: Awaited<ReturnType<Access['listSessions']>>;
  readonly grants: Awaited<ReturnType<Access['listGrants']>>;
}

async function signOut(context: CommandContext, options: SignOut): Promise<void> {
  const account = await findAccount(context, options);
  const held = await heldBy(context, account, options);
  const what = inWords(held);
  if (options.dryRun) return say(`Would end: ${what}.`);
  if (!options.yes)
    throw new CommandRefused(`This ends, of account ${account.id}: ${what}. Add --yes to confirm.`);
  for (const event of await end(context, account, options)) {
    const { id: subject, organization } = account;
    await context.note(event, { organization, subject });
  }
  say(`Ended: ${what}.`);
}

/** What the options name; all of it where they name nothing. */
async function heldBy(context: CommandContext, { id }: AccountRecord, options: SignOut): Promise<Held> {
  const { session, grant } = options;
  if (session !== undefined && grant !== undefined) {
    throw new CommandRefused('Give --session or --grant, or neither to end all.');
  }
  const { accountAccess } = (await context.tools()).oidc;
  const sessions = await accountAccess.listSessions(id);
  const grants = await accountAccess.listGrants(id);
  const held = {
    sessions: grant === undefined ? sessions.filter(({ uid }) => uid === (session ?? uid)) : [],
    grants: session === undefined ? grants.filter(({ grantId }) => grantId === (grant ?? grantId)) : [],
  };
  const named = session ?? grant;
  if (named !== undefined && held.sessions.length + held.grants.length === 0) {
    const kind = session === undefined ? 'grant' : 'session';
    throw new CommandRefused(`Account ${id} has no ${kind} ${named}. See: portico account ${kind}s ${id}`);
  }
  return held;
}

/** By the functions with which my account and a new password end them. Resolves with the audit events to write. */
async function end(
  context: CommandContext,
  { id }: AccountRecord,
  { session, grant }: SignOut,
): Promise<AuditEvent[]> {
  const { oidc, identity } = await context.tools();
  if (session !== undefined) return (await oidc.accountAccess.endSession(id, session)) ? ['session.end'] : [];
  if (grant !== undefined) {
    const ended = await oidc.accountAccess.endGrant(id, grant);
    return ended.map((what) => `${what}.end` as const);
  }
  const [sessions, grants] = await Promise.all([
    oidc.accountAccess.listSessions(id),
    oidc.accountAccess.listGrants(id),
  ]);
  await identity.access.endAll(id);
  return [
    ...(sessions.length > 0 ? ['session.end' as const] : []),
    ...(grants.length > 0 ? ['grant.end' as const] : []),
  ];
}

function inWords({ sessions, grants }: Held): string {
  const words = [
    ...sessions.map(({ uid }) => `session ${uid}`),
    ...grants.map(({ grantId, clientId }) => `grant ${grantId} of ${clientId}`),
  ];
  return words.join(', ') || 'nothing';
}
