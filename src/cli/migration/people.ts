/** How far the people of a legacy system have come. */
import type { MigratingDialect } from '../../dialects/runtime/mounted.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { CommandContext } from '../context.ts';

/** Accounts in memory at once. */
const PAGE = 500;

export interface PeopleCount {
  /** Accounts that the legacy system does not know. */
  own: number;
  /** Known from a roster, or by another way than a password: without a password here. */
  roster: number;
  /** The legacy system decides about their password, which is known here. */
  takenOver: number;
  /** Their password was set here. */
  here: number;
}

export async function countPeople(
  { stores }: CommandContext,
  { dialect, legacy }: MigratingDialect,
  only?: string,
): Promise<PeopleCount> {
  const all = (await stores.organizations.list()).map(({ id }) => id);
  const meant = all.filter((id) => (legacy.organizations?.includes(id) ?? true) && id === (only ?? id));
  const count = { own: 0, roster: 0, takenOver: 0, here: 0 };
  for (const organization of meant) {
    for (let after: string | undefined; ; ) {
      const page = await stores.accounts.page(organization, {
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      for (const account of page) count[stateOf(account, dialect.name)] += 1;
      after = page.at(-1)?.id;
      if (page.length < PAGE) break;
    }
  }
  return count;
}

function stateOf({ legacy, passwordHash }: AccountRecord, dialect: string): keyof PeopleCount {
  const entry = legacy?.[dialect];
  if (entry === undefined) return 'own';
  if (entry.password === 'portico') return 'here';
  return (entry.passwordHash ?? passwordHash) === undefined ? 'roster' : 'takenOver';
}

/** People who could not sign in with a password without the legacy system. */
export async function lockedOut(
  context: CommandContext,
  migrating: MigratingDialect,
  organization?: string,
): Promise<number> {
  return (await countPeople(context, migrating, organization)).roster;
}
