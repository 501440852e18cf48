/** Whose people a legacy system is asked about. */
import type { Config } from '../config/schema.ts';
import type { OrganizationView } from '../dialects/contract/dialect.ts';
import { directoryOf } from '../dialects/runtime/directory.ts';
import type { MountedDialect } from '../dialects/runtime/mounted.ts';
import type { Identity } from '../identity/context.ts';
import { hasCompleteRoster } from '../identity/legacy/complete-rosters.ts';
import type { Candidate } from '../migration/readiness.ts';
import type { MetadataStore } from '../store/ports/installation.ts';

export function serves(
  { dialect, settings, legacy }: MountedDialect,
  organization: OrganizationView,
): boolean {
  const { id } = organization;
  if (legacy?.organizations !== undefined) return legacy.organizations.includes(id);
  const own: unknown = settings.organization;
  return own === id || (dialect.admitsOrganization?.(organization, settings) ?? false);
}

/** All that there are, by id. */
export async function organizationsOf(mounted: MountedDialect, identity: Identity): Promise<string[]> {
  const directory = directoryOf(identity, mounted.dialect.name);
  const all = await identity.stores.organizations.list();
  const views = await Promise.all(all.map(({ id }) => directory.byId(id)));
  return views.flatMap((view) => (view !== undefined && serves(mounted, view) ? [view.id] : []));
}

/** For stage primary in these organizations. */
export function candidateOf(
  { dialect, settings, legacy }: MountedDialect,
  options: {
    readonly config: Pick<Config, 'federation'>;
    readonly metadata: Pick<MetadataStore, 'get'>;
    readonly organizations: readonly string[];
  },
): Candidate {
  const { config, metadata, organizations } = options;
  const upstream = dialect.legacy?.redirects?.(settings);
  const isOn = upstream !== undefined && config.federation[upstream]?.enabled === true;
  return {
    ...{ dialect: dialect.name, organizations },
    registration: legacy?.registration ?? 'hold',
    redirects: isOn ? upstream : undefined,
    hasCompleteRoster: (organization) => hasCompleteRoster(metadata, { organization, dialect: dialect.name }),
  };
}
