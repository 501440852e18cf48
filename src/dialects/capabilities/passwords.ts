/** Judging, checking and setting passwords. */
import { findByLogin } from '../../identity/accounts/find-account.ts';
import { setPassword } from '../../identity/self-service/set-password.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import { Refused } from '../contract/dialect.ts';
import type { PasswordsUse } from '../contract/use.ts';
import { changed } from './accounts.ts';
import type { Bound } from './scope.ts';

export function passwordsUse(bound: Bound): PasswordsUse {
  const { identity, context, mounted } = bound;
  return {
    async checkAttempts(email) {
      const organization = bound.organization().id;
      const account = await findByLogin(identity, { organization, login: email, by: ['email'] });
      const { address } = bound.exchange.request;
      const of = account === undefined ? {} : { accountId: account.id };
      await identity.attempts.check({ organization, name: email, address, ...of });
    },
    judge(password, { minimum }) {
      const organizationName = bound.exchange.organization?.name;
      const rules = organizationName === undefined ? { minimum } : { minimum, organizationName };
      const judgement = identity.policy.judge(password, rules);
      if (judgement === 'too-short') throw new Refused('password-too-short');
      if (judgement === 'too-common') throw new Refused('password-too-common');
    },
    async check(accountId, password) {
      await bound.need(accountId);
      return checkPassword(identity, { accountId, password, context });
    },
    async set(accountId, password, { minimum, changes }) {
      const present = await bound.need(accountId);
      const { caller } = bound.exchange;
      // A token alone must not be enough to take an account over.
      if (present.passwordHash === undefined && caller?.recent !== true) {
        throw new Refused('forbidden', { detail: 'a first password takes a recent sign-in' });
      }
      const account = await setPassword(identity, {
        accountId,
        password,
        minimum,
        ...(caller?.grantId === undefined ? {} : { keep: { grantId: caller.grantId } }),
        email: 'password-changed',
        change: (current) => changed(current, changes ?? {}, mounted.dialect.name),
      });
      bound.did('password.set', account.id);
      return bound.view(account);
    },
  };
}
