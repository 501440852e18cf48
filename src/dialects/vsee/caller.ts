/** Who calls an endpoint that wants X-ApiToken or the clinic's key. */

import type { Credential } from '../contract/dialect.ts';
import type { AnyAccepts, Endpoint, RequestView } from '../contract/endpoint.ts';
import { TOKEN } from './serializers.ts';
import type { VSeeSettings } from './settings.ts';

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
