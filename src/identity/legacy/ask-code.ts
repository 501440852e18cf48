/**
 * One-time codes and links for people whom a legacy system may know: it writes its own email, after the reply here,
 * and is asked about the code that comes back. People who are known here get ours.
 */
import { randomUUID } from '../../core/crypto.ts';
import { normalizeEmail } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import { isGone } from '../accounts/gone-people.ts';
import { authorityOf } from '../accounts/password-authority.ts';
import type { Identity, RequestContext } from '../context.ts';
import { afterReply } from './after-reply.ts';
import { askEach } from './ask-each.ts';
import { takeOver } from './take-over.ts';
import { type LegacyVerdict, verdictOf } from './verdict.ts';

/** Milliseconds in which a code that the legacy system sent is asked about, although the person is known by now. */
const CODE_LIFETIME = 600_000;

export interface Addressed {
  readonly organization: string;
  readonly email: string;
  /** As the client sent them, where it did. */
  readonly names?: { readonly given_name?: string; readonly family_name?: string };
  readonly context: RequestContext;
}

/** Has each legacy system write to a person who is unknown here. Returns at once. */
export function letLegacyWrite(identity: Identity, what: 'sendCode' | 'reset', to: Addressed): void {
  const { organization, email, names, context } = to;
  afterReply(identity, context, async () => {
    const systems = await identity.legacy.asked(organization, context.channel);
    if (systems.length === 0 || !email.includes('@')) return;
    if ((await identity.stores.accounts.byEmail(organization, email)) !== undefined) return;
    if (await isGone(identity, { organization, email })) return;
    if (what === 'sendCode') await noteCode(identity, to);
    const input = { email, ...(names && { names }) };
    await Promise.all(systems.map((system) => system[what]?.(input, context)));
  });
}

/** Asks about a code that is not ours. Refused as a password is. */
export async function askCode(
  identity: Identity,
  asked: Addressed & {
    readonly account: AccountRecord | undefined;
    readonly code: string;
    readonly admits: (account: AccountRecord) => boolean;
  },
): Promise<LegacyVerdict> {
  const { organization, email, code, account: known, admits, context } = asked;
  const systems = await identity.legacy.asked(organization, context.channel);
  if (systems.length === 0 || code.trim() === '' || !(await mayKnow(identity, asked)))
    return { wrong: 'wrong' };
  const asks = await askEach(systems, (system) => {
    const hers = known === undefined || authorityOf(known, system.dialect) !== 'portico';
    return hers ? system.code?.({ email, code }, context) : undefined;
  });
  if (asks === 'not-asked') return { wrong: 'wrong' };
  if (asks === 'no') return { wrong: 'wrong', confirmed: 'no' };
  if ('away' in asks) return asks;
  const { system, answer } = asks;
  const taken = await takeOver(identity, {
    ...{ dialect: system.dialect, person: answer.yes, known, admits, context, addressProven: true },
    addressesVerified: system.rules.addressesVerified,
  });
  return verdictOf(taken, admits);
}

/** Whether the code may be the legacy system's. */
async function mayKnow(
  identity: Identity,
  { account, organization, email }: Addressed & { readonly account: AccountRecord | undefined },
): Promise<boolean> {
  if (account === undefined) return !(await isGone(identity, { organization, email }));
  const key = noteKey(identity, { organization, email });
  return (await identity.stores.leases.read(key, identity.clock.now())) !== 'free';
}

async function noteCode(identity: Identity, to: Addressed): Promise<void> {
  const now = identity.clock.now();
  const until = new Date(now.getTime() + CODE_LIFETIME);
  await identity.stores.leases.acquire(noteKey(identity, to), randomUUID(), now, until);
}

function noteKey({ secrets }: Identity, { organization, email }: Pick<Addressed, 'organization' | 'email'>) {
  return `legacy-code:${secrets.hmac('legacy-code', JSON.stringify([organization, normalizeEmail(email)]))}`;
}
