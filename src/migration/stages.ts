/**
 * In which stage a request is. The records are read every two seconds, beside the requests: no request waits for
 * them, and a change acts on every node within five seconds. While the store is away the last known ones count.
 */
import type { Clock } from '../core/clock.ts';
import type { MetadataStore } from '../store/ports/installation.ts';
import {
  ALL,
  readStageRecord,
  type Stage,
  type StagePlace,
  type StageRecord,
  stageAt,
} from './stage-record.ts';

/** What the configuration says of a dialect with a legacy system. */
export interface ConfiguredStage {
  /** Counts until a command says something else. */
  readonly stage: Stage;
  /** Whose people the legacy system knows. Absent: those of every organization. */
  readonly organizations?: readonly string[] | undefined;
}

export interface Stages {
  /**
   * Undefined: the dialect has no legacy system, or none for the organization. Without an organization, or an
   * endpoint: what stands for all of them.
   */
  of(dialect: string, place?: StagePlace): Stage | undefined;
  /** Whether the legacy system is asked about people and tokens of the organization: an endpoint at least is in stage primary. */
  asks(dialect: string, organization: string): boolean;
  /** Whether the stage depends on the organization, so that a request's has to be known first. */
  differByOrganization(dialect: string): boolean;
  /** Whether the legacy system counts as away: an operator rehearses its end. */
  isAway(dialect: string): boolean;
  /** Reads the records again; the server calls it every two seconds. */
  refresh(): Promise<void>;
}

/** `configured`: the dialects with a legacy system, by name. */
export async function openStages(options: {
  readonly metadata: Pick<MetadataStore, 'get'>;
  readonly clock: Clock;
  readonly configured: ReadonlyMap<string, ConfiguredStage>;
}): Promise<Stages> {
  const { metadata, clock, configured } = options;
  const known = new Map<string, StageRecord>();
  const refresh = async () => {
    for (const dialect of configured.keys()) known.set(dialect, await readStageRecord(metadata, dialect));
  };
  await refresh();
  const of: Stages['of'] = (dialect, place = {}) => {
    const [configuration, record] = [configured.get(dialect), known.get(dialect)];
    if (configuration === undefined || record === undefined) return undefined;
    const { stage, organizations } = configuration;
    const { organization } = place;
    if (organization !== undefined && organizations?.includes(organization) === false) return undefined;
    return stageAt(record, place) ?? stage;
  };
  return {
    of,
    asks(dialect, organization) {
      const { stages = {} } = known.get(dialect) ?? {};
      const endpoints = [stages[organization], stages[ALL]].flatMap((own) => Object.keys(own ?? {}));
      return [ALL, ...endpoints].some((endpoint) => of(dialect, { organization, endpoint }) === 'primary');
    },
    differByOrganization(dialect) {
      const named = Object.keys(known.get(dialect)?.stages ?? {}).some(
        (organization) => organization !== ALL,
      );
      return named || configured.get(dialect)?.organizations !== undefined;
    },
    isAway(dialect) {
      const until = known.get(dialect)?.awayUntil;
      return until !== undefined && clock.now() < new Date(until);
    },
    refresh,
  };
}
