/** The link that confirms an address: what it proves, and about whom. */
import type { AccountRecord } from '../../model/account.ts';
import { reclaimAccount } from '../accounts/reclaim-account.ts';
import { spendLinkToken } from '../codes/link-token.ts';
import type { Identity } from '../context.ts';

/** In the data of a link that was asked for by who holds the account's password. */
export const CONFIRMS = { confirms: true } as const;

/**
 * Spends the link, for exactly one caller; the address is proven. A link that the holder of the password
 * asked for keeps that password and the sign-ins of `clientId`; any other link proves the address alone.
 * Undefined: the link is not good.
 */
export async function confirmAddress(
  identity: Identity,
  input: { token: string; purpose: string; organization?: string; clientId: string },
): Promise<AccountRecord | undefined> {
  const { clientId, ...link } = input;
  const spent = await spendLinkToken(identity, link);
  if (spent === undefined) return undefined;
  const { account, data } = spent;
  const confirms = data.confirms === true ? { confirms: { clientId } } : {};
  return reclaimAccount(identity, { account, ...confirms });
}
