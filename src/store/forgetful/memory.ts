/** What one rehearsal has written, laid over what the real store holds. */
import type { AccountRecord } from '../../model/account.ts';
import type { ApiKeyRecord } from '../../model/api-key.ts';
import type { IdentityRecord } from '../../model/upstream-identity.ts';
import type { LeaseRecord } from '../ports/leases.ts';
import type { LinkTokenRecord } from '../ports/link-tokens.ts';
import type { StoredOidcRecord } from '../ports/oidc-records.ts';
import type { PresenceRecord } from '../ports/presence.ts';

/** What a rehearsal looked for in the real store in vain. */
export type Missed = 'person' | 'token' | 'api-key' | 'link-token';

type Named<Stored> = Stored & { readonly key: string };

/** By key; undefined: removed. */
export type Table<Stored> = Map<string, Stored | undefined>;

export interface Memory {
  readonly accounts: Table<AccountRecord>;
  readonly identities: Table<IdentityRecord>;
  readonly apiKeys: Table<ApiKeyRecord>;
  readonly oidcRecords: Table<StoredOidcRecord & { readonly kind: string }>;
  readonly linkTokens: Table<Named<LinkTokenRecord>>;
  readonly leases: Table<LeaseRecord>;
  readonly presence: Table<Named<PresenceRecord>>;
  readonly metadata: Table<{ readonly key: string; readonly value: string }>;
  /** Of the real store: what hangs on these is gone. */
  readonly endedGrants: { readonly kind: string | undefined; readonly grantId: string }[];
  readonly endedLinks: { readonly accountId: string; readonly purpose: string | undefined }[];
  readonly missed: Set<Missed>;
  /** People whom the real store led to. */
  readonly people: AccountRecord[];
}

export function emptyMemory(): Memory {
  return {
    accounts: new Map(),
    identities: new Map(),
    apiKeys: new Map(),
    oidcRecords: new Map(),
    linkTokens: new Map(),
    leases: new Map(),
    presence: new Map(),
    metadata: new Map(),
    endedGrants: [],
    endedLinks: [],
    missed: new Set(),
    people: [],
  };
}

export interface Layer<Stored> {
  /** The record that `fits`: the rehearsal's own, else the real store's, unless it was replaced or removed. */
  one(
    fits: (stored: Stored) => boolean,
    read: () => Promise<Stored | undefined>,
  ): Promise<Stored | undefined>;
  all(fits: (stored: Stored) => boolean, read: () => Promise<Stored[]>): Promise<Stored[]>;
  put(stored: Stored): void;
  /** True if it was there. */
  remove(found: Stored | undefined): boolean;
}

/** The same for every port: `table` of the rehearsal under way over whatever `read` gives. */
export function layer<Stored>(
  table: () => Table<Stored>,
  keyOf: (stored: Stored) => string,
  hasEnded: (stored: Stored) => boolean = () => false,
): Layer<Stored> {
  const standing = (stored: Stored) => !table().has(keyOf(stored)) && !hasEnded(stored);
  const own = (fits: (stored: Stored) => boolean) =>
    [...table().values()].filter((stored) => stored !== undefined).filter(fits);
  return {
    async one(fits, read) {
      const [mine] = own(fits);
      if (mine !== undefined) return structuredClone(mine);
      const stored = await read();
      return stored !== undefined && standing(stored) ? stored : undefined;
    },
    all: async (fits, read) => [...(await read()).filter(standing), ...structuredClone(own(fits))],
    put: (stored) => void table().set(keyOf(stored), structuredClone(stored)),
    remove(found) {
      if (found !== undefined) table().set(keyOf(found), undefined);
      return found !== undefined;
    },
  };
}
