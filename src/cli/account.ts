import { Option } from 'commander';
import { foldName, takeName } from '../core/text.ts';
import { type AccountRecord, type AccountStatus, withoutHashes } from '../model/account.ts';
import { accessCommands } from './account-access.ts';
import { command, group, type MakeCommand } from './command.ts';
import { findAccount, inContext, organizationOf } from './context.ts';
import {
  CLAIM_OPTIONS,
  type ClaimOptions,
  claimChanges,
  ITS_ORGANIZATION,
  passwordFromInput,
  repeated,
  required,
  type VendorOption,
  vendorOption,
  WHO,
  type Who,
} from './options.ts';
import { CommandRefused, type JsonOption, say, sayList, sayRecord } from './output.ts';

interface Changes extends ClaimOptions, VendorOption {
  readonly email?: string;
  readonly verified?: boolean;
  readonly username?: string;
  readonly role?: string[];
  readonly passwordStdin?: boolean;
  readonly generatePassword?: boolean;
}

/** Options of create and set. */
const CHANGES = [
  ['--email <address>'],
  ['--verified', 'the email address is verified'],
  ['--username <name>', 'another name to sign in with'],
  repeated('--role <role>', 'may be given again; an empty one gives none'),
  vendorOption('what only one vendor knows; may be given again'),
  ['--password-stdin', 'read the password from standard input'],
  ['--generate-password', 'draw a password and print it once'],
  ...CLAIM_OPTIONS,
] as const;

export const accountCommand = group('account', 'people', [
  command({
    name: 'create',
    about: 'make an account',
    options: [
      ...CHANGES,
      required('--organization <id>', 'the directory that it belongs to'),
      ['--json', 'print the account as JSON'],
    ],
    help: `
Examples:
  portico account create --organization default --email ada@example.org --verified --generate-password
  printf %s "$PASSWORD" | portico account create --organization default --username ada --password-stdin`,
    run: inContext(async (context, options: Changes & JsonOption & { organization: string }) => {
      const { organization, email, username } = options;
      await organizationOf(context, organization);
      if (email === undefined && username === undefined) {
        throw new CommandRefused('An account needs --email or --username to sign in with.');
      }
      const { identity } = await context.tools();
      const { registerAccount } = await import('../identity/accounts/create-account.ts');
      const password = await passwordFrom(options);
      const account = await registerAccount(identity, {
        organization,
        passwordMinimum: context.config.passwords.minimum,
        account: {
          ...(email === undefined ? {} : { email }),
          ...(username === undefined ? {} : { username }),
          ...(password === undefined ? {} : { password }),
          emailVerified: options.verified ?? false,
          roles: rolesGiven(options) ?? [],
          claims: claimChanges(options),
          vendor: options.vendor ?? {},
        },
        context: context.context,
      });
      tell(options, account, password);
    }),
  }),
  command({
    name: 'show',
    about: 'print an account, without its password hash',
    argument: WHO,
    options: [ITS_ORGANIZATION, ['--json', 'print it as JSON']],
    help: 'Example:\n  portico account show ada@example.org',
    run: inContext(async (context, options: Who & JsonOption) =>
      tell(options, await findAccount(context, options)),
    ),
  }),
  command({
    name: 'set',
    about: 'change an account; what is not given stays. A new password ends its sign-ins',
    argument: WHO,
    options: [
      ...CHANGES,
      ['--end-api-keys', 'end its API keys too, at once and everywhere'],
      ITS_ORGANIZATION,
      ['--json', 'print the account as JSON'],
    ],
    help: `
--role replaces all roles; --role '' takes them away.

Examples:
  portico account set ada@example.org --given-name Ada --role doctor --role admin
  portico account set ada@example.org --generate-password --end-api-keys`,
    run: inContext(async (context, options: Changes & Who & JsonOption & { endApiKeys?: boolean }) => {
      const { id, version } = await findAccount(context, options);
      const { identity } = await context.tools();
      const { updateAccount } = await import('../identity/accounts/update-account.ts');
      const account = await updateAccount(identity, id, (present) => changed(present, options));
      if (account.version !== version) {
        await context.note('profile.update', { organization: account.organization, subject: id });
      }
      const password = await passwordFrom(options);
      if (password !== undefined) {
        const { setPassword } = await import('../identity/self-service/set-password.ts');
        const { minimum } = context.config.passwords;
        const email = 'password-changed';
        await setPassword(identity, { accountId: id, password, minimum, email, context: context.context });
      }
      if (options.endApiKeys) {
        const { deleteApiKeys } = await import('../identity/accounts/api-keys.ts');
        await deleteApiKeys(identity, { account, context: context.context });
      }
      tell(options, account, password);
    }),
  }),
  command({
    name: 'list',
    about: 'print the accounts of an organization',
    options: [
      required('--organization <id>'),
      new Option('--limit <count>', 'at most so many').argParser(Number).default(100),
      ['--after <id>', 'begin after this account'],
      ['--json', 'print them as JSON'],
    ],
    help: 'Example:\n  portico account list --organization default --limit 20',
    run: inContext(
      async (context, options: { organization: string; limit: number; after?: string } & JsonOption) => {
        const { organization, limit, after } = options;
        await organizationOf(context, organization);
        if (!Number.isInteger(limit) || limit < 1)
          throw new CommandRefused('--limit takes a whole number above 0.');
        const page = { limit, ...(after === undefined ? {} : { after }) };
        const accounts = await context.stores.accounts.page(organization, page);
        sayList(options, accounts.map(withoutHashes), {
          row: ({ id, email, username, status, openedAt }) => ({ id, email, username, status, openedAt }),
          nothing: `Organization ${organization} has no accounts${after ? ' after that one' : ''}.`,
        });
      },
    ),
  }),
  ...accessCommands,
  block('block', 'blocked', 'block an account and end all its sign-ins'),
  block('unblock', 'active', 'unblock an account, or activate an inactive one'),
  command({
    name: 'delete',
    about: 'delete an account for good, with everything that it holds',
    argument: WHO,
    options: [ITS_ORGANIZATION, ['--yes', 'confirm']],
    help: 'Example:\n  portico account delete ada@example.org --yes',
    run: inContext(async (context, options: Who & { yes?: boolean }) => {
      const { id } = await findAccount(context, options);
      if (!options.yes)
        throw new CommandRefused(`This deletes account ${id} for good. Add --yes to confirm.`);
      const { deleteAccount } = await import('../identity/accounts/delete-account.ts');
      await deleteAccount((await context.tools()).identity, { accountId: id, context: context.context });
      say(`Account ${id} was deleted.`);
    }),
  }),
]);

function block(name: string, status: AccountStatus, about: string): MakeCommand {
  return command({
    name,
    about,
    argument: WHO,
    options: [ITS_ORGANIZATION],
    help: `Example:\n  portico account ${name} ada@example.org`,
    run: inContext(async (context, who: Who) => {
      const { id: accountId } = await findAccount(context, who);
      const { setStatus } = await import('../identity/accounts/set-status.ts');
      const { identity } = await context.tools();
      await setStatus(identity, { accountId, status, context: context.context });
      say(`Account ${accountId} is ${status}.`);
    }),
  });
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

function tell(options: JsonOption & Changes, account: AccountRecord, password?: string): void {
  const generated = options.generatePassword ? { name: 'password', members: { password } } : undefined;
  sayRecord(options, withoutHashes(account), generated);
}
