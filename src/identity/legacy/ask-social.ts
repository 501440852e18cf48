/** People who come by an upstream's ID token, or by a clinic's own key, and whom a legacy system may know. */
import type { AccountRecord } from '../../model/account.ts';
import type { Json } from '../../model/json.ts';
import { isGone } from '../accounts/gone-people.ts';
import { authorityOf } from '../accounts/password-authority.ts';
import type { Identity, RequestContext } from '../context.ts';
import type { LegacySystem } from '../legacy-systems.ts';
import { type AnswerOfAll, askEach } from './ask-each.ts';
import { legacyAway } from './refused-alike.ts';
import { takeOver } from './take-over.ts';

interface Asked {
  readonly organization: string;
  readonly context: RequestContext;
  readonly admits: (account: AccountRecord) => boolean;
}

/**
 * Of a verified ID token whose identity is linked to no account here. Undefined: no legacy system knows the
 * person, or they are known here by other means. Refused('unavailable').
 */
export async function askSocial(
  identity: Identity,
  asked: Asked & {
    readonly presented: NonNullable<Parameters<NonNullable<LegacySystem['social']>>[0]>;
    /** What the upstream has proved. */
    readonly email: string | undefined;
  },
): Promise<AccountRecord | undefined> {
  const { organization, context, presented, email } = asked;
  const systems = await identity.legacy.asked(organization, context.channel);
  if (systems.length === 0) return undefined;
  const known = email === undefined ? undefined : await identity.stores.accounts.byEmail(organization, email);
  if (known === undefined && (await isGone(identity, { organization, email }))) return undefined;
  const mayAsk = ({ dialect }: LegacySystem) => known === undefined || isRosterRow(known, dialect);
  const asks = await askEach(systems.filter(mayAsk), ({ social }) => social?.(presented, context));
  return takenOver(identity, { ...asked, asks, known });
}

/** Known by the roster alone: nothing here has shown yet who it is. */
function isRosterRow({ passwordHash, legacy }: AccountRecord, dialect: string): boolean {
  const entry = legacy?.[dialect];
  return entry?.password === 'legacy' && entry.confirmedAt === undefined && passwordHash === undefined;
}

/** Of a person whom a clinic signs in under a code that has no account here. As askSocial. */
export async function askSingleSignOn(
  identity: Identity,
  asked: Asked & {
    readonly presented: {
      readonly body: Readonly<Record<string, Json>>;
      readonly key: string;
      readonly secret?: string;
    };
  },
): Promise<AccountRecord | 'refused' | undefined> {
  const { organization, context, presented } = asked;
  const systems = await identity.legacy.asked(organization, context.channel);
  const asks = await askEach(systems, ({ singleSignOn }) => singleSignOn?.(presented, context));
  if (typeof asks === 'string') return undefined;
  return (await takenOver(identity, { ...asked, asks, known: undefined })) ?? 'refused';
}

async function takenOver(
  identity: Identity,
  { asks, known, context, admits }: Asked & { asks: AnswerOfAll; known: AccountRecord | undefined },
): Promise<AccountRecord | undefined> {
  if (typeof asks === 'string') return undefined;
  if ('away' in asks) throw legacyAway(asks.retryAfter, asks.away);
  const { system, answer } = asks;
  const { dialect, rules } = system;
  const taken = await takeOver(identity, {
    ...{ dialect, person: answer.yes, known, admits, context },
    addressesVerified: rules.addressesVerified,
  });
  if (taken === 'foreign') throw legacyAway(undefined, 'the id belongs to another organization');
  if (typeof taken === 'string') return undefined;
  // The legacy system no longer vouches for a person who has set a password here.
  return authorityOf(taken.account, dialect) === 'legacy' ? taken.account : undefined;
}
