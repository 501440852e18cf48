/** A ward's client of the AVYCENNA dialect, and its browser. Each has a client address of its own. */
import { registerAccount } from '../../../src/identity/accounts/create-account.ts';
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
  /** Asks for a code and reads the email. */
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
      const created = await post(
        '/api-keys',
        { name: 'Test', scopes },
        { authorization: `Bearer ${access}` },
      );
      if (created.status !== 201) throw new Error(`No key: ${created.text}`);
      return created.json() as { id: string; key: string };
    },
  };
}

export function pairOf(answer: Incoming): Pair {
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`No tokens: ${answer.text}`);
  const body = answer.json() as { access_token: string; refresh_token: string };
  return { access: body.access_token, refresh: body.refresh_token };
}

let people = 0;

/** A doctor with a verified address, made for one test, so that nothing of another reaches it. */
export async function newDoctor(
  server: TestServer,
  more: { roles?: string[]; emailVerified?: boolean } = {},
): Promise<{ email: string; accountId: string }> {
  people += 1;
  const email = `doctor-${people}@x.test`;
  const { id } = await registerAccount(server.running.identity, {
    organization: 'default',
    account: { email, emailVerified: true, password: PASSWORD, roles: ['doctor'], ...more },
  });
  return { email, accountId: id };
}

/** Status and body, for comparing at a glance. */
export const said = ({ status, text }: Incoming) => `${status} ${text}`;
