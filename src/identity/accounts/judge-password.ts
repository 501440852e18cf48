import { Refused } from '../../core/refused.ts';
import type { Identity } from '../context.ts';

/** Refused('password-too-short' | 'password-too-common'); the organization's own name is too common. */
export async function judgePassword(
  identity: Identity,
  input: { password: string; minimum: number; organization: string },
): Promise<void> {
  const { password, minimum, organization } = input;
  const name = (await identity.stores.organizations.byId(organization))?.name;
  const verdict = identity.policy.judge(password, {
    minimum,
    ...(name === undefined ? {} : { organizationName: name }),
  });
  if (verdict === 'too-short') throw new Refused('password-too-short');
  if (verdict === 'too-common') throw new Refused('password-too-common');
}
