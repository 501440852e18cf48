/** Who calls an endpoint that wants X-ApiToken or the clinic's key. */

import { type Credential, Refused } from '../contract/dialect.ts';
import type { AccountView, AnyAccepts, Caller, Endpoint, RequestView } from '../contract/endpoint.ts';
import { TOKEN } from './serializers.ts';
import type { VSeeSettings } from './settings.ts';

/** The frame lets nobody reach such an endpoint without an account; this tells the compiler. */
export function accountOf(caller: Caller | undefined): AccountView {
  if (caller?.account === undefined) throw new Refused('invalid-token');
  return caller.account;
}

/** Authorization, the query, the body and cookies are not looked at. */
export function credentialOf(
  request: RequestView,
  endpoint: Endpoint<AnyAccepts, VSeeSettings>,
  settings: VSeeSettings,
): Credential | undefined {
  if (endpoint.caller === 'api-key') return apiKey(request, settings);
  const token = request.header('x-apitoken')?.trim();
  if (!token) return undefined;
  return TOKEN.test(token) ? { kind: 'token', token } : { kind: 'unusable', as: 'token' };
}

function apiKey(request: RequestView, settings: VSeeSettings): Credential | undefined {
  const key = apiKeyOf(request);
  if (key === undefined) return undefined;
  const secret = request.header('x-apisecret')?.trim();
  if (secret) return { kind: 'api-key', key, secret };
  return settings.requireApiSecret ? { kind: 'unusable', as: 'api-key' } : { kind: 'api-key', key };
}

export const apiKeyOf = (request: RequestView) => request.header('x-apikey')?.trim() || undefined;
