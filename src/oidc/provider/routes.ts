import { RESOURCE_METADATA } from '../../model/resource-metadata.ts';
import type { RequestBounds } from '../contract.ts';

/** Where the provider answers. */
export const ROUTES = {
  authorization: '/authorize',
  token: '/token',
  userinfo: '/userinfo',
  introspection: '/introspect',
  revocation: '/revoke',
  pushed_authorization_request: '/par',
  end_session: '/logout',
  jwks: '/jwks',
  device_authorization: '/device_authorization',
  code_verification: '/device',
  registration: '/register',
} as const;

type Methods = readonly string[];

const READ: Methods = ['GET', 'HEAD'];
const READ_BY_SCRIPTS: Methods = [...READ, 'OPTIONS'];
const SENT_BY_SCRIPTS: Methods = ['POST', 'OPTIONS'];
const MANAGED_BY_SCRIPTS: Methods = ['GET', 'PUT', 'DELETE', 'OPTIONS'];

const EXACT: ReadonlyMap<string, Methods> = new Map([
  [ROUTES.authorization, [...READ, 'POST']],
  [ROUTES.token, SENT_BY_SCRIPTS],
  [ROUTES.userinfo, [...READ, 'POST', 'OPTIONS']],
  [ROUTES.introspection, SENT_BY_SCRIPTS],
  [ROUTES.revocation, SENT_BY_SCRIPTS],
  [ROUTES.pushed_authorization_request, SENT_BY_SCRIPTS],
  [ROUTES.device_authorization, SENT_BY_SCRIPTS],
  [ROUTES.code_verification, [...READ, 'POST']],
  [ROUTES.end_session, [...READ, 'POST']],
  [`${ROUTES.end_session}/confirm`, ['POST']],
  [`${ROUTES.end_session}/success`, READ],
  [ROUTES.jwks, READ_BY_SCRIPTS],
  ['/.well-known/openid-configuration', READ_BY_SCRIPTS],
  ['/.well-known/oauth-authorization-server', READ_BY_SCRIPTS],
]);

/**
 * The methods that the provider answers at a path; undefined: it has no such route. `/authorize/<uid>` and
 * `/device/<uid>` resume an authorization.
 */
export function providerMethods(path: string, { registers }: { registers: boolean }): Methods | undefined {
  if (path.startsWith(RESOURCE_METADATA)) return READ_BY_SCRIPTS;
  if (registers && path === ROUTES.registration) return SENT_BY_SCRIPTS;
  if (registers && /^\/register\/[\w-]+$/.test(path)) return MANAGED_BY_SCRIPTS;
  return EXACT.get(path) ?? (/^\/(?:authorize|device)\/[\w-]+$/.test(path) ? READ : undefined);
}

/** Where people's browsers go. At the provider's other paths a program reads the reply. */
const BROWSED: readonly string[] = [ROUTES.authorization, ROUTES.end_session, ROUTES.code_verification];

export function isForPrograms(path: string, routes: { registers: boolean }): boolean {
  return (
    providerMethods(path, routes) !== undefined &&
    !BROWSED.some((at) => path === at || path.startsWith(`${at}/`))
  );
}

/** The sender has not authenticated yet, and the request is kept until a person has answered it. */
const BOUNDS: RequestBounds = {
  whole: 8192,
  // The provider keeps a login hint twice.
  parameters: { state: 2048, nonce: 512, scope: 1024, ui_locales: 1024, login_hint: 1024 },
};

const REQUESTED_AT: ReadonlySet<string> = new Set([
  ROUTES.authorization,
  ROUTES.pushed_authorization_request,
  ROUTES.device_authorization,
]);

export function requestBounds(path: string): RequestBounds | undefined {
  return REQUESTED_AT.has(path) ? BOUNDS : undefined;
}
