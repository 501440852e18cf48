/**
 * Where the move away from a legacy system stands, as it is stored: one record for each dialect, so that one read says
 * everything about it and one compare-and-set changes it. Where passwords go (URL, address) is never in it: an
 * attacker who can write the store cannot redirect a password.
 */
import { changeRecord } from '../core/change-record.ts';
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
  /** An operator has stopped all brown-outs. */
  readonly brownOutsStopped?: boolean;
}

/** Whom a stage is for. */
export interface StagePlace {
  readonly organization?: string | undefined;
  /** Method and path of the endpoint table. */
  readonly endpoint?: string | undefined;
}

const NONE: StageRecord = { stages: {} };

const nameOf = (dialect: string) => `migration:${dialect}`;

/** Nothing is told of a dialect whose stage no command has ever changed. */
export async function readStageRecord(
  metadata: Pick<MetadataStore, 'get'>,
  dialect: string,
): Promise<StageRecord> {
  const text = await metadata.get(nameOf(dialect));
  return text === undefined ? NONE : JSON.parse(text);
}

/** Of operators who change it at once each change counts. Resolves with the record as it is now. */
export function changeStageRecord(
  metadata: MetadataStore,
  dialect: string,
  change: (record: StageRecord) => StageRecord,
): Promise<StageRecord> {
  return changeRecord<StageRecord>(metadata, nameOf(dialect), (present = NONE) => change(present));
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
