/**
 * Accounts of an organization by a part of what they are called. A directory is read page by page, so that the
 * search needs neither an index of its own nor memory for more than a page.
 */
import { foldName } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';

const PAGE = 500;

/** In order of id, beginning after `after`. */
export async function* searchAccounts(
  accounts: Pick<AccountStore, 'page'>,
  search: { organization: string; part: string; after?: string | undefined },
): AsyncGenerator<AccountRecord> {
  const { organization, part } = search;
  const text = foldName(part);
  const digits = digitsOf(part);
  let { after } = search;
  for (;;) {
    const page = await accounts.page(organization, { limit: PAGE, ...(after !== undefined && { after }) });
    yield* page.filter((account) => isCalled(account, text, digits));
    after = page.at(-1)?.id;
    if (after === undefined || page.length < PAGE) return;
  }
}

function isCalled({ email, username, claims }: AccountRecord, text: string, digits: string): boolean {
  const { name, given_name, family_name, phone_number } = claims;
  const given = [given_name, family_name].filter((one) => one !== undefined).join(' ');
  const names = [email, username, name, given, phone_number];
  if (names.some((one) => one !== undefined && foldName(one).includes(text))) return true;
  return digits !== '' && phone_number !== undefined && digitsOf(phone_number).includes(digits);
}

/** Of a text that may be a phone number, however it is spaced; empty for any other. */
function digitsOf(text: string): string {
  return /^[+\d\s()./-]+$/.test(text) ? text.replaceAll(/\D/g, '') : '';
}
