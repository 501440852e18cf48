/**
 * Requests to an upstream, with everything capped that the other side decides: time, size, redirects. Only
 * https, or plain http on this machine: a discovery document must not lead the server into a network.
 */
import { isLoopback } from '../../config/kinds.ts';
import { UpstreamUnavailable } from './upstream.ts';

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

const TIMEOUT = 5_000;
const MAX_BYTES = 512 * 1024;

export function isSafeUrl(text: string, mayBeHere = true): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (mayBeHere && protocol === 'http:' && isLoopback(hostname));
}

/** Rejects with UpstreamUnavailable when there is no whole answer in time. A redirect is an answer like any other. */
export function createCappedFetch(underlying: typeof fetch = fetch): Fetch {
  return async (url, init = {}) => {
    if (!isSafeUrl(url)) throw new UpstreamUnavailable(`Not an https URL: ${url}`);
    const timeout = AbortSignal.timeout(TIMEOUT);
    const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
    try {
      const response = await underlying(url, { ...init, redirect: 'manual', signal });
      const body = await readCapped(response);
      const { status, statusText, headers } = response;
      // A Response of such a status may not have a body, not even an empty one.
      return new Response(status === 204 || status === 304 ? null : body, { status, statusText, headers });
    } catch (cause) {
      if (cause instanceof UpstreamUnavailable) throw cause;
      throw new UpstreamUnavailable(`${new URL(url).origin} does not answer.`, { cause });
    }
  };
}

async function readCapped(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new UpstreamUnavailable('The answer is too large.');
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}

/** A JSON object answered with 200; UpstreamUnavailable for anything else. */
export async function fetchJson(fetchCapped: Fetch, url: string): Promise<Record<string, unknown>> {
  const response = await fetchCapped(url, { headers: { accept: 'application/json' } });
  if (response.status !== 200) throw new UpstreamUnavailable(`${url} answered ${response.status}.`);
  const value: unknown = await response.json().catch(() => undefined);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UpstreamUnavailable(`${url} did not answer a JSON object.`);
  }
  return { ...value };
}
