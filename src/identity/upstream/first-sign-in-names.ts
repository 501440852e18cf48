/**
 * Names that an upstream sends once (Apple, at the very first sign-in): kept until there is an account to
 * put them on, because the first try may end at a page that asks for more. Encrypted, and keyed by the identity.
 */
import type { ProfileClaims } from '../../model/account.ts';
import type { Identity } from '../context.ts';

const PURPOSE = 'upstream-names';
/** Milliseconds. Who does not come back in a month has to type. */
const KEPT_FOR = 30 * 24 * 3600 * 1000;

interface Whose {
  readonly organization: string;
  readonly issuer: string;
  readonly subject: string;
}

export type UpstreamNames = Pick<ProfileClaims, 'name' | 'given_name' | 'family_name'>;

export async function keepNames(identity: Identity, whose: Whose, names: UpstreamNames): Promise<void> {
  if (Object.keys(names).length === 0) return;
  const hash = hashOf(identity, whose);
  const now = identity.clock.now();
  await identity.stores.linkTokens.put(hash, {
    purpose: PURPOSE,
    organization: whose.organization,
    data: identity.secrets.encrypt(JSON.stringify(names), `${PURPOSE}:${hash}`),
    createdAt: now,
    expiresAt: new Date(now.getTime() + KEPT_FOR),
  });
}

/** What was kept, and nothing is kept any more. */
export async function takeNames(identity: Identity, whose: Whose): Promise<UpstreamNames> {
  const hash = hashOf(identity, whose);
  const linkToken = await identity.stores.linkTokens.spend(hash, PURPOSE, identity.clock.now());
  if (linkToken === undefined) return {};
  return JSON.parse(identity.secrets.decrypt(linkToken.data, `${PURPOSE}:${hash}`)) as UpstreamNames;
}

function hashOf(identity: Identity, { organization, issuer, subject }: Whose): string {
  return identity.secrets.hmac(PURPOSE, JSON.stringify([organization, issuer, subject]));
}
