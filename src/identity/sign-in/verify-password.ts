/**
 * Asks whether a password is an account's, in a time that does not tell what kind of hash it has. Which kinds
 * an organization holds beside our own is in the metadata of the store: a blank hash of each, the costliest one. It is
 * noted when hashes are imported, and at the first start on a store that was filled before there were notes.
 */
import type { Stores } from '../../store/ports/stores.ts';
import type { Identity } from '../context.ts';
import type { HashReading } from '../hashes/hash-family.ts';
import { readHash } from '../hashes/read-hash.ts';
import type { Verdict } from '../passwords/hasher.ts';

/** `hash` undefined: wrong, after the same work. `admitted`: whether the account may come in at all. */
export async function verifyPassword(
  identity: Identity,
  input: {
    organization: string;
    hash: string | undefined;
    password: string;
    admitted: boolean;
  },
): Promise<Verdict> {
  const { organization, hash, password, admitted } = input;
  const decoys = await decoysOf(identity.stores, organization);
  return identity.hasher.verify(password, hash, { decoys, admitted });
}

/** Before the accounts are stored whose hashes they are. */
export async function noteHashes(
  stores: Pick<Stores, 'metadata'>,
  organization: string,
  hashes: readonly string[],
): Promise<void> {
  const decoys = await decoysOf(stores, organization);
  const costliest = costliestOfEach([...decoys, ...hashes]);
  if (costliest.join() === decoys.join()) return;
  await stores.metadata.set(hashKindsKey(organization), JSON.stringify(costliest));
}

/** Once in the life of a store. */
export async function noteStoredHashes(stores: Stores): Promise<void> {
  if ((await stores.metadata.get(NOTED)) !== undefined) return;
  for (const { id } of await stores.organizations.list()) {
    for (let after: string | undefined; ; ) {
      const page = await stores.accounts.page(id, { limit: PAGE, ...(after !== undefined && { after }) });
      const hashes = page.flatMap(({ passwordHash }) => passwordHash ?? []);
      await noteHashes(stores, id, hashes);
      after = page.at(-1)?.id;
      if (page.length < PAGE || after === undefined) break;
    }
  }
  await stores.metadata.set(NOTED, 'yes');
}

const PAGE = 500;
const NOTED = 'password-hashes-noted';

function hashKindsKey(organization: string): string {
  return `password-hashes:${organization}`;
}

async function decoysOf({ metadata }: Pick<Stores, 'metadata'>, organization: string): Promise<string[]> {
  return JSON.parse((await metadata.get(hashKindsKey(organization))) ?? '[]') as string[];
}

/** Blank ones. */
function costliestOfEach(hashes: readonly string[]): string[] {
  const result = new Map<string, HashReading>();
  for (const hash of hashes) {
    const reading = readHash(hash);
    if (reading === undefined || reading.work <= (result.get(reading.kind)?.work ?? 0)) continue;
    result.set(reading.kind, reading);
  }
  return [...result.values()].map(({ blank }) => blank);
}
