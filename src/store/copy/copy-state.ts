/** Where a copy stands: a fact of the target. While it is there and not finished, no server starts on it. */

import { StoreUnusable } from '../../core/errors.ts';
import type { DumpSubject } from '../ports/dump.ts';
import type { Stores } from '../ports/stores.ts';

const METADATA_NAME = 'store-copy';

export interface CopyState {
  /** Of the source, all of it, when the copy began. */
  readonly digest: string;
  readonly startedAt: string;
  /** What is to be copied next; absent at the beginning. */
  readonly position:
    | { readonly subject: DumpSubject; readonly after: string | undefined; readonly done: number }
    | undefined;
  readonly finishedAt?: string;
}

type Target = Pick<Stores, 'metadata'>;

export async function readState({ metadata }: Target): Promise<CopyState | undefined> {
  const text = await metadata.get(METADATA_NAME);
  return text === undefined ? undefined : JSON.parse(text);
}

export async function writeState({ metadata }: Target, state: CopyState): Promise<void> {
  await metadata.set(METADATA_NAME, JSON.stringify(state));
}

/** Throws StoreUnusable: half of the accounts, or tokens whose grant is missing, would be served. */
export async function refuseUnfinishedCopy(target: Target): Promise<void> {
  const state = await readState(target);
  if (state === undefined || state.finishedAt !== undefined) return;
  throw new StoreUnusable(
    'distributed',
    `The copy into this store, which began at ${state.startedAt}, is not finished. Run the same ` +
      '`portico store copy` again: it goes on where it stopped.',
  );
}
