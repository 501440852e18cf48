/** The legacy systems of the dialects, loaded only where the configuration names one. */
import type { Config } from '../config/schema.ts';
import { OperatorError } from '../core/errors.ts';
import type { Dialect } from '../dialects/contract/dialect.ts';
import type { LegacyTraffic } from '../dialects/runtime/legacy-traffic.ts';
import { type MountedDialect, parseSettings } from '../dialects/runtime/mounted.ts';
import type { Identity } from '../identity/context.ts';
import type { LegacyCalls } from '../legacy/legacy-systems.ts';
import type { Stages } from '../migration/stages.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { GrantIssuer } from '../oidc/grant-contract.ts';
import { type Lifecycle, repeat } from './lifecycle.ts';

/** Milliseconds between two looks at what the commands wrote: they act on every node within five seconds. */
const STAGES_EVERY = 2000;

export interface OpenLegacy {
  readonly systems: LegacyCalls;
  /** What passes through in stage proxy. */
  readonly traffic: LegacyTraffic;
  /** What a request says that this server itself has sent out. */
  readonly via: string;
  /** Once the seeds are loaded: throws LegacyRefused with everything that the store says against the configuration. */
  judge(): Promise<void>;
}

export class LegacyRefused extends OperatorError {
  override readonly name = 'LegacyRefused';
  constructor(issues: readonly string[]) {
    super(`The legacy systems cannot be asked:\n${issues.map((issue) => `  ${issue}`).join('\n')}`);
  }
}

export async function openLegacy(options: {
  readonly config: Config;
  readonly dialects: readonly Dialect[];
  readonly identity: Identity;
  readonly grants: GrantIssuer;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
  /** On which this server listens. */
  readonly ownPorts: readonly number[];
}): Promise<OpenLegacy | undefined> {
  const { config, identity, grants, metrics, lifecycle } = options;
  const mounted = parseSettings(options.dialects, config.dialects);
  const configured = mounted.flatMap(({ dialect, legacy }) =>
    legacy ? [[dialect.name, legacy] as const] : [],
  );
  if (configured.length === 0) return undefined;
  const [{ createLearner }, { createLegacySystems }, { viaOf }, { openStages }] = await Promise.all([
    import('../legacy/learn.ts'),
    import('../legacy/legacy-systems.ts'),
    import('../legacy/loop.ts'),
    import('../migration/stages.ts'),
  ]);
  const { stores, clock, log, secrets, issuer } = identity;
  const stages = await openStages({
    ...{ metadata: stores.metadata, clock },
    configured: new Map(configured),
  });
  repeat(lifecycle, 'migration stages', STAGES_EVERY, log, () => stages.refresh());
  const via = viaOf(secrets, issuer);
  const systems = createLegacySystems({ ...options, mounted, stages, via });
  lifecycle.onClose('work', 'legacy systems', () => systems.close());
  const learner = createLearner({
    ...{ identity, calls: systems, grants, issuer },
    count: metrics.legacyLearned,
  });
  lifecycle.onClose('work', 'learning from legacy systems', () => learner.close());
  const traffic: LegacyTraffic = {
    stageOf: stages.of,
    differsByOrganization: stages.differByOrganization,
    send: ({ dialect }, request) => systems.send(dialect.name, request),
    learn: learner.learn,
  };
  const judge = async () => {
    const issues = await Promise.all(mounted.map((each) => issuesOf(each, { config, identity, stages })));
    if (issues.flat().length > 0) throw new LegacyRefused(issues.flat());
  };
  return { systems, traffic, via, judge };
}

async function issuesOf(
  mounted: MountedDialect,
  { config, identity, stages }: { config: Config; identity: Identity; stages: Stages },
): Promise<string[]> {
  const { legacy, dialect } = mounted;
  if (legacy === undefined) return [];
  const [{ organizationsOf, candidateOf }, { whyNotPrimary }] = await Promise.all([
    import('../legacy/serves.ts'),
    import('../migration/readiness.ts'),
  ]);
  const { stores } = identity;
  const served = await organizationsOf(mounted, identity);
  const primary = served.filter((organization) => stages.of(dialect.name, { organization }) === 'primary');
  const all = new Set((await stores.organizations.list()).map(({ id }) => id));
  const unknown = legacy.organizations?.filter((id) => !all.has(id)) ?? [];
  return [
    ...unknown.map((id) => `dialects.${dialect.name}.legacy.organizations: there is no organization ${id}`),
    ...(await whyNotPrimary(
      candidateOf(mounted, { config, metadata: stores.metadata, organizations: primary }),
    )),
  ];
}
