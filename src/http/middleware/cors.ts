/**
 * CORS: the server's general cross-origin setting (`http.cors.origins`) as rules, for the dialects that have none
 * of their own. The provider's endpoints follow the rules of each client instead, and pages are never
 * readable across origins.
 */
export type ServerCors = ReturnType<typeof createCors>;

/** `origins`: exact ones, such as 'https://app.example.com'. Without credentials: the APIs take tokens, not cookies. */
export function createCors(origins: readonly string[]) {
  return {
    origins,
    credentials: false,
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    headers: ['Authorization', 'Content-Type'],
    exposed: ['Retry-After', 'X-Request-Id'],
    /** Seconds. */
    maxAge: 600,
  };
}
