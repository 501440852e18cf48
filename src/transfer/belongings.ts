/** What hangs on a person's account: upstream identities and API keys. They are added, never taken away. */
import { randomUUID } from '../core/crypto.ts';
import { hashOfDigest } from '../identity/accounts/api-keys.ts';
import type { IdentityRecord } from '../model/upstream-identity.ts';
import type { ImportContext } from './place-people.ts';
import type { PersonRow } from './row.ts';

/** The accounts that have them now. */
export async function ownersOf({ stores, secrets, organization }: ImportContext, row: PersonRow) {
  const { identities = [], api_keys: keys = [] } = row;
  const links = await Promise.all(
    identities.map(({ issuer, subject }) => stores.identities.find(organization, issuer, subject)),
  );
  const owned = await Promise.all(
    keys.flatMap(({ id, sha256 }) => [
      stores.apiKeys.byHash(hashOfDigest({ secrets }, sha256)),
      ...(id === undefined ? [] : [stores.apiKeys.byId(id)]),
    ]),
  );
  return {
    linked: [...new Set(links.flatMap((link) => link?.accountId ?? []))],
    keyed: owned.flatMap((key) => (key === undefined ? [] : [key.accountId ?? ''])),
  };
}

/** How many of them are new. */
export async function missingBelongings(context: ImportContext, row: PersonRow): Promise<number> {
  const { stores, secrets, organization } = context;
  const { identities = [], api_keys: keys = [] } = row;
  const found: unknown[] = await Promise.all([
    ...identities.map(({ issuer, subject }) => stores.identities.find(organization, issuer, subject)),
    ...keys.map(({ sha256 }) => stores.apiKeys.byHash(hashOfDigest({ secrets }, sha256))),
  ]);
  return found.filter((one) => one === undefined).length;
}

/** Resolves with how many were new. */
export async function addBelongings(
  context: ImportContext,
  row: PersonRow,
  accountId: string,
): Promise<number> {
  const { stores, secrets, organization, clock, dialect: vendor = '' } = context;
  const { identities = [], api_keys: keys = [] } = row;
  let count = 0;
  for (const identity of identities) {
    const record: IdentityRecord = { organization, ...identity, accountId, createdAt: clock.now() };
    if ((await stores.identities.link(record)) === 'linked') count += 1;
  }
  for (const { id = randomUUID(), name, sha256, scopes = [], expires_at: expiresAt } of keys) {
    const outcome = await stores.apiKeys.insert({
      ...{ id, organization, vendor, name, accountId, scopes, createdAt: clock.now() },
      keyHash: hashOfDigest({ secrets }, sha256),
      ...(expiresAt && { expiresAt }),
    });
    if (outcome === 'inserted') count += 1;
  }
  return count;
}
