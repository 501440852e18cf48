/** How far the people of a legacy system have come. */
import type { MigratingDialect } from '../../dialects/runtime/mounted.ts';
import type { LegacyStanding } from '../../model/account.ts';
import type { CommandContext } from '../context.ts';

/** `own`: accounts that the legacy system does not know. */
export type PeopleCount = Record<LegacyStanding | 'own', number>;

export async function countPeople(
  { stores }: CommandContext,
  { dialect, legacy }: MigratingDialect,
  only?: string,
): Promise<PeopleCount> {
  const all = (await stores.organizations.list()).map(({ id }) => id);
  const meant = all.filter((id) => (legacy.organizations?.includes(id) ?? true) && id === (only ?? id));
  const result = { own: 0, roster: 0, takenOver: 0, here: 0 };
  for (const organization of meant) {
    for (const { standings, count } of await stores.accounts.tally(organization))
      result[standings[dialect.name] ?? 'own'] += count;
  }
  return result;
}
