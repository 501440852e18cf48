/**
 * The way back to the app when a sign-in is over. The interaction that knew the app is gone then, so the
 * browser remembers which app sent it last; the address comes from the app's registration, never from
 * the request: that would be an open redirect.
 */
import type { Context } from 'koa';
import { readCookie } from '../../core/read-cookie.ts';
import { setCookie } from '../../http/request/set-cookie.ts';
import { type ClientRecord, DEVICE_CODE } from '../../model/client.ts';
import { webAddress } from './branding.ts';
import type { PageDeps } from './deps.ts';

export interface App {
  readonly name: string;
  readonly href: string;
}

export function rememberApp(deps: PageDeps, ctx: Context, clientId: string): void {
  const value = Buffer.from(clientId).toString('base64url');
  const cookie = `${value}.${deps.identity.secrets.sign('way-back', value)}`;
  const { name, secure } = cookieOf(deps);
  if (readCookie(ctx.req.headers.cookie, name) !== cookie)
    setCookie(ctx, { name, value: cookie, path: '/', secure });
}

/** The client that sent the browser here last; undefined where none is known, or it is gone. */
export async function lastClient(deps: PageDeps, ctx: Context): Promise<ClientRecord | undefined> {
  const [value = '', signature = ''] = (readCookie(ctx.req.headers.cookie, cookieOf(deps).name) ?? '').split(
    '.',
  );
  const { secrets, stores } = deps.identity;
  if (!secrets.verify('way-back', value, signature)) return undefined;
  return stores.clients.byId(Buffer.from(value, 'base64url').toString('utf8'));
}

/** Undefined where it has registered no page to begin at. */
export function appOf(deps: PageDeps, client: ClientRecord): App | undefined {
  if (isForDevices(client)) return undefined;
  const { client_name, client_uri, initiate_login_uri } = client.metadata;
  // OpenID Connect Core 4: the app's own address for beginning a sign-in.
  const begin = webAddress(initiate_login_uri);
  const href = begin === undefined ? webAddress(client_uri) : withIssuer(begin, deps.issuer);
  return href === undefined ? undefined : { name: String(client_name ?? client.clientId), href };
}

/** It signs in devices only: a browser that it sent has come from a code, and no page of it is to be gone back to. */
export function isForDevices(client: ClientRecord | undefined): boolean {
  const { grant_types: grants } = client?.metadata ?? {};
  return Array.isArray(grants) && grants.includes(DEVICE_CODE) && !grants.includes('authorization_code');
}

function withIssuer(address: string, issuer: string): string {
  const url = new URL(address);
  url.searchParams.set('iss', issuer);
  return url.href;
}

function cookieOf({ issuer }: PageDeps): { name: string; secure: boolean } {
  const secure = issuer.startsWith('https:');
  return { name: secure ? '__Host-portico_app' : 'portico_app', secure };
}
