/** A ward's client of the AVYCENNA dialect, and its browser. Each has a client address of its own. */
import { type HttpClient, type Incoming, type Outgoing, openClient } from '../../support/http-client.ts';
import { passwordOf } from '../../support/scenario-format.ts';
import { PEOPLE, type TestServer } from '../../support/server.ts';

export interface Pair {
  readonly access: string;
  readonly refresh: string;
}

export interface WardClient {
  readonly send: HttpClient['send'];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Incoming>;
  get(path: string, headers?: Record<string, string>): Promise<Incoming>;
  me(access: string): Promise<Incoming>;
  signIn(email?: string, password?: string): Promise<Pair>;
  refresh(token: string): Promise<Incoming>;
  /** Asks for a code and reads the letter. */
  code(email: string): Promise<string>;
  makeKey(access: string, scopes: string[]): Promise<{ id: string; key: string }>;
}

export const PASSWORD = 'Thistle-Quarry-Beacon-52';

let addresses = 0;

export function clientOf(server: TestServer): WardClient {
  addresses += 1;
  const address = `198.51.100.${addresses}`;
  const http = openClient(server.url);
  const send = (outgoing: Outgoing) =>
    http.send({ ...outgoing, headers: { 'x-forwarded-for': address, ...outgoing.headers } });
  const post: WardClient['post'] = (path, body, headers = {}) =>
    send({
      method: 'POST',
      path: `/api/v1${path}`,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const get: WardClient['get'] = (path, headers = {}) =>
    send({ method: 'GET', path: `/api/v1${path}`, headers });
  return {
    send,
    post,
    get,
    me: (access) => get('/auth/me', { authorization: `Bearer ${access}` }),
    async signIn(email = 'dr@clinic.test', password = passwordOf(email, PEOPLE)) {
      return pairOf(await post('/auth/login', { email, password }));
    },
    refresh: (token) => post('/auth/refresh', { refresh_token: token }),
    async code(email) {
      await post('/auth/otp/send', { email });
      const code = /\b(\d{6})\b/.exec((await server.mail.take(email)).text)?.[1];
      if (code === undefined) throw new Error('The letter has no code.');
      return code;
    },
    async makeKey(access, scopes) {
      const made = await post('/api-keys', { name: 'Test', scopes }, { authorization: `Bearer ${access}` });
      if (made.status !== 201) throw new Error(`No key: ${made.text}`);
      return made.json() as { id: string; key: string };
    },
  };
}

export function pairOf(answer: Incoming): Pair {
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`No tokens: ${answer.text}`);
  const body = answer.json() as { access_token: string; refresh_token: string };
  return { access: body.access_token, refresh: body.refresh_token };
}

/** Status and body, for comparing at a glance. */
export const said = ({ status, text }: Incoming) => `${status} ${text}`;

/** What a browser gets at the end of a sign-in with Google. */
export interface Landing {
  readonly status: number;
  readonly location: string | undefined;
  readonly cookies: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Where Google sent the browser back to, for sending it again. */
  readonly callback: string;
  readonly binding: string;
}

/** Goes to Google as `person` and comes back. `change`: what happens to the callback's query on the way. */
export async function signInWithGoogle(
  server: TestServer,
  person: Record<string, unknown> | 'denied',
  options: { start?: string; change?: (query: URLSearchParams) => void; cookie?: string } = {},
): Promise<Landing> {
  const client = clientOf(server);
  const begun = await client.get(`/auth/oauth/google${options.start ?? ''}`);
  if (begun.status !== 302) throw new Error(`Not sent to Google: ${said(begun)}`);
  const binding = (begun.cookies[0] ?? '').split(';')[0] ?? '';
  server.upstream.nextPerson('google', person);
  const approved = await fetch(begun.headers.location ?? '', { redirect: 'manual' });
  const back = new URL(approved.headers.get('location') ?? '');
  options.change?.(back.searchParams);
  const callback = back.pathname + back.search;
  const landed = await client.send({
    method: 'GET',
    path: callback,
    headers: { cookie: options.cookie ?? `theme=dark; ${binding}` },
  });
  const { status, cookies, headers, text } = landed;
  return { status, location: headers.location, cookies, headers, text, callback, binding };
}
