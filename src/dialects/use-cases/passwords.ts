/** Judging, checking and setting passwords. */
import { findByLogin } from '../../identity/accounts.ts';
import { checkPassword } from '../../identity/check-password.ts';
import { setPassword } from '../../identity/set-password.ts';
import type { AccountRecord } from '../../store/ports.ts';
import { Refused, type Use } from '../dialect.ts';
import { changed } from './accounts.ts';
import type { Bound } from './binding.ts';

export function passwordUses(
  bound: Bound,
): Pick<Use, 'checkAttempts' | 'judgePassword' | 'checkPassword' | 'setPassword'> {
  const { identity, origin, mounted } = bound;
  return {
    async checkAttempts(email) {
      const organization = bound.organization().id;
      const account = await findByLogin(identity, { organization, login: email, by: ['email'] });
      const { address } = bound.exchange.request;
      const of = account === undefined ? {} : { accountId: account.id };
      await identity.attempts.check({ organization, name: email, address, ...of });
    },
    judgePassword(password, { minimum }) {
      const organizationName = bound.exchange.organization?.name;
      const rules = organizationName === undefined ? { minimum } : { minimum, organizationName };
      const judgement = identity.policy.judge(password, rules);
      if (judgement === 'too-short') throw new Refused('password-too-short');
      if (judgement === 'too-common') throw new Refused('password-too-common');
    },
    async checkPassword(accountId, password) {
      await bound.need(accountId);
      return checkPassword(identity, { accountId, password, origin });
    },
    async setPassword(accountId, password, { keep, minimum, notify, changes }) {
      await bound.need(accountId);
      const change = (account: AccountRecord): AccountRecord => ({
        ...changed(account, changes ?? {}, mounted.dialect.name),
        status: account.status === 'inactive' ? 'active' : account.status,
      });
      const letter = keep === undefined ? 'password-reset-done' : 'password-changed';
      const account = await setPassword(identity, {
        accountId,
        password,
        minimum,
        ...(keep === undefined ? {} : { keep: { grantId: keep } }),
        ...(notify ? { letter } : {}),
        change,
      });
      bound.did('password.change', account.id);
      return bound.view(account);
    },
  };
}
