/** The legacy systems of the dialects, loaded only where the configuration names one. */
import type { Config } from '../config/schema.ts';
import { randomUUID } from '../core/crypto.ts';
import { OperatorError } from '../core/errors.ts';
import type { Dialect } from '../dialects/contract/dialect.ts';
import type { LegacyTraffic } from '../dialects/runtime/legacy-traffic.ts';
import { type MountedDialect, parseSettings } from '../dialects/runtime/mounted.ts';
import type { Identity } from '../identity/context.ts';
import { behindSignIns } from '../identity/passwords/hasher.ts';
import type { LegacyCalls } from '../legacy/legacy-systems.ts';
import type { Sightings } from '../migration/sightings.ts';
import type { Stages } from '../migration/stages.ts';
import type { Audit } from '../observe/audit.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { GrantIssuer } from '../oidc/grant-contract.ts';
import type { Usage } from '../usage/usage.ts';
import { type Lifecycle, repeat } from './lifecycle.ts';
import type { createRehearsals } from './shadow.ts';

/** Milliseconds. So often this node reads what commands wrote, and stores what it has seen. */
const EVERY_TWO_SECONDS = 2000;

export interface OpenLegacy {
  readonly systems: LegacyCalls;
  /** The audit trail, which also counts what it says of legacy systems. */
  readonly audit: Audit;
  /** What passes through in stages proxy and shadow. `services`: those that answer requests. */
  trafficFor(services: Parameters<typeof createRehearsals>[0]): Promise<LegacyTraffic>;
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
  readonly usage: Pick<Usage, 'person'>;
  readonly lifecycle: Lifecycle;
  /** On which this server listens. */
  readonly ownPorts: readonly number[];
}): Promise<OpenLegacy | undefined> {
  const { config, grants, metrics, usage, lifecycle } = options;
  const mounted = parseSettings(options.dialects, config.dialects);
  const configured = mounted.flatMap(({ dialect, legacy }) =>
    legacy ? [[dialect.name, legacy] as const] : [],
  );
  if (configured.length === 0) return undefined;
  const [{ createLearner }, { createLegacySystems }, { viaOf }, { openStages }, { createSightings }] =
    await Promise.all([
      import('../legacy/learn.ts'),
      import('../legacy/legacy-systems.ts'),
      import('../legacy/loop.ts'),
      import('../migration/stages.ts'),
      import('../migration/sightings.ts'),
    ]);
  const { stores, clock, log, secrets, issuer } = options.identity;
  const stages = await openStages({
    ...{ metadata: stores.metadata, clock },
    configured: new Map(configured),
  });
  repeat(lifecycle, 'migration stages', EVERY_TWO_SECONDS, log, () => stages.refresh());
  const sightings = createSightings({ metadata: stores.metadata, clock, node: randomUUID() });
  repeat(lifecycle, 'sightings of legacy systems', EVERY_TWO_SECONDS, log, () => sightings.flush());
  lifecycle.onClose('audit', 'sightings of legacy systems', () => sightings.leave());
  const names = configured.map(([name]) => name);
  const audit = noting(options.identity.audit, { sightings, names, isAway: stages.isAway });
  const identity = { ...options.identity, audit };
  const via = viaOf(secrets, issuer);
  const systems = createLegacySystems({ ...options, identity, mounted, stages, via, sightings });
  lifecycle.onClose('work', 'legacy systems', () => systems.close());
  const learner = createLearner({
    ...{ calls: systems, grants, issuer },
    identity: { ...identity, hasher: behindSignIns(identity.hasher) },
    count(dialect, outcome) {
      metrics.legacyLearned(dialect, outcome);
      if (outcome === 'learned') sightings.learned(dialect);
    },
    saw: usage.person,
  });
  lifecycle.onClose('work', 'learning from legacy systems', () => learner.close());
  const trafficFor: OpenLegacy['trafficFor'] = async (services) => {
    const { openShadow } = await import('./shadow.ts');
    const shadow = await openShadow(services, { lifecycle, metrics, learn: learner.learnNow });
    return {
      stageOf: stages.of,
      differsByOrganization: stages.differByOrganization,
      send({ dialect }, request, options) {
        if (options?.limited !== true) sightings.arrived(dialect.name, request.host);
        return systems.send(dialect.name, request, options);
      },
      asksToo: ({ legacy }) => Math.random() < (legacy?.shadow.reads ?? 0),
      compare: (exchange, here) => shadow.compareRead({ exchange, here }),
      learn: (exchange) => (exchange.stage === 'shadow' ? shadow.follow(exchange) : learner.learn(exchange)),
    };
  };
  const judge = async () => {
    const issues = await Promise.all(mounted.map((each) => issuesOf(each, { config, identity, stages })));
    if (issues.flat().length > 0) throw new LegacyRefused(issues.flat());
  };
  return { systems, audit, trafficFor, via, judge };
}

/** Every way in writes to the audit trail, so that is where adoptions are counted, and whom a rehearsed end refuses. */
function noting(
  audit: Audit,
  at: { readonly sightings: Sightings; readonly names: readonly string[]; isAway(dialect: string): boolean },
): Audit {
  const { sightings, names, isAway } = at;
  return {
    ...audit,
    write(entry) {
      audit.write(entry);
      const { event, outcome, subject, detail = {} } = entry;
      if (event === 'token.adopt' && outcome === 'success') sightings.adopted(String(detail.dialect));
      if (event !== 'sign-in' || outcome !== 'refused' || detail.confirmed !== 'away') return;
      const away = names.filter((name) => isAway(name) && ['hosted', name].includes(String(detail.channel)));
      for (const name of away) if (subject !== undefined) sightings.refused(name, subject);
    },
  };
}

/** Also for a command, which asks none of them. */
export function legacyDialects(dialects: Config['dialects']): string[] {
  return Object.entries(dialects).flatMap(([name, { legacy }]) => (legacy === undefined ? [] : [name]));
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
