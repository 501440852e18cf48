/** Where the engine answers. */
export const ROUTES = {
  authorization: '/authorize',
  token: '/token',
  userinfo: '/userinfo',
  introspection: '/introspect',
  revocation: '/revoke',
  pushed_authorization_request: '/par',
  end_session: '/logout',
  jwks: '/jwks',
} as const;

const EXACT: ReadonlySet<string> = new Set([
  ...Object.values(ROUTES),
  `${ROUTES.end_session}/confirm`,
  `${ROUTES.end_session}/success`,
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
]);

/** Whether the engine has a route for the path; `/authorize/<uid>` resumes an authorization. */
export function isEngineRoute(path: string): boolean {
  return EXACT.has(path) || /^\/authorize\/[\w-]+$/.test(path);
}
