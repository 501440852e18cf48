/**
 * Rosters that operators declared complete: each person whom the legacy system knows has an account here, so a
 * person without one is a stranger to it.
 */
import { changeRecord } from '../../core/change-record.ts';
import type { MetadataStore } from '../../store/ports/installation.ts';

interface Declared {
  readonly at: string;
  /** SHA-256 of the file. */
  readonly file: string;
}

/** By dialect. */
type Rosters = Readonly<Record<string, Declared>>;

const nameOf = (organization: string) => `roster:${organization}`;

export async function hasCompleteRoster(
  metadata: Pick<MetadataStore, 'get'>,
  { organization, dialect }: { readonly organization: string; readonly dialect: string },
): Promise<boolean> {
  const text = await metadata.get(nameOf(organization));
  return text !== undefined && Object.hasOwn(JSON.parse(text), dialect);
}

export async function declareComplete(
  metadata: MetadataStore,
  declared: {
    readonly organization: string;
    readonly dialect: string;
    readonly file: string;
    readonly at: Date;
  },
): Promise<void> {
  const { organization, dialect, file, at } = declared;
  await changeRecord<Rosters>(metadata, nameOf(organization), (present) => ({
    ...present,
    [dialect]: { file, at: at.toISOString() },
  }));
}
