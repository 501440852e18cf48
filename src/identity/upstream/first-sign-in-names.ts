/**
 * Names that an upstream sends once (Apple, at the very first sign-in): kept until there is an account to
 * put them on, because the first try may end at a page that asks for more. Encrypted, and keyed by the identity.
 */
import type { ProfileClaims } from '../../model/account.ts';
import { keepRecord, openRecord } from '../codes/encrypted-record.ts';
import type { Identity } from '../context.ts';

/** Seconds. Who does not come back in a month has to type. */
const KEPT_FOR = 30 * 24 * 3600;

interface Whose {
  readonly organization: string;
  readonly issuer: string;
  readonly subject: string;
}

export type UpstreamNames = Pick<ProfileClaims, 'name' | 'given_name' | 'family_name'>;

export async function keepNames(identity: Identity, whose: Whose, names: UpstreamNames): Promise<void> {
  if (Object.keys(names).length === 0) return;
  const { organization } = whose;
  await keepRecord(identity, { ...placeOf(whose), organization, lifetime: KEPT_FOR, data: { ...names } });
}

/** What was kept, and nothing is kept any more. */
export async function takeNames(identity: Identity, whose: Whose): Promise<UpstreamNames> {
  return (await openRecord(identity, 'spend', placeOf(whose)))?.data ?? {};
}

function placeOf({ organization, issuer, subject }: Whose) {
  const kind = 'upstream-names' as const;
  return { kind, purpose: kind, secret: JSON.stringify([organization, issuer, subject]) };
}
