/**
 * `sector_identifier_uri` (OIDC Core 8.1): a JSON list, under the host that stands for the sector, of every redirect
 * URI of its clients. It shows that the owner of the host takes the client for one of theirs, so that a stranger's
 * client does not get their subjects. It is read when a client is stored, and not when the client is used.
 */
import type { Issue } from '../../config/issues.ts';
import { DEVICE_CODE } from '../../model/client.ts';
import { type Json, textsOf } from '../../model/json.ts';

const path = 'sector_identifier_uri';

export type SectorFetch = (url: string) => Promise<Response>;

export async function* sectorIssues(
  metadata: Readonly<Record<string, Json>>,
  fetch: SectorFetch,
): AsyncIterable<Issue> {
  const { sector_identifier_uri: uri, redirect_uris: redirects, jwks_uri: keys } = metadata;
  // The provider says so of any other.
  if (typeof uri !== 'string' || URL.parse(uri)?.protocol !== 'https:') return;
  const value = JSON.stringify(uri);
  const listed = await read(uri, fetch).catch((error: unknown) => String(Object(error).message));
  if (typeof listed === 'string') {
    const message = `must answer with a JSON list of the client’s redirect URIs, and cannot be read from here: ${listed}`;
    yield { path, value, message };
    return;
  }
  // A device has no redirect URI.
  const isDevice = textsOf(metadata.grant_types).includes(DEVICE_CODE);
  const needed = [...textsOf(redirects), ...(isDevice && typeof keys === 'string' ? [keys] : [])];
  const missing = needed.filter((each) => !listed.includes(each));
  if (missing.length > 0) yield { path, value, message: `does not list ${missing.join(', ')}` };
}

async function read(uri: string, fetch: SectorFetch): Promise<readonly unknown[]> {
  const reply = await fetch(uri);
  if (reply.status !== 200) throw new Error(`it answers ${reply.status}`);
  const body: unknown = await reply.json().catch(() => undefined);
  if (!Array.isArray(body)) throw new Error('it is no JSON list');
  return body;
}
