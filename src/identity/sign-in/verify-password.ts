/**
 * Asks whether a password is an account's, in a time that does not tell what kind of hash it has. Which kinds
 * an organization holds beside our own is in the metadata of the store: a blank hash of each, the costliest one. It is
 * noted when hashes are imported, and at the first start on a store that was filled before there were notes.
 */
import { OperatorError } from '../../core/errors.ts';
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
  const decoys = () => decoysOf(identity.stores, organization);
  return identity.hasher.verify(password, hash, { decoys, admitted });
}

/** Each refused sign-in does the work of so many kinds, at the most. */
export const MOST_KINDS = 16;

/** Before the accounts are stored whose hashes they are. OperatorError when they are of too many kinds. */
export async function noteHashes(
  stores: Pick<Stores, 'metadata'>,
  organization: string,
  hashes: readonly string[],
  most = MOST_KINDS,
): Promise<void> {
  const { metadata } = stores;
  const key = hashKindsKey(organization);
  for (;;) {
    const before = await metadata.get(key);
    const decoys: string[] = JSON.parse(before ?? '[]');
    const costliest = costliestOfEach([...decoys, ...hashes]);
    if (costliest.join() === decoys.join()) return;
    if (costliest.length > Math.max(most, decoys.length))
      throw new OperatorError(
        `Password hashes of ${costliest.length} kinds would be in ${organization}, more than ${most}.`,
      );
    // Another import may have noted its own meanwhile.
    const value = JSON.stringify(costliest);
    if (await (before === undefined ? metadata.setOnce(key, value) : metadata.replace(key, before, value)))
      return;
  }
}

/** The kinds that the organization holds beside our own. */
export async function hashKinds(
  stores: Pick<Stores, 'metadata'>,
  organization: string,
): Promise<Set<string>> {
  const decoys = await decoysOf(stores, organization);
  return new Set(decoys.flatMap((decoy) => readHash(decoy)?.kind ?? []));
}

/** Once in the life of a store. */
export async function noteStoredHashes(stores: Stores): Promise<void> {
  if ((await stores.metadata.get(NOTED)) !== undefined) return;
  for (const { id } of await stores.organizations.list()) {
    for (let after: string | undefined; ; ) {
      const page = await stores.accounts.page(id, { limit: PAGE, ...(after !== undefined && { after }) });
      const hashes = page.flatMap(({ passwordHash }) => passwordHash ?? []);
      // They are there, however many.
      await noteHashes(stores, id, hashes, Number.POSITIVE_INFINITY);
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
