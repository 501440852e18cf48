/**
 * Where the move away from a legacy system stands, as it is stored: one record for each dialect, so that one read says
 * everything about it and one compare-and-set changes it. Where passwords go (URL, address) is never in it: an
 * attacker who can write the store cannot redirect a password.
 */
import type { MetadataStore } from '../store/ports/installation.ts';

/**
 * Who answers a vendor's routes, and who is asked about people and tokens that are unknown here. `proxy`, `shadow`:
 * the legacy system answers. `primary`: Portico answers and asks the legacy system. `standalone`: Portico alone.
 */
export const STAGES = ['proxy', 'shadow', 'primary', 'standalone'] as const;
export type Stage = (typeof STAGES)[number];

/** Stands for every organization, and for every endpoint. */
export const ALL = '*';

export interface StageRecord {
  /** By organization or '*', then by endpoint ('GET /me') or '*'. */
  readonly stages: Readonly<Record<string, Readonly<Record<string, Stage>>>>;
  /** Until then the legacy system counts as away: the rehearsal of its end. ISO 8601. */
  readonly awayUntil?: string;
}

/** Whom a stage is for. */
export interface StagePlace {
  readonly organization?: string | undefined;
  /** Method and path of the endpoint table. */
  readonly endpoint?: string | undefined;
}

const NONE: StageRecord = { stages: {} };

const nameOf = (dialect: string) => `migration:${dialect}`;

function recordFrom(text: string | undefined): StageRecord {
  return text === undefined ? NONE : { ...NONE, ...JSON.parse(text) };
}

/** Nothing is told of a dialect whose stage no command has ever changed. */
export async function readStageRecord(
  metadata: Pick<MetadataStore, 'get'>,
  dialect: string,
): Promise<StageRecord> {
  return recordFrom(await metadata.get(nameOf(dialect)));
}

/** Of operators who change it at once each change counts. Resolves with the record as it is now. */
export async function changeStageRecord(
  metadata: MetadataStore,
  dialect: string,
  change: (record: StageRecord) => StageRecord,
): Promise<StageRecord> {
  const name = nameOf(dialect);
  for (;;) {
    const before = await metadata.get(name);
    const record = change(recordFrom(before));
    const text = JSON.stringify(record);
    const written =
      before === undefined ? await metadata.setOnce(name, text) : await metadata.replace(name, before, text);
    if (written) return record;
  }
}

/** `stage` undefined: what stands for the wider place counts here again. */
export function withStage(record: StageRecord, place: StagePlace, stage: Stage | undefined): StageRecord {
  const { organization = ALL, endpoint = ALL } = place;
  const own = Object.entries({ ...record.stages[organization], [endpoint]: stage });
  const kept = Object.fromEntries(own.filter((entry): entry is [string, Stage] => entry[1] !== undefined));
  const { [organization]: _, ...others } = record.stages;
  const stages = Object.keys(kept).length === 0 ? others : { ...others, [organization]: kept };
  return { ...record, stages };
}

/** The most specific stage wins; an organization is more specific than an endpoint. */
export function stageAt({ stages }: StageRecord, { organization = ALL, endpoint = ALL }: StagePlace) {
  const [own, all] = [stages[organization], stages[ALL]];
  return own?.[endpoint] ?? own?.[ALL] ?? all?.[endpoint] ?? all?.[ALL];
}
