/**
 * A link that is not ours: a legacy system may have sent it. The link does not say whose it is, and need not: the
 * password that it sets there, or the address that it proves, is taken over when that system shows the person next.
 */
import { Refused } from '../../core/refused.ts';
import type { Identity, RequestContext } from '../context.ts';
import type { LegacyAnswer, LegacySystem } from '../legacy-systems.ts';
import { askEach } from './ask-each.ts';
import { legacyAway } from './refused-alike.ts';

/** Refused links of one client address in milliseconds, so that asking is no amplifier. */
const REFUSED = { limit: 20, window: 300_000 };

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

/** Refused('link-token-refused' | 'unavailable'). */
export async function verifyAddressThere(identity: Identity, link: AskedLink): Promise<void> {
  const { token, context } = link;
  const held = await identity.budgets.hold([budgetOf(identity, context)]);
  if ('full' in held) throw new Refused('link-token-refused');
  const [hold] = held.holds;
  const verify = ({ verifyAddress }: LegacySystem) => verifyAddress?.({ token }, context);
  const answer = await asked(identity, link, verify).catch(async (away: unknown) => {
    await hold?.release();
    throw away;
  });
  await (answer === 'no' ? hold?.charge() : hold?.release());
  if (answer === 'no') throw new Refused('link-token-refused');
}

function budgetOf({ secrets }: Identity, { channel, address }: RequestContext) {
  const key = secrets.hmac('legacy-link', JSON.stringify([channel, address]));
  return { key: `link-refused:${key}`, limit: REFUSED, kind: 'sliding' } as const;
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
