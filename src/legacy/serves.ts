/** Whether a legacy system is asked about people of the organization. */
import type { OrganizationView } from '../dialects/contract/dialect.ts';
import type { MountedDialect } from '../dialects/runtime/mounted.ts';

export function serves(
  { dialect, settings, legacy }: MountedDialect,
  organization: OrganizationView,
): boolean {
  const { id } = organization;
  if (legacy?.organizations !== undefined) return legacy.organizations.includes(id);
  const own: unknown = settings.organization;
  return own === id || (dialect.admitsOrganization?.(organization, settings) ?? false);
}
