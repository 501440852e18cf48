/** A clinic's client of the VSee dialect. Each has a client address of its own, so that limits do not mix. */
import { passwordOf } from '../../support/scenario-format.ts';
import { PEOPLE, type TestServer } from '../../support/server.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what came is what the test looks into.
  readonly json: any;
}

export const KEY = '6f1d2c3b4a5968778695a4b3c2d1e0f1';
export const SECRET = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';

let addresses = 0;

export function clientOf(server: TestServer) {
  addresses += 1;
  const address = `198.51.100.${addresses}`;

  async function send(method: string, path: string, init: Omit<RequestInit, 'method'> = {}): Promise<Answer> {
    const headers = { 'x-forwarded-for': address, ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(server.url + path, { ...init, method, headers, redirect: 'manual' });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? JSON.parse(text) : undefined,
    };
  }

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    send('POST', `/api_v3${path}`, {
      headers: { 'content-type': 'application/json', 'x-accountcode': 'clinicdev', ...headers },
      body: JSON.stringify(body),
    });

  return {
    send,
    post,
    get: (path: string, headers: Record<string, string> = {}) => send('GET', path, { headers }),
    /** Signs a person of people.yaml in. */
    async signIn(login: string): Promise<{ token: string; refresh: string }> {
      const answer = await post('/users/login', { username: login, password: passwordOf(login, PEOPLE) });
      if (answer.status !== 200) throw new Error(`${login} was refused: ${answer.text}`);
      return { token: answer.json.data.token, refresh: answer.json.data.refresh_token.token };
    },
    sso: (person: Record<string, unknown>) =>
      post(
        '/users/sso',
        { first_name: 'Kim', last_name: 'Ray', type: 200, ...person },
        { 'x-apikey': KEY, 'x-apisecret': SECRET },
      ),
  };
}
