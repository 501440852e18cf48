/**
 * The server's general cross-origin setting (`http.cors.origins`), for dialects that ask for it. The
 * engine's endpoints follow the rules of each client instead, and pages are never readable across origins.
 */
export interface Cors {
  /** Headers of a reply to a request with this Origin; empty when the origin is not listed. */
  reply(origin: string | undefined): Record<string, string>;
  /** Headers of a preflight's reply. */
  preflight(origin: string | undefined): Record<string, string>;
}

const METHODS = 'GET, POST, PUT, PATCH, DELETE';
const HEADERS = 'Authorization, Content-Type';
const TEN_MINUTES = '600';

/** `origins`: exact origins such as 'https://app.example.com', or '*' alone for all (then without credentials). */
export function createCors(origins: readonly string[]): Cors {
  const listed = new Set(origins);
  const reply = (origin: string | undefined): Record<string, string> => {
    if (listed.size === 0 || origin === undefined) return {};
    if (listed.has('*')) return { 'Access-Control-Allow-Origin': '*' };
    if (!listed.has(origin)) return { Vary: 'Origin' };
    return { 'Access-Control-Allow-Origin': origin, Vary: 'Origin' };
  };
  return {
    reply,
    preflight(origin) {
      const headers = reply(origin);
      if (headers['Access-Control-Allow-Origin'] === undefined) return headers;
      return {
        ...headers,
        'Access-Control-Allow-Methods': METHODS,
        'Access-Control-Allow-Headers': HEADERS,
        'Access-Control-Max-Age': TEN_MINUTES,
      };
    },
  };
}
