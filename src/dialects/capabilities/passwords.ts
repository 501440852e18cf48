/** Judging, checking and setting passwords. */
import { findByLogin } from '../../identity/accounts/find-account.ts';
import { setPassword } from '../../identity/self-service/set-password.ts';
import { checkPassword } from '../../identity/sign-in/reauthenticate.ts';
import { Refused } from '../contract/dialect.ts';
import type { PasswordsUse } from '../contract/use.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';
import { changed } from './accounts.ts';
import { did, need, organizationOf, view } from './scope.ts';

export function passwordsUse(current: CurrentRequest): PasswordsUse {
  const { identity, context, mounted } = current;
  return {
    async checkAttempts(email) {
      const organization = organizationOf(current).id;
      const account = await findByLogin(identity, { organization, login: email, by: ['email'] });
      const { address } = context;
      const of = account && { accountId: account.id };
      await identity.attempts.check({ organization, name: email, address, ...of });
    },
    async judge(password, { minimum }) {
      const organization = current.organization && { organizationName: current.organization.name };
      const judgement = await identity.policy.judge(password, { minimum, ...organization });
      if (judgement !== 'ok') throw new Refused(`password-${judgement}`);
    },
    async check(accountId, password) {
      await need(current, accountId);
      return checkPassword(identity, { accountId, password, context });
    },
    async set(accountId, password, { minimum, changes }) {
      const present = await need(current, accountId);
      const { caller } = current;
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
      did(current, 'password.set', account.id);
      return view(current, account);
    },
  };
}
