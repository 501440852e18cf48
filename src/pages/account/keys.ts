/**
 * API keys: made here within what the account itself may do, shown once, deleted. The text of a new key
 * waits encrypted behind a one-use link token for the page that shows it, so that reloading makes no second one.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { FormFields } from '../../http/forms/read-form.ts';
import { seeOther } from '../../http/views/send-page.ts';
import {
  type ApiKeyOffer,
  createApiKey,
  deleteApiKey,
  listApiKeys,
} from '../../identity/accounts/api-keys.ts';
import { makeState, readState, spendState } from '../../identity/codes/redirect-state.ts';
import type { Alert } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { lineIn } from '../shared/form-fields.ts';
import { requestContext } from '../shared/request-context.ts';
import { leadTo, showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Person } from './session.ts';

const SHOWN_ONCE = 'api-key-shown';
/** Seconds between making a key and showing it. */
const SHOWN_WITHIN = 60;
/** Days that a key may live; 0: until it is deleted. */
const LIVES = [30, 90, 365, 0];
const DAY = 86_400_000;

export const keys: AccountPage = async (deps, ctx, person) => {
  const { made: created } = ctx.query;
  // A link preview asks with HEAD; it must not use up what is shown once.
  const asked = typeof created === 'string' && ctx.method === 'GET';
  const shown = asked ? await take(deps, person, created) : undefined;
  await show(deps, ctx, person, { shown });
};

export const makeKey: AccountForm = async (deps, ctx, person, form) => {
  const { account } = person;
  const offer = deps.apiKeyOffers(account).find(({ vendor }) => vendor === form.get('vendor'));
  const input = offer && read(offer, form);
  if (offer === undefined || input === undefined) {
    await show(deps, ctx, person, { alert: { kind: 'invalid-key' }, status: 400 });
    return;
  }
  const { id, key, limit, vendor } = offer;
  const now = deps.identity.clock.now().getTime();
  try {
    const created = await createApiKey(deps.identity, {
      ...{ id, key, limit, vendor, name: input.name, scopes: input.scopes, context: requestContext(ctx) },
      organization: account.organization,
      accountId: account.id,
      ...(input.days === 0 ? {} : { expiresAt: new Date(now + input.days * DAY) }),
    });
    seeOther(ctx, `/account/keys?made=${await put(deps, person, created.key)}`);
  } catch (error) {
    if (!(error instanceof Refused) || error.reason !== 'too-many-api-keys') throw error;
    await show(deps, ctx, person, { alert: { kind: 'too-many-api-keys', count: limit }, status: 409 });
  }
};

export const deleteKey: AccountForm = async (deps, ctx, { account }, form) => {
  try {
    const keyId = form.get('key') ?? '';
    await deleteApiKey(deps.identity, { accountId: account.id, keyId, context: requestContext(ctx) });
  } catch (error) {
    // It is gone already, which is what the person asked for.
    if (!(error instanceof Refused) || error.reason !== 'api-key-not-found') throw error;
    leadTo(ctx, '/account/keys');
    return;
  }
  leadTo(ctx, '/account/keys', 'key-deleted');
};

/** Undefined: no name, no scope, or one that the account may not give. */
function read(offer: ApiKeyOffer, form: FormFields) {
  const name = lineIn(form, 'name', 100);
  const scopes = offer.scopes.filter((scope) => form.get(`scope:${scope}`) === 'yes');
  const days = Number(form.get('days') ?? '');
  if (name === undefined || name === '' || scopes.length === 0 || !LIVES.includes(days)) return undefined;
  return { name, scopes, days };
}

async function put(deps: PageDeps, { account }: Person, key: string): Promise<string> {
  const { organization, id } = account;
  const data = { key, accountId: id };
  return makeState(deps.identity, { purpose: SHOWN_ONCE, organization, lifetime: SHOWN_WITHIN, data });
}

async function take(deps: PageDeps, { account }: Person, token: string): Promise<string | undefined> {
  const asked = { purpose: SHOWN_ONCE, token: token.slice(0, 100) };
  if ((await readState(deps.identity, asked))?.data.accountId !== account.id) return undefined;
  const kept = await spendState(deps.identity, asked);
  return typeof kept?.data.key === 'string' ? kept.data.key : undefined;
}

async function show(
  deps: PageDeps,
  ctx: Context,
  person: Person,
  state: { shown?: string | undefined; alert?: Alert; status?: number },
): Promise<void> {
  const created = await listApiKeys(deps.identity, { accountId: person.account.id });
  await showAccountPage(deps, ctx, person, {
    view: 'account-keys',
    status: state.status ?? 200,
    alert: state.alert,
    data: {
      shown: state.shown,
      lives: LIVES,
      offers: deps
        .apiKeyOffers(person.account)
        .map(({ vendor, title, scopes }) => ({ vendor, title, scopes })),
      keys: created.map(({ id, name, scopes, createdAt, expiresAt, lastUsedAt }) => ({
        ...{ id, name, scopes, at: createdAt.toISOString() },
        until: expiresAt?.toISOString(),
        used: lastUsedAt?.toISOString(),
      })),
    },
  });
}
