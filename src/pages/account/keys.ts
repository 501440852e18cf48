/**
 * API keys: made here within what the account itself may do, shown once, deleted. The text of a new key
 * waits sealed behind a one-use ticket for the page that shows it, so that reloading makes no second one.
 */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { FormFields } from '../../http/forms/read-form.ts';
import type { ApiKeyOffer } from '../../identity/accounts/api-keys.ts';
import { createApiKey, deleteApiKey, listApiKeys } from '../../identity/accounts/api-keys.ts';
import { makeState, readState, spendState } from '../../identity/codes/redirect-state.ts';
import type { Alert } from '../shared/alert.ts';
import type { PageParts } from '../shared/deps.ts';
import { lineIn } from '../shared/form-fields.ts';
import { originOf } from '../shared/request-origin.ts';
import { leadTo, showAccountPage } from './render.ts';
import type { Person, ShowsPerson, SubmitsPerson } from './routes.ts';

const SHOWN_ONCE = 'api-key-shown';
/** Seconds between making a key and showing it. */
const SHOWN_WITHIN = 60;
/** Days that a key may live; 0: until it is deleted. */
const LIVES = [30, 90, 365, 0];
const DAY = 86_400_000;

export function keys(parts: PageParts): ShowsPerson {
  return async (ctx, person) => {
    const { made } = ctx.query;
    // A link preview asks with HEAD; it must not use up what is shown once.
    const asked = typeof made === 'string' && ctx.method === 'GET';
    const shown = asked ? await take(parts, person, made) : undefined;
    await show(parts, ctx, person, { shown });
  };
}

export function makeKey(parts: PageParts): SubmitsPerson {
  return async (ctx, form, person) => {
    const { account } = person;
    const offer = parts.apiKeyOffers(account).find(({ vendor }) => vendor === form.get('vendor'));
    const wanted = offer && read(offer, form);
    if (offer === undefined || wanted === undefined) {
      await show(parts, ctx, person, { alert: { kind: 'invalid-key' }, status: 400 });
      return;
    }
    const { id, key, limit, vendor } = offer;
    const now = parts.identity.clock.now().getTime();
    try {
      const made = await createApiKey(parts.identity, {
        ...{ id, key, limit, vendor, name: wanted.name, scopes: wanted.scopes, origin: originOf(ctx) },
        organization: account.organization,
        accountId: account.id,
        ...(wanted.days === 0 ? {} : { expiresAt: new Date(now + wanted.days * DAY) }),
      });
      ctx.redirect(`/account/keys?made=${await put(parts, person, made.key)}`);
      ctx.status = 303;
    } catch (error) {
      if (!(error instanceof Refused) || error.reason !== 'too-many-api-keys') throw error;
      await show(parts, ctx, person, { alert: { kind: 'too-many-api-keys', count: limit }, status: 409 });
    }
  };
}

export function deleteKey(parts: PageParts): SubmitsPerson {
  return async (ctx, form, { account }) => {
    try {
      const keyId = form.get('key') ?? '';
      await deleteApiKey(parts.identity, { accountId: account.id, keyId, origin: originOf(ctx) });
    } catch (error) {
      // It is gone already: what was wanted.
      if (!(error instanceof Refused) || error.reason !== 'api-key-not-found') throw error;
      leadTo(ctx, '/account/keys');
      return;
    }
    leadTo(ctx, '/account/keys', 'key-deleted');
  };
}

/** Undefined: no name, no scope, or one that the account may not give. */
function read(offer: ApiKeyOffer, form: FormFields) {
  const name = lineIn(form, 'name', 100);
  const scopes = offer.scopes.filter((scope) => form.get(`scope:${scope}`) === 'yes');
  const days = Number(form.get('days') ?? '');
  if (name === undefined || name === '' || scopes.length === 0 || !LIVES.includes(days)) return undefined;
  return { name, scopes, days };
}

async function put(parts: PageParts, { account }: Person, key: string): Promise<string> {
  const { organization, id } = account;
  const data = { key, accountId: id };
  return makeState(parts.identity, { purpose: SHOWN_ONCE, organization, lifetime: SHOWN_WITHIN, data });
}

async function take(parts: PageParts, { account }: Person, token: string): Promise<string | undefined> {
  const asked = { purpose: SHOWN_ONCE, token: token.slice(0, 100) };
  if ((await readState(parts.identity, asked))?.data.accountId !== account.id) return undefined;
  const kept = await spendState(parts.identity, asked);
  return typeof kept?.data.key === 'string' ? kept.data.key : undefined;
}

async function show(
  parts: PageParts,
  ctx: Context,
  person: Person,
  state: { shown?: string | undefined; alert?: Alert; status?: number },
): Promise<void> {
  const made = await listApiKeys(parts.identity, { accountId: person.account.id });
  await showAccountPage(parts, ctx, person, {
    view: 'account-keys',
    status: state.status ?? 200,
    alert: state.alert,
    data: {
      shown: state.shown,
      lives: LIVES,
      offers: parts
        .apiKeyOffers(person.account)
        .map(({ vendor, title, scopes }) => ({ vendor, title, scopes })),
      keys: made.map(({ id, name, scopes, createdAt, expiresAt, lastUsedAt }) => ({
        ...{ id, name, scopes, at: createdAt.toISOString() },
        until: expiresAt?.toISOString(),
        used: lastUsedAt?.toISOString(),
      })),
    },
  });
}
