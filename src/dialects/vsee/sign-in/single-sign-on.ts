/**
 * POST /users/sso: a clinic's back end signs one of its people in. The person is the account that was made
 * here for the clinic's own code; nothing else links. Finding people by e-mail or username would let a
 * clinic's back end, or a user of its form, take an account over.
 */

import { z } from 'zod';
import { Refused } from '../../contract/dialect.ts';
import type { AccountView } from '../../contract/endpoint.ts';
import { ok } from '../../contract/reply.ts';
import { HEX } from '../../contract/tokens.ts';
import type { Use } from '../../contract/use.ts';
import * as fields from '../fields.ts';
import { failures } from '../refusals.ts';
import { GUEST, MEMBER, PROVIDER, SingleSignOnReply, singleSignOnReply } from '../serializers.ts';
import { endpoint } from '../settings.ts';
import { bornUntilToday } from '../users/born-until-today.ts';
import { newPerson, refreshed } from './sso-person.ts';

const { isThere, optional, readAs, required, tableBy, text } = fields;

const NAME = text({ limit: 100 });
const type = fields.integerOf([MEMBER, PROVIDER, GUEST]);
const code = text({ limit: 128, numbers: true, exact: true });
const disableEmails = fields.integerOf([0, 1]);

/** Members of every table, in the contract's order; `code` stands in the middle and differs. */
const beforeCode = {
  first_name: required('first_name', NAME),
  last_name: required('last_name', NAME),
  dob: optional('dob', fields.date),
  type: required('type', type),
};

const afterCode = {
  email: optional('email', fields.email),
  username: optional('username', text({ limit: 255 })),
  disable_emails: optional('disable_emails', disableEmails),
  gender: optional('gender', fields.gender),
  street_addr: optional('street_addr', text({ limit: 100 })),
  city: optional('city', text({ limit: 100, numbers: true })),
  state: optional('state', fields.stateCode),
  zip: optional('zip', text({ limit: 10, numbers: true })),
  phone: optional('phone', text({ limit: 32, numbers: true })),
};

const guests = z.object({ ...beforeCode, ...afterCode });
const lastingUsers = z.object({ ...beforeCode, code: required('code', code), ...afterCode });

const body = tableBy(
  { ...beforeCode, code: optional('code', code), ...afterCode },
  (raw): typeof guests | typeof lastingUsers =>
    isThere(raw.type, type) && readAs(raw.type, type) === GUEST ? guests : lastingUsers,
);

export const singleSignOn = endpoint({
  method: 'POST',
  path: '/users/sso',
  summary: "Sign one of the clinic's people in",
  caller: 'api-key',
  counts: 'nothing',
  rights({ organization }) {
    if (organization?.vendor?.sso !== true) throw new Refused('forbidden');
  },
  accepts: { body },
  alsoJudge: bornUntilToday(['first_name', 'last_name']),
  replies: { 200: SingleSignOnReply, ...failures(400, 401, 403, 413, 429, 503) },
  async answer({ body, organization, request }, use) {
    const account =
      'code' in body
        ? await lasting(use, body)
        : await untilNamesAreFree(async () => use.accounts.register(await newPerson(use, body)));
    const asked = [...request.query.getAll('fields'), ...request.query.getAll('fields[]')];
    const withCall = asked
      .join(',')
      .split(',')
      .some((name) => name.trim() === 'vsee');
    return ok(
      singleSignOnReply(await use.signIn.as(account, 'sso'), {
        organization,
        // New each time and good for nothing here: the vendor's browser calls want some value.
        callToken: withCall ? use.random({ alphabet: HEX, length: 32 }) : undefined,
      }),
    );
  },
});

/** The one account of this code; made at the first call, brought up to date at later ones. */
async function lasting(use: Use, body: z.output<typeof lastingUsers>): Promise<AccountView> {
  const { account, created } = await untilNamesAreFree(() =>
    use.accounts.findOrCreateByKey(body.code, () => newPerson(use, body, body.code)),
  );
  if (account.status === 'blocked') throw new Refused('forbidden');
  if (created) return account;
  return untilNamesAreFree(async () => {
    const change = await refreshed(use, body, account);
    return use.accounts.update(account.id, change);
  });
}

/** Another request may take a username or address between the look and the write; then it is looked at again. */
async function untilNamesAreFree<T>(work: () => Promise<T>, tries = 3): Promise<T> {
  try {
    return await work();
  } catch (refused) {
    if (tries <= 1 || !(refused instanceof Refused) || refused.reason !== 'account-exists') throw refused;
    return untilNamesAreFree(work, tries - 1);
  }
}
