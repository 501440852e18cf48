/** Whether an operator has stopped the brown-outs of a dialect. Read every two seconds, beside the requests. */
import type { MetadataStore } from '../store/ports/installation.ts';
import { readStageRecord } from './stage-record.ts';

export interface BrownOutStops {
  areStopped(dialect: string): boolean;
  refresh(): Promise<void>;
}

export async function openBrownOutStops(
  metadata: Pick<MetadataStore, 'get'>,
  dialects: readonly string[],
): Promise<BrownOutStops> {
  const stopped = new Set<string>();
  const refresh = async () => {
    for (const dialect of dialects) {
      const { brownOutsStopped } = await readStageRecord(metadata, dialect);
      if (brownOutsStopped) stopped.add(dialect);
      else stopped.delete(dialect);
    }
  };
  await refresh();
  return { areStopped: (dialect) => stopped.has(dialect), refresh };
}
