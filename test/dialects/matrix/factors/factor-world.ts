/** The clock of the tests of second factors at the dialects, and what an organization asks of its people. */
import { updateAccount } from '../../../../src/identity/accounts/update-account.ts';
import type { OldClientRule } from '../../../../src/identity/factors/app-passwords.ts';
import type { AccountRecord } from '../../../../src/model/account.ts';
import type { FactorPolicy, Factors } from '../../../../src/model/factors.ts';
import { inDefault } from '../channels.ts';
import { openWorld, type World } from '../world.ts';

export const DAY = 86_400_000;

/** A moment that the test moves on. */
export let now = new Date();
export const later = (milliseconds: number) => {
  now = new Date(now.getTime() + milliseconds);
};
export const ago = (days: number) => new Date(now.getTime() - days * DAY).toISOString();

export async function openWith(rule: OldClientRule): Promise<World> {
  now = new Date();
  const settings = Object.fromEntries(inDefault.map(({ dialect }) => [dialect.name, { factors: rule }]));
  const clock = { now: () => now };
  return openWorld({ clock, config: { dialects: settings, attempts: { address: { limit: 1000 } } } });
}

export async function setPolicy({ server }: World, policy: FactorPolicy) {
  const { organizations } = server.running.stores;
  for (const id of ['default', 'clinicdev']) {
    const organization = await organizations.byId(id);
    if (organization) await organizations.put({ ...organization, factors: policy });
  }
  // A policy is seconds old at most.
  later(6000);
}

export const app = (): Factors => ({ app: { salt: 'salt', step: 0, createdAt: ago(20) } });

export const change = (world: World, id: string, more: Partial<AccountRecord>) =>
  updateAccount(world.server.running.identity, id, (present) => ({ ...present, ...more }));
