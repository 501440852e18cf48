import type { AccountRecord } from '../model/account.ts';
import { type CommandContext, organizationOf } from './context.ts';
import { CommandRefused } from './output.ts';

/** The account that an operator means. CommandRefused when there is none, or one in each of several organizations. */
export async function findAccount(
  context: CommandContext,
  who: string,
  organization: string | undefined,
): Promise<AccountRecord> {
  const { accounts, organizations } = context.stores;
  const byId = await accounts.byId(who);
  if (byId && (organization === undefined || byId.organization === organization)) return byId;
  const directories =
    organization === undefined ? await organizations.list() : [await organizationOf(context, organization)];
  const result: AccountRecord[] = [];
  for (const { id } of directories) {
    const account = (await accounts.byEmail(id, who)) ?? (await accounts.byUsername(id, who));
    if (account) result.push(account);
  }
  const [account, another] = result;
  if (!account)
    throw new CommandRefused(`There is no account ${who}${organization ? ` in ${organization}` : ''}.`);
  if (another) {
    const places = result.map((each) => each.organization).join(', ');
    throw new CommandRefused(
      `${who} has accounts in ${places}. Say which: --organization ${account.organization}`,
    );
  }
  return account;
}
