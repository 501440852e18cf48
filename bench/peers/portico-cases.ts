/** What only Portico has: the dialects' requests. */
import { z } from 'zod';
import type { SampledDialect } from '../../src/dialects/samples.ts';
import type { ServerProcess } from '../../test/support/server-process.ts';
import { FORM } from '../browser.ts';
import { chained } from '../cases.ts';
import { BROWSERS, type Cases, type Load, PEOPLE, type Person, personOf, type Requests } from '../subject.ts';

const JSON_BODY = { 'content-type': 'application/json' };
/** Addresses that codes go to: the contract allows each five in fifteen minutes. */
export const MAILBOXES = Array.from({ length: 1000 }, (_, i) => `mailbox${i}@example.test`);

export async function dialectCases(
  server: ServerProcess,
  dialects: readonly SampledDialect[],
): Promise<Cases> {
  const asks = (dialect: SampledDialect, person: Person) =>
    dialect.signIn({ ...person, organization: 'default' });
  const signIn = async (name: string, person: Person): Promise<unknown> => {
    const dialect = dialects.find((one) => one.name === name);
    if (!dialect) throw new Error(`There is no dialect ${name}.`);
    const { path, headers, body } = asks(dialect, person);
    return post(server.url + path, body, headers);
  };
  const cases = dialects.flatMap((dialect): [string, () => Promise<Load>][] => {
    const { name } = dialect;
    const { path, headers } = asks(dialect, personOf(0));
    const me = async (): Promise<Requests> => {
      const token = memberOf(await signIn(name, personOf(0)), dialect.token);
      const request = dialect.me(token);
      return { ...request, url: server.url + request.path, expected: personOf(0).username };
    };
    const signIns = async (): Promise<Requests> => ({
      ...{ url: server.url + path, method: 'POST', headers: { ...JSON_BODY, ...headers } },
      bodies: PEOPLE.map((person) => JSON.stringify(asks(dialect, person).body)),
      ...{ expected: `"${dialect.token.at(-1)}":`, connections: BROWSERS },
    });
    return [
      [`me ${name}`, me],
      [`sign-in ${name}`, signIns],
    ];
  });
  const tokenAt = (name: string, members: readonly string[]) => async (turn: number) =>
    memberOf(await signIn(name, personOf(turn)), members);
  return {
    ...Object.fromEntries(cases),
    'users vsee': async () => {
      const token = await tokenAt('vsee', ['data', 'token'])(PEOPLE.length - 1);
      const url = `${server.url}/api_v3/users.json?email=${encodeURIComponent(personOf(0).email)}`;
      // People whom VSee has not met get their ids when they are listed first.
      await fetch(url, { headers: { 'x-apitoken': token } });
      return { url, headers: { 'x-apitoken': token }, expected: personOf(0).email };
    },
    'refresh vsee': chained(
      { url: `${server.url}/api_v3/tokens/refresh.json`, method: 'POST', headers: FORM, expected: '"token"' },
      { before: 'refresh_token=', after: '', pattern: '"refresh_token":{[^}]-"token":"([^"]+)"' },
      tokenAt('vsee', ['data', 'refresh_token', 'token']),
    ),
    'refresh avycenna': chained(
      {
        url: `${server.url}/api/v1/auth/refresh`,
        method: 'POST',
        headers: JSON_BODY,
        expected: '"access_token"',
      },
      { before: '{"refresh_token":"', after: '"}', pattern: '"refresh_token":"([^"]+)"' },
      tokenAt('avycenna', ['refresh_token']),
    ),
    'code verify': codeVerify(server),
  };
}

/** AVYCENNA: a code is asked for, arrives by email, and signs in; all of it is one. */
function codeVerify({ url, mail }: ServerProcess): () => Promise<Load> {
  let used = 0;
  return async () => ({
    async once() {
      used += 1;
      const email = MAILBOXES[used % MAILBOXES.length] ?? '';
      // The contract’s limit of each client address: every request comes from another one.
      const headers = { 'x-forwarded-for': `10.${used >> 16}.${(used >> 8) & 255}.${used & 255}` };
      await post(`${url}/api/v1/auth/otp/send`, { email }, headers);
      const otp = /\b\d{6}\b/.exec((await mail.take(email)).text)?.[0];
      await post(`${url}/api/v1/auth/otp/verify`, { email, otp }, headers);
    },
    connections: BROWSERS,
  });
}

async function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const response = await fetch(url, {
    ...{ method: 'POST', body: JSON.stringify(body) },
    headers: { ...JSON_BODY, ...headers },
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

const table = z.record(z.string(), z.unknown());

function memberOf(value: unknown, [first, ...rest]: readonly string[]): string {
  return first === undefined ? z.string().parse(value) : memberOf(table.parse(value)[first], rest);
}
