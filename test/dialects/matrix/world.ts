/**
 * One server with all five dialects for the tests that ask the same of every vendor. Each request comes from
 * a client address of its own unless the test names one, so that no limit of one test reaches another.
 */

import { randomText, randomToken } from '../../../src/core/crypto.ts';
import { splitSettings } from '../../../src/dialects/runtime/mounted.ts';
import { registerAccount } from '../../../src/identity/accounts/create-account.ts';
import type { AccountRecord, AccountStatus } from '../../../src/model/account.ts';
import type { Json } from '../../../src/model/json.ts';
import type { LiveToken } from '../../../src/oidc/grant-contract.ts';
import type { DialectInfo } from '../../conformance/dialect-under-test.ts';
import { basicAuth, recordsApi, type TestClient } from '../../support/clients.ts';
import { type Incoming, openClient } from '../../support/http-client.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../../support/server.ts';

/** Of everybody whom these tests make. */
export const PASSWORD = 'Walrus-Thicket-Beacon-71';

export interface Sent {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** The client address; default: one that was never used. */
  readonly from?: string;
}

export interface Person {
  readonly organization: string;
  readonly status?: AccountStatus;
  /** Null: none. */
  readonly password?: null;
  readonly verified?: boolean;
  readonly email?: string;
  readonly roles?: readonly string[];
  readonly vendor?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

export interface World {
  readonly server: TestServer;
  send(sent: Sent): Promise<Incoming>;
  /** An account that nobody else uses. */
  person(who: Person): Promise<AccountRecord>;
  /** The vendor's password sign-in, as its client sends it. */
  signIn(vendor: DialectInfo, login: string, more?: { password?: string; from?: string }): Promise<Incoming>;
  /** Signs in, and throws when that fails. */
  tokens(vendor: DialectInfo, login: string): Promise<{ access: string; refresh: string | undefined }>;
  me(vendor: DialectInfo, token: string): Promise<Incoming>;
  /** A live token of the dialect's own client, of whatever account and organization. */
  mint(vendor: DialectInfo, account: AccountRecord): Promise<Minted>;
  introspect(token: string, client?: TestClient): Promise<Record<string, unknown>>;
  revoke(token: string, client?: TestClient): Promise<Incoming>;
  close(): Promise<void>;
}

export interface Minted {
  readonly access: string;
  readonly refresh: string;
}

let addresses = 0;

/** A client address that no other request came from. */
export function freshAddress(): string {
  addresses += 1;
  return `10.${(addresses >> 16) & 255}.${(addresses >> 8) & 255}.${addresses & 255}`;
}

export async function openWorld(options: TestServerOptions = {}): Promise<World> {
  const server = await startTestServer(options);
  const client = openClient(server.url);
  let people = 0;

  const send = ({ method, path, headers, json, from = freshAddress() }: Sent) =>
    client.send({
      method,
      path,
      headers: {
        'x-forwarded-for': from,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });

  const signIn: World['signIn'] = (vendor, login, { password = PASSWORD, from = freshAddress() } = {}) =>
    send({
      method: 'POST',
      path: vendor.signIn.path,
      headers: { ...vendor.headers },
      json: vendor.signIn.body(login, password),
      from,
    });

  const standard = (path: string, token: string, { clientId, secret = '' }: TestClient) =>
    client.send({
      method: 'POST',
      path,
      headers: {
        authorization: basicAuth({ clientId, secret, redirectUri: '' }),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token }).toString(),
    });

  return {
    server,
    send,
    signIn,
    person({ organization, status, password, verified = true, email, roles, vendor }) {
      people += 1;
      const account = {
        email: email ?? `person${people}@matrix.test`,
        emailVerified: verified,
        ...(password === null ? {} : { password: PASSWORD }),
        ...(status && { status }),
        ...(roles && { roles }),
        ...(vendor && { vendor }),
      };
      return registerAccount(server.running.identity, { organization, account });
    },
    async tokens(vendor, login) {
      const reply = await signIn(vendor, login);
      if (reply.status !== vendor.signIn.status) {
        throw new Error(`${vendor.dialect.name} refused ${login}: ${reply.status} ${reply.text}`);
      }
      const { token, refreshToken } = vendor.signIn;
      return {
        access: String(pointed(reply.json(), token)),
        refresh: refreshToken === undefined ? undefined : String(pointed(reply.json(), refreshToken)),
      };
    },
    me: (vendor, token) =>
      send({
        method: 'GET',
        path: vendor.me.path,
        headers: { ...vendor.headers, ...vendor.me.headers(token) },
      }),
    mint: (vendor, account) => mint(server, vendor, account),
    async introspect(token, asking = recordsApi) {
      return (await standard('/introspect', token, asking)).json() as Record<string, unknown>;
    },
    revoke: (token, asking = recordsApi) => standard('/revoke', token, asking),
    async close() {
      client.close();
      await server.close();
    },
  };
}

export function pointed(json: unknown, pointer: string): unknown {
  let value = json;
  for (const member of pointer.split('/').slice(1)) value = (value as Record<string, unknown>)?.[member];
  return value;
}

/** As the dialect itself would issue it, but for any organization. */
async function mint(server: TestServer, { dialect }: DialectInfo, account: AccountRecord): Promise<Minted> {
  const settings = dialect.settings.parse(splitSettings(server.config.dialects[dialect.name]).own);
  const { tokens } = dialect;
  const value = (form: typeof tokens.access) => (form === 'jwt' ? 'jwt' : randomText(form));
  const issued = await server.running.oidc.grants.issue({
    clientId: dialect.clientId(settings),
    accountId: account.id,
    organization: account.organization,
    scope: tokens.scope,
    amr: ['pwd'],
    access: {
      value: value(tokens.access),
      lifetime: 600,
      audience: tokens.audience(settings, server.issuer),
      // What the panels and the introspection of the vendors look at.
      claims: { token_panel: 'therapist', user_id: '1', organization: account.organization },
    },
    refresh: {
      value: tokens.refresh === undefined ? randomToken('none_') : randomText(tokens.refresh.form),
      lifetime: 600,
    },
  });
  return { access: issued.access.value, refresh: issued.refresh?.value ?? '' };
}

/** The live token behind a text, as the server knows it. */
export function liveToken(
  { server }: World,
  { dialect }: DialectInfo,
  token: string,
): Promise<LiveToken | undefined> {
  const settings = dialect.settings.parse(splitSettings(server.config.dialects[dialect.name]).own);
  return server.running.oidc.grants.findAccess(token, dialect.clientId(settings));
}
