/**
 * Marks of people who were deleted here and whom a legacy system may still know: without them its next yes would
 * make the account again. They hold no personal data: HMACs of the vendor's id and of the address.
 */
import { normalizeEmail } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Identity } from '../context.ts';
import { knownAt } from './password-authority.ts';

const KIND = 'Gone';

type Marks = Pick<Identity, 'stores' | 'secrets' | 'clock'>;

interface Person {
  readonly organization: string;
  readonly email?: string | undefined;
  /** The vendor's ids, by dialect. */
  readonly ids?: Readonly<Record<string, string>>;
}

/** Before the account is removed. An account that no legacy system may know leaves no mark. */
export async function markGone(
  identity: Marks & Pick<Identity, 'legacy'>,
  account: AccountRecord,
): Promise<void> {
  const { organization, email, aliases } = account;
  const dialects = knownAt(account, identity.legacy);
  const ids = Object.fromEntries(Object.entries(aliases).filter(([dialect]) => dialects.includes(dialect)));
  const marks = dialects.length === 0 ? [] : marksOf(identity, { organization, email, ids });
  const record = { createdAt: identity.clock.now(), durable: true };
  await identity.stores.oidcRecords.putAll(
    marks.map((id) => ({
      kind: KIND,
      id,
      record: { ...record, payload: identity.secrets.encrypt('{}', `${KIND}:${id}`) },
    })),
  );
}

/** Whether a person with this address or one of these ids was deleted here. */
export async function isGone(identity: Marks, person: Person): Promise<boolean> {
  const { stores, clock } = identity;
  const marks = marksOf(identity, person);
  const found = await Promise.all(marks.map((id) => stores.oidcRecords.byId(KIND, id, clock.now())));
  return found.some((mark) => mark !== undefined);
}

/** A person who registers with the address is a new one. The vendor's id stays marked. */
export async function forgetGoneAddress(
  identity: Marks,
  { organization, email }: Pick<AccountRecord, 'organization' | 'email'>,
): Promise<void> {
  const address = { organization, email };
  if (!(await isGone(identity, address))) return;
  for (const id of marksOf(identity, address)) await identity.stores.oidcRecords.remove(KIND, id);
}

function marksOf({ secrets }: Marks, { organization, email, ids = {} }: Person): string[] {
  const texts = Object.entries(ids).map(([dialect, id]) => ['id', dialect, id]);
  if (email !== undefined) texts.push(['address', organization, normalizeEmail(email)]);
  return texts.map((text) => secrets.hmac(`artifact:${KIND}`, JSON.stringify(text)));
}
