/** App passwords: what old clients sign in with where the account has a second factor. Shown once, ended at will. */
import {
  MOST_APP_PASSWORDS,
  makeAppPassword,
  type OldClient,
  revokeAppPassword,
} from '../../../identity/factors/app-passwords.ts';
import { hasFactor } from '../../../model/factors.ts';
import { FormRefused } from '../../shared/alert.ts';
import { lineIn } from '../../shared/form-fields.ts';
import { putToShow, takeToShow } from '../../shared/shown-once.ts';
import type { AccountForm, Visit } from '../session.ts';

const PAGE = '/account/factors';
const SHOWN = 'app-password-shown';

/** What partials/app-passwords.ejs shows. */
export async function appPasswordsShown({ deps, ctx, account }: Visit) {
  const { appPasswords = [] } = account.factors ?? {};
  const oldClients = await deps.oldClients(account);
  const has = hasFactor(account);
  const [made] = (await takeToShow(deps, ctx, { account, purpose: SHOWN, token: ctx.query.made })) ?? [];
  const titleOf = (name: string) => oldClients.find(({ dialect }) => dialect === name)?.title ?? name;
  return {
    ...{ made, oldClients, hasFactor: has },
    appPasswordOffers: has ? oldClients.filter(takesAppPasswords) : [],
    appPasswords: appPasswords.map(({ id, name, dialect, createdAt, lastUsedAt }) => ({
      ...{ id, name, at: createdAt, used: lastUsedAt },
      title: titleOf(dialect),
    })),
  };
}

export const makePassword: AccountForm = async ({ deps, account, context, form }) => {
  const offer = (await deps.oldClients(account)).find(({ dialect }) => dialect === form.get('dialect'));
  const name = lineIn(form, 'name', 100);
  if (offer === undefined || !takesAppPasswords(offer) || name === undefined || name === '')
    throw new FormRefused({ kind: 'invalid-app-password' });
  const made = await makeAppPassword(deps.identity, {
    ...{ accountId: account.id, dialect: offer.dialect, name, context },
  });
  if (made === undefined)
    throw new FormRefused({ kind: 'too-many-app-passwords', count: MOST_APP_PASSWORDS }, 409);
  return `${PAGE}?made=${await putToShow(deps, { account, purpose: SHOWN, texts: [made] })}`;
};

export const endPassword: AccountForm = async ({ deps, account, context, form }) => {
  await revokeAppPassword(deps.identity, { accountId: account.id, id: form.get('password') ?? '', context });
  return `${PAGE}?done=app-password-ended`;
};

function takesAppPasswords({ rule }: OldClient): boolean {
  return rule === 'app-passwords';
}
