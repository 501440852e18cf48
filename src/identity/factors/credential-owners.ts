/**
 * Which account a credential belongs to: to one at most, over all organizations (WebAuthn 7.1, 26). Stored beside the
 * links to upstreams, whose index keeps a credential from two accounts, under a holder that no list of links shows.
 */
import type { AccountRecord } from '../../model/account.ts';
import { passkeyHolder, passkeysOf } from '../../model/factors.ts';
import type { Identity } from '../context.ts';

const PLACE = { organization: '*', issuer: 'passkey' } as const;

/** Milliseconds that a registration takes at most: an older claim of an account without the passkey was left behind. */
const SETTLED = 60_000;

/**
 * Of parallel claims one wins. A claim is taken over where its account no longer has the passkey. False: the credential
 * is another account's.
 */
export async function claimCredential(
  identity: Identity,
  account: AccountRecord,
  id: string,
): Promise<boolean> {
  const { identities } = identity.stores;
  const createdAt = identity.clock.now();
  const record = { ...PLACE, subject: id, accountId: passkeyHolder(account.id), createdAt };
  for (let tries = 0; tries < 3; tries += 1) {
    if ((await identities.link(record)) === 'linked') return true;
    const held = await identities.find(PLACE.organization, PLACE.issuer, id);
    if (held === undefined) continue;
    if (held.accountId === record.accountId) return true;
    const owner = await holderOf(identity, held);
    const isTheirs = owner !== undefined && passkeysOf(owner).some((passkey) => passkey.id === id);
    if (isTheirs || createdAt.getTime() - held.createdAt.getTime() < SETTLED) return false;
    await releaseCredential(identity, id);
  }
  return false;
}

export async function ownerOfCredential(identity: Identity, id: string): Promise<AccountRecord | undefined> {
  const held = await identity.stores.identities.find(PLACE.organization, PLACE.issuer, id);
  return held && holderOf(identity, held);
}

export async function releaseCredential({ stores }: Identity, id: string): Promise<void> {
  await stores.identities.unlink(PLACE.organization, PLACE.issuer, id);
}

function holderOf({ stores }: Identity, { accountId }: { accountId: string }) {
  return stores.accounts.byId(accountId.slice(passkeyHolder('').length));
}
