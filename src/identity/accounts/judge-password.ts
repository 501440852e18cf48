/** Everything that can refuse a new password. It comes before what the change costs, so that a refusal is free. */
import { Refused } from '../../core/refused.ts';
import type { Identity } from '../context.ts';

interface NewPassword {
  readonly password: string;
  /** Code points. */
  readonly minimum: number;
  readonly organization: string;
}

/** Refused('password-too-short' | 'password-too-common'); the organization's own name is too common. */
export async function judgePassword(identity: Identity, input: NewPassword): Promise<void> {
  const organizationName = (await identity.stores.organizations.byId(input.organization))?.name;
  const verdict = await identity.policy.judge(input.password, { minimum: input.minimum, organizationName });
  if (verdict !== 'ok') throw new Refused(`password-${verdict}`);
}

/** Refused('password-too-short' | 'password-too-common' | 'invalid-fields' | 'unavailable'). */
export async function hashNewPassword(identity: Identity, input: NewPassword): Promise<string> {
  await judgePassword(identity, input);
  return identity.hasher.hash(input.password);
}
