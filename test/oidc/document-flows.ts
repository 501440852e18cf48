/** The way of a client that is named by the URL of its document: to the pages, and to its tokens. */
import { createHash, randomBytes } from 'node:crypto';
import { INES } from '../support/client-app.ts';
import { walk } from '../support/relying-party.ts';
import type { TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';

export const API = 'https://mcp.test/mcp';
export const API_SECRET = 'secret-of-the-api-of-these-tests';
export const CALLBACK = 'http://127.0.0.1:4321/callback';

export interface Request {
  readonly url: string;
  readonly verifier: string;
}

export function authorize(server: string, clientId: string, more: Record<string, string> = {}): Request {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL('/authorize', server);
  const form = {
    ...{
      client_id: clientId,
      response_type: 'code',
      redirect_uri: CALLBACK,
      scope: 'openid call',
      resource: API,
    },
    ...{ code_challenge: createHash('sha256').update(verifier).digest('base64url') },
    ...{ code_challenge_method: 'S256', state: 'of-the-client', ...more },
  };
  url.search = new URLSearchParams(present(form)).toString();
  return { url: url.href, verifier };
}

type Server = Pick<TestServer, 'url'>;

export async function post({ url }: Server, path: string, form: Record<string, string>) {
  const reply = await fetch(url + path, { method: 'POST', body: new URLSearchParams(form) });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
}

type More = Readonly<Record<string, string>>;

/** `resource: ''`: none. */
const present = (form: More) => Object.fromEntries(Object.entries(form).filter(([, value]) => value !== ''));

/** `more`: over the parameters of the requests. */
export async function signInByDocument(server: Server, clientId: string, more: More = {}) {
  const { url, verifier } = authorize(server.url, clientId, more);
  const { redirect_uri = CALLBACK, resource = API } = more;
  const at = await walk(openWebSession(), url, redirect_uri, INES);
  const code = String(new URL(at).searchParams.get('code'));
  const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri, resource };
  return post(server, '/token', present({ ...form, client_id: clientId }));
}

export function refreshByDocument(server: Server, clientId: string, token: unknown, more: More = {}) {
  const form = { grant_type: 'refresh_token', refresh_token: String(token), resource: API, ...more };
  return post(server, '/token', present({ ...form, client_id: clientId }));
}

export async function openApi({ running }: TestServer): Promise<void> {
  const { secrets } = running.identity;
  await running.stores.apis.put({
    ...{ id: 'mcp', identifier: API, format: 'jwt', algorithm: 'ES256' },
    secretHash: secrets.hmac('client-secret', API_SECRET),
    scopes: { call: { unregistered: true }, admin: {} },
  });
}
