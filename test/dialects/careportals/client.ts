/** A portal's client of the CarePortals dialect. Each has a client address of its own, so that limits do not mix. */
import { type HttpClient, type Incoming, type Outgoing, openClient } from '../../support/http-client.ts';
import { passwordOf } from '../../support/scenario-format.ts';
import { PEOPLE, type TestServer } from '../../support/server.ts';

export interface PortalClient {
  readonly send: HttpClient['send'];
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Incoming>;
  patch(token: string, body: unknown): Promise<Incoming>;
  account(token: string): Promise<Incoming>;
  /** The bearer token of a person of people.yaml. */
  signIn(who?: { username: string; password: string; organization: string }): Promise<string>;
  /** Asks for a reset and reads the email's token. */
  resetToken(email: string, organization?: string): Promise<string>;
}

export const LEA = {
  username: 'lea@x.test',
  password: passwordOf('lea', PEOPLE),
  organization: 'north_clinic',
};
export const NEW_PASSWORD = 'Cinder-Maple-Voyage-52';

/** What a registration needs; the address is the caller's. */
export const patient = (email: string, more: Record<string, unknown> = {}) => ({
  email,
  firstName: 'Nia',
  lastName: 'New',
  gender: 'other',
  phone: '+15555550170',
  dob: '1990-01-01',
  ...more,
});

let addresses = 0;

export function clientOf(server: TestServer): PortalClient {
  addresses += 1;
  const address = `198.51.100.${addresses}`;
  const http = openClient(server.url);

  const send = (outgoing: Outgoing) =>
    http.send({ ...outgoing, headers: { 'x-forwarded-for': address, ...outgoing.headers } });
  const withBody = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    send({
      method,
      path,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', organization: 'north_clinic', ...headers },
    });
  const post: PortalClient['post'] = (path, body, headers) => withBody('POST', path, body, headers);

  return {
    send,
    post,
    patch: (token, body) =>
      withBody('PATCH', '/patient/users/account', body, { authorization: `Bearer ${token}` }),
    account: (token) =>
      send({
        method: 'GET',
        path: '/patient/users/account',
        headers: { authorization: `Bearer ${token}` },
      }),
    async signIn({ username, password, organization } = LEA) {
      const answer = await post('/patient/auth/login', { username, password }, { organization });
      if (answer.status !== 201) throw new Error(`${username} was refused: ${answer.text}`);
      return (answer.json() as { token: string }).token;
    },
    async resetToken(email, organization = 'north_clinic') {
      const answer = await post('/patient/auth/forgot', { email }, { organization });
      if (answer.status !== 201) throw new Error(`No letter for ${email}: ${answer.text}`);
      const token = /token=(rst_[\w-]{43})(?![\w-])/.exec((await server.mail.take(email)).text)?.[1];
      if (token === undefined) throw new Error('The letter has no reset token.');
      return token;
    },
  };
}

/** Status and message, for comparing at a glance. */
export const said = ({ status, text }: Incoming) => `${status} ${text}`;
