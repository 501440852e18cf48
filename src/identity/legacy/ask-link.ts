/**
 * A link for a new password that is not ours: a legacy system may have sent it. The link does not say whose it is, and
 * need not: what it sets there is taken over at the person's next sign-in here.
 */
import { Refused } from '../../core/refused.ts';
import type { Identity, RequestContext } from '../context.ts';
import type { LegacyAnswer, LegacySystem } from '../legacy-systems.ts';
import { askEach } from './ask-each.ts';
import { legacyAway } from './refused-alike.ts';

export interface AskedLink {
  readonly organization: string;
  readonly token: string;
  readonly context: RequestContext;
}

/** Whether a legacy system takes it. Refused('unavailable'). */
export async function isLegacyLink(identity: Identity, link: AskedLink): Promise<boolean> {
  const { token } = link;
  return (await asked(identity, link, ({ resetLink }, context) => resetLink?.({ token }, context))) === 'yes';
}

/** Refused('link-token-refused' | 'password-too-common' | 'unavailable'). */
export async function setPasswordThere(
  identity: Identity,
  { password, ...link }: AskedLink & { readonly password: string },
): Promise<void> {
  const { token } = link;
  const set = ({ setPassword }: LegacySystem, context: RequestContext) =>
    setPassword?.({ token, password }, context);
  if ((await asked(identity, link, set)) === 'yes') return;
  throw new Refused((await isLegacyLink(identity, link)) ? 'password-too-common' : 'link-token-refused');
}

async function asked(
  identity: Identity,
  { organization, context }: Omit<AskedLink, 'token'>,
  ask: (system: LegacySystem, context: RequestContext) => Promise<LegacyAnswer> | undefined,
): Promise<'yes' | 'no'> {
  const systems = await identity.legacy.asked(organization, context.channel);
  const answer = await askEach(systems, (system) => ask(system, context));
  if (answer === 'no' || answer === 'not-asked') return 'no';
  if ('away' in answer) throw legacyAway(answer.retryAfter, answer.away);
  return 'yes';
}
