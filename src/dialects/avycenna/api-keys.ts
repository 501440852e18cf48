/** POST, GET and DELETE /api-keys: the caller's own keys. A key is shown once, and its id alone gives no access. */
import { z } from 'zod';
import { Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import { empty, json, ok } from '../contract/reply.ts';
import { BASE62, HEX } from '../contract/tokens.ts';
import { withScope } from './caller.ts';
import { name, SCOPES, type Scope, scopes } from './fields.ts';
import { ApiKeyReply, apiKeyReply, Failure, InvalidFields, MadeApiKeyReply, roleOf } from './serializers.ts';
import { type AvycennaSettings, endpoint } from './settings.ts';

export const KEY_FORMS = {
  id: { prefix: 'key_', alphabet: BASE62, length: 8 },
  key: { prefix: 'avk_', alphabet: HEX, length: 64 },
  limit: 100,
} as const;

/** What the account may give to a key. */
export function scopesOf(account: AccountView, settings: AvycennaSettings): readonly Scope[] {
  return SCOPES.filter((scope) => scope !== 'admin' || roleOf(account, settings) === 'admin');
}

export const createApiKey = endpoint({
  method: 'POST',
  path: '/api-keys',
  summary: 'Make an API key',
  caller: 'token-or-api-key',
  counts: 'nothing',
  rights: withScope('admin'),
  accepts: { body: z.object({ name, scopes }) },
  replies: {
    415: Failure,
    201: MadeApiKeyReply,
    401: Failure,
    403: Failure,
    409: Failure,
    422: InvalidFields,
  },
  async answer({ body, caller, settings }, use) {
    const account = caller.account;
    const mayGive = scopesOf(account, settings);
    if (body.scopes.some((scope) => !mayGive.includes(scope))) {
      throw new Refused('insufficient-scope', { detail: 'a key may not be wider than its owner' });
    }
    const created = await use.apiKeys.create({
      accountId: account.id,
      name: body.name,
      scopes: body.scopes,
      ...KEY_FORMS,
    });
    return json(201, { ...apiKeyReply(created), key: created.key });
  },
});

export const listApiKeys = endpoint({
  method: 'GET',
  path: '/api-keys',
  summary: 'List the own API keys',
  caller: 'token-or-api-key',
  counts: 'nothing',
  rights: withScope('admin'),
  replies: { 415: Failure, 200: z.array(ApiKeyReply), 401: Failure, 403: Failure },
  async answer({ caller }, use) {
    const keys = await use.apiKeys.list(caller.account.id);
    return ok(keys.map(apiKeyReply));
  },
});

export const deleteApiKey = endpoint({
  method: 'DELETE',
  path: '/api-keys/:id',
  summary: 'Delete an API key',
  caller: 'token-or-api-key',
  counts: 'nothing',
  rights: withScope('admin'),
  replies: { 415: Failure, 204: z.undefined(), 401: Failure, 403: Failure, 404: Failure },
  async answer({ caller, params }, use) {
    await use.apiKeys.delete(caller.account.id, params.id ?? '');
    return empty(204);
  },
});
