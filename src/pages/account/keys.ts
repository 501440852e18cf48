/** API keys: made here within what the account itself may do, shown once, deleted. */
import { Refused } from '../../core/refused.ts';
import type { FormFields } from '../../http/forms/read-form.ts';
import {
  type ApiKeyOffer,
  createApiKey,
  deleteApiKey,
  listApiKeys,
} from '../../identity/accounts/api-keys.ts';
import { FormRefused } from '../shared/alert.ts';
import { lineIn } from '../shared/form-fields.ts';
import { putToShow, takeToShow } from '../shared/shown-once.ts';
import { showAccountPage } from './render.ts';
import type { AccountForm, AccountPage } from './session.ts';

const SHOWN_ONCE = 'api-key-shown';
/** Days that a key may live; 0: until it is deleted. */
const LIVES = [30, 90, 365, 0];
const DAY = 86_400_000;

export const keys: AccountPage = async (visit, refusal) => {
  const { deps, ctx, account } = visit;
  const present = await listApiKeys(deps.identity, { accountId: account.id });
  await showAccountPage(
    visit,
    'account-keys',
    {
      shown: (await takeToShow(deps, ctx, { account, purpose: SHOWN_ONCE, token: ctx.query.made }))?.[0],
      lives: LIVES,
      offers: deps.apiKeyOffers(account).map(({ vendor, title, scopes }) => ({ vendor, title, scopes })),
      keys: present.map(({ id, name, scopes, createdAt, expiresAt, lastUsedAt }) => ({
        ...{ id, name, scopes, at: createdAt.toISOString() },
        until: expiresAt?.toISOString(),
        used: lastUsedAt?.toISOString(),
      })),
    },
    refusal,
  );
};

export const makeKey: AccountForm = async (visit) => {
  const { deps, account, context, form } = visit;
  const offer = deps.apiKeyOffers(account).find(({ vendor }) => vendor === form.get('vendor'));
  const input = offer && read(offer, form);
  if (offer === undefined || input === undefined) throw new FormRefused({ kind: 'invalid-key' });
  const { id, key, limit, vendor } = offer;
  const now = deps.identity.clock.now().getTime();
  try {
    const created = await createApiKey(deps.identity, {
      ...{ id, key, limit, vendor, name: input.name, scopes: input.scopes, context },
      organization: account.organization,
      accountId: account.id,
      ...(input.days !== 0 && { expiresAt: new Date(now + input.days * DAY) }),
    });
    const made = await putToShow(deps, { account, purpose: SHOWN_ONCE, texts: [created.key] });
    return `/account/keys?made=${made}`;
  } catch (error) {
    if (!(error instanceof Refused) || error.reason !== 'too-many-api-keys') throw error;
    throw new FormRefused({ kind: error.reason, count: limit }, 409);
  }
};

export const deleteKey: AccountForm = async ({ deps, account, context, form }) => {
  try {
    await deleteApiKey(deps.identity, { accountId: account.id, keyId: form.get('key') ?? '', context });
    return '/account/keys?done=key-deleted';
  } catch (error) {
    // It is gone already, which is what the person asked for.
    if (error instanceof Refused && error.reason === 'api-key-not-found') return '/account/keys';
    throw error;
  }
};

/** Undefined: no name, no scope, or one that the account may not give. */
function read(offer: ApiKeyOffer, form: FormFields) {
  const name = lineIn(form, 'name', 100);
  const scopes = offer.scopes.filter((scope) => form.get(`scope:${scope}`) === 'yes');
  const days = Number(form.get('days') ?? '');
  if (name === undefined || name === '' || scopes.length === 0 || !LIVES.includes(days)) return undefined;
  return { name, scopes, days };
}
