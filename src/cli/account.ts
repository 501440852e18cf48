import { Command } from 'commander';
import { foldName, takeName } from '../core/text.ts';
import type { Identity } from '../identity/context.ts';
import type { AccountRecord, AccountStatus } from '../model/account.ts';
import type { Json } from '../model/json.ts';
import { type CommandContext, findAccount, organizationOf, withCommandContext } from './context.ts';
import {
  type ClaimOptions,
  claimChanges,
  each,
  type JsonOption,
  passwordFromInput,
  vendorMember,
  withClaims,
} from './options.ts';
import { CommandRefused, say, sayJson, sayRecord, sayTable } from './output.ts';

interface Where {
  readonly organization?: string;
}

interface Changes extends ClaimOptions {
  readonly email?: string;
  readonly verified?: boolean;
  readonly username?: string;
  readonly role?: string[];
  readonly vendor?: Record<string, Record<string, Json>>;
  readonly passwordStdin?: boolean;
  readonly generatePassword?: boolean;
}

const WHO = 'id, e-mail address or username';

export function accountCommand(): Command {
  return new Command('account')
    .description('people')
    .addCommand(create())
    .addCommand(show())
    .addCommand(set())
    .addCommand(list())
    .addCommand(block('block', 'blocked', 'block an account and end all its sign-ins'))
    .addCommand(block('unblock', 'active', 'unblock an account, or activate an inactive one'))
    .addCommand(remove());
}

/** Options of create and set. */
function withChanges(command: Command): Command {
  return withClaims(
    command
      .option('--email <address>')
      .option('--verified', 'the email address is verified')
      .option('--username <name>', 'another name to sign in with')
      .option('--role <role>', 'may be given again; an empty one gives none', each)
      .option(
        '--vendor <vendor.member=value>',
        'what only one vendor knows; may be given again',
        vendorMember,
      )
      .option('--password-stdin', 'read the password from standard input')
      .option('--generate-password', 'draw a password and print it once'),
  );
}

function create(): Command {
  return withChanges(new Command('create'))
    .description('make an account')
    .requiredOption('--organization <id>', 'the directory that it belongs to')
    .option('--json', 'print the account as JSON')
    .addHelpText(
      'after',
      `
Examples:
  portico account create --organization default --email ada@example.org --verified --generate-password
  printf %s "$PASSWORD" | portico account create --organization default --username ada --password-stdin
`,
    )
    .action((options: Changes & JsonOption & { organization: string }) =>
      withCommandContext(async (context) => {
        await organizationOf(context, options.organization);
        if (options.email === undefined && options.username === undefined) {
          throw new CommandRefused('An account needs --email or --username to sign in with.');
        }
        const { identity } = await context.tools();
        const { registerAccount } = await import('../identity/accounts/create-account.ts');
        const password = await passwordFrom(options);
        const account = await registerAccount(identity, {
          organization: options.organization,
          passwordMinimum: context.config.passwords.minimum,
          account: {
            ...(options.email === undefined ? {} : { email: options.email }),
            ...(options.username === undefined ? {} : { username: options.username }),
            ...(password === undefined ? {} : { password }),
            emailVerified: options.verified ?? false,
            roles: rolesGiven(options) ?? [],
            claims: claimChanges(options),
            vendor: options.vendor ?? {},
          },
          context: context.context,
        });
        tell(account, options, password);
      }),
    );
}

function show(): Command {
  return new Command('show')
    .description('print an account, without its password hash')
    .argument('<who>', WHO)
    .option('--organization <id>', 'which organization, if several have the address')
    .option('--json', 'print it as JSON')
    .addHelpText('after', '\nExample:\n  portico account show ada@example.org\n')
    .action((who: string, options: Where & JsonOption) =>
      withCommandContext(async (context) =>
        tell(await findAccount(context, who, options.organization), options),
      ),
    );
}

function set(): Command {
  return withChanges(new Command('set'))
    .description('change an account; what is not given stays. A new password ends its sign-ins')
    .option('--end-api-keys', 'end its API keys too, at once and everywhere')
    .argument('<who>', WHO)
    .option('--organization <id>', 'which organization, if several have the address')
    .option('--json', 'print the account as JSON')
    .addHelpText(
      'after',
      `
--role replaces all roles; --role '' takes them away.

Examples:
  portico account set ada@example.org --given-name Ada --role doctor --role admin
  portico account set ada@example.org --generate-password --end-api-keys
`,
    )
    .action((who: string, options: Changes & Where & JsonOption & { endApiKeys?: boolean }) =>
      withCommandContext(async (context) => {
        const { id, version } = await findAccount(context, who, options.organization);
        const { identity } = await context.tools();
        const { updateAccount } = await import('../identity/accounts/update-account.ts');
        const account = await updateAccount(identity, id, (present) => changed(present, options));
        if (account.version !== version) {
          await context.note('profile.update', { organization: account.organization, subject: id });
        }
        const password = await passwordFrom(options);
        if (password !== undefined) await replacePassword(context, identity, { id, password });
        if (options.endApiKeys) {
          const { deleteApiKeys } = await import('../identity/accounts/api-keys.ts');
          await deleteApiKeys(identity, { account, context: context.context });
        }
        tell(account, options, password);
      }),
    );
}

function list(): Command {
  return new Command('list')
    .description('print the accounts of an organization')
    .requiredOption('--organization <id>')
    .option('--limit <count>', 'at most so many', Number, 100)
    .option('--after <id>', 'begin after this account')
    .option('--json', 'print them as JSON')
    .addHelpText('after', '\nExample:\n  portico account list --organization default --limit 20\n')
    .action((options: { organization: string; limit: number; after?: string } & JsonOption) =>
      withCommandContext(async (context) => {
        await organizationOf(context, options.organization);
        const { limit, after } = options;
        if (!Number.isInteger(limit) || limit < 1)
          throw new CommandRefused('--limit takes a whole number above 0.');
        const page = { limit, ...(after === undefined ? {} : { after }) };
        const accounts = await context.stores.accounts.page(options.organization, page);
        if (options.json) return sayJson(accounts.map(withoutHash));
        const rows = accounts.map(({ id, email, username, status, openedAt }) => {
          return { id, email, username, status, openedAt };
        });
        sayTable(
          rows,
          `Organization ${options.organization} has no accounts${after ? ' after that one' : ''}.`,
        );
      }),
    );
}

function block(name: string, status: AccountStatus, description: string): Command {
  return new Command(name)
    .description(description)
    .argument('<who>', WHO)
    .option('--organization <id>', 'which organization, if several have the address')
    .addHelpText('after', `\nExample:\n  portico account ${name} ada@example.org\n`)
    .action((who: string, { organization }: Where) =>
      withCommandContext(async (context) => {
        const { id } = await findAccount(context, who, organization);
        const { setStatus } = await import('../identity/accounts/set-status.ts');
        await setStatus((await context.tools()).identity, {
          accountId: id,
          status,
          context: context.context,
        });
        say(`Account ${id} is ${status}.`);
      }),
    );
}

function remove(): Command {
  return new Command('delete')
    .description('delete an account for good, with everything that it holds')
    .argument('<who>', WHO)
    .option('--organization <id>', 'which organization, if several have the address')
    .option('--yes', 'confirm')
    .addHelpText('after', '\nExample:\n  portico account delete ada@example.org --yes\n')
    .action((who: string, { organization, yes }: Where & { yes?: boolean }) =>
      withCommandContext(async (context) => {
        const { id } = await findAccount(context, who, organization);
        if (!yes) throw new CommandRefused(`This deletes account ${id} for good. Add --yes to confirm.`);
        const { deleteAccount } = await import('../identity/accounts/delete-account.ts');
        await deleteAccount((await context.tools()).identity, { accountId: id, context: context.context });
        say(`Account ${id} was deleted.`);
      }),
    );
}

function rolesGiven({ role }: Changes): string[] | undefined {
  return role?.filter((name) => name !== '');
}

function changed(present: AccountRecord, options: Changes): AccountRecord {
  const email = options.email === undefined ? present.email : foldName(options.email);
  const username = options.username === undefined ? present.username : takeName(options.username);
  const vendor = { ...present.vendor };
  for (const [name, members] of Object.entries(options.vendor ?? {}))
    vendor[name] = { ...vendor[name], ...members };
  return {
    ...present,
    ...(email === undefined ? {} : { email }),
    ...(username === undefined ? {} : { username }),
    // A new address is unverified.
    emailVerified: options.verified ?? (email === present.email && present.emailVerified),
    roles: rolesGiven(options) ?? present.roles,
    claims: { ...present.claims, ...claimChanges(options) },
    vendor,
  };
}

async function passwordFrom(options: Changes): Promise<string | undefined> {
  if (options.passwordStdin && options.generatePassword) {
    throw new CommandRefused('Give --password-stdin or --generate-password, not both.');
  }
  if (options.passwordStdin) return passwordFromInput();
  if (!options.generatePassword) return undefined;
  const { randomText } = await import('../core/crypto.ts');
  // Without signs that look alike: it may be read out. 20 of 31 signs are 99 bits.
  return randomText({ alphabet: 'abcdefghjkmnpqrstuvwxyz23456789', length: 20 });
}

async function replacePassword(
  { config, context }: CommandContext,
  identity: Identity,
  { id, password }: { id: string; password: string },
): Promise<void> {
  const { setPassword } = await import('../identity/self-service/set-password.ts');
  await setPassword(identity, {
    accountId: id,
    password,
    minimum: config.passwords.minimum,
    email: 'password-changed',
    context,
  });
}

function withoutHash({ passwordHash, ...account }: AccountRecord) {
  return { ...account, hasPassword: passwordHash !== undefined };
}

function tell(account: AccountRecord, options: JsonOption & Changes, password?: string): void {
  const generated = options.generatePassword ? { password } : {};
  if (options.json) {
    sayJson({ ...withoutHash(account), ...generated });
    return;
  }
  sayRecord({ ...withoutHash(account), ...generated });
  if (options.generatePassword) say('\nThe password is shown this once.');
}
