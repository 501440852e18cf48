/**
 * The step between "wrong here" and "refused": the legacy systems of the organization are asked about a password
 * that is wrong here, or that none of them has confirmed for a while. Never about people who set one here, who
 * are not let in, or who were deleted.
 */
import { takePassword } from '../../core/text.ts';
import type { AccountRecord } from '../../model/account.ts';
import { isGone } from '../accounts/gone-people.ts';
import { authorityOf, withoutConfirmed } from '../accounts/password-authority.ts';
import { updateAccount } from '../accounts/update-account.ts';
import type { Identity, RequestContext } from '../context.ts';
import type { LegacyAnswer, LegacySystem } from '../legacy-systems.ts';
import { askEach } from './ask-each.ts';
import { takeOver } from './take-over.ts';
import { type LegacyVerdict, verdictOf } from './verdict.ts';

export interface AskedPassword {
  readonly organization: string;
  /** Whom the name leads to here; one that is let in. */
  readonly account: AccountRecord | undefined;
  /** As typed. */
  readonly login: string;
  readonly password: string;
  readonly context: RequestContext;
  readonly admits: (account: AccountRecord) => boolean;
}

/** Of a password that is wrong here. */
export async function askUnknown(identity: Identity, asked: AskedPassword): Promise<LegacyVerdict> {
  const { organization, account, login, password } = asked;
  const isAskable = login.trim() !== '' && password !== '' && takePassword(password) !== undefined;
  const systems = isAskable ? await systemsFor(identity, asked) : [];
  if (systems.length === 0) return { wrong: 'wrong' };
  if (account === undefined && (await isGone(identity, { organization, email: login })))
    return { wrong: 'wrong' };
  const asks = await askEach(systems, ({ signIn }) =>
    signIn?.({ login: login.trim(), password }, asked.context),
  );
  if (asks === 'not-asked') return { wrong: 'wrong' };
  if (asks === 'no') return { wrong: 'wrong', confirmed: 'no' };
  return 'away' in asks ? asks : received(identity, { ...asked, ...asks });
}

/**
 * Of a password that is right here. It is not asked about where a legacy system confirmed it lately, and cannot have
 * been given a proof of the address since. `of`: the dialects whose legacy systems confirmed it. One that does not
 * confirm it any more ends it here; one that is away does not.
 */
export async function askAgain(
  identity: Identity,
  asked: AskedPassword & { readonly account: AccountRecord; readonly of: readonly string[] },
): Promise<LegacyVerdict> {
  const { account, of, login, password, context } = asked;
  const systems = (await systemsFor(identity, asked)).filter(({ dialect }) => of.includes(dialect));
  const now = identity.clock.now().getTime();
  const isFresh = ({ dialect, rules, verifyAddress }: LegacySystem) => {
    if (verifyAddress !== undefined && !account.emailVerified) return false;
    const { confirmedAt } = account.legacy?.[dialect] ?? {};
    return confirmedAt !== undefined && now - Date.parse(confirmedAt) < rules.recheck * 1000;
  };
  if (systems.length === 0 || systems.some(isFresh)) return { account };
  let present: LegacyVerdict = { wrong: 'wrong', confirmed: 'no' };
  for (const system of systems) {
    const answer = await system.signIn?.({ login: login.trim(), password }, context);
    if (answer === undefined) continue;
    if (answer === 'no') await forget(identity, account, system.dialect);
    else if ('away' in answer) present = { account, confirmed: 'away' };
    else return received(identity, { ...asked, system, answer, password: 'present' });
  }
  return present;
}

/** Those that may decide about the password now. */
async function systemsFor(
  identity: Identity,
  { organization, account, context }: AskedPassword,
): Promise<LegacySystem[]> {
  const systems = await identity.legacy.asked(organization, context.channel);
  return systems.filter(
    ({ dialect, signIn }) =>
      signIn !== undefined && (account === undefined || authorityOf(account, dialect) !== 'portico'),
  );
}

async function received(
  identity: Identity,
  input: AskedPassword & { system: LegacySystem; answer: Extract<LegacyAnswer, { yes: unknown }> },
): Promise<LegacyVerdict> {
  const { system, answer, account: known, context, admits, password } = input;
  const { dialect, rules } = system;
  const taken = await takeOver(identity, {
    ...{ dialect, known, context, admits, password, person: answer.yes },
    addressesVerified: rules.addressesVerified,
  });
  // A password that was set here stays the only one, also when it was set a moment ago.
  if (typeof taken === 'object' && authorityOf(taken.account, dialect) === 'portico')
    return { wrong: 'wrong' };
  return verdictOf(taken, admits);
}

async function forget(identity: Identity, account: AccountRecord, dialect: string): Promise<void> {
  const change = (present: AccountRecord) =>
    authorityOf(present, dialect) === 'legacy' ? withoutConfirmed(present, dialect) : null;
  await updateAccount(identity, account.id, change, { quiet: true });
}
