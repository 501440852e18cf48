/**
 * Rosters that operators declared complete: each person whom the legacy system knows has an account here, so a
 * person without one is a stranger to it.
 */
import type { MetadataStore } from '../../store/ports/installation.ts';

interface Declared {
  readonly at: string;
  /** SHA-256 of the file. */
  readonly file: string;
}

const nameOf = (organization: string) => `roster:${organization}`;

export async function hasCompleteRoster(
  metadata: Pick<MetadataStore, 'get'>,
  { organization, dialect }: { readonly organization: string; readonly dialect: string },
): Promise<boolean> {
  return Object.hasOwn(read(await metadata.get(nameOf(organization))), dialect);
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
  for (;;) {
    const before = await metadata.get(nameOf(organization));
    const value = JSON.stringify({ ...read(before), [dialect]: { file, at: at.toISOString() } });
    const isStored =
      before === undefined
        ? await metadata.setOnce(nameOf(organization), value)
        : await metadata.replace(nameOf(organization), before, value);
    if (isStored) return;
  }
}

/** By dialect. */
function read(stored: string | undefined): Record<string, Declared> {
  return stored === undefined ? {} : JSON.parse(stored);
}
