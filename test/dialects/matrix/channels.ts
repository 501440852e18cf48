/**
 * Every channel at which a person of the default organization proves who they are: the five dialects' sign-ins,
 * by password and by code, the places that ask for the password again, and the hosted page.
 */

import type { DialectInfo } from '../../conformance/dialect-under-test.ts';
import { type RelyingParty, relyingParty } from '../../support/relying-party.ts';
import { openWebSession, type Page } from '../../support/web-session.ts';
import { avycenna, careportals, medisync, visitnote, vsee } from '../vendors.ts';
import { freshAddress, PASSWORD, type World } from './world.ts';

export interface Try {
  readonly login: string;
  readonly password?: string;
  /** X-Forwarded-For as it is sent; default: an address that was never used. */
  readonly from?: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Tried {
  readonly status: number;
  readonly text: string;
  /** Milliseconds between the request with the secret and its reply. */
  readonly took: number;
}

export interface Channel {
  readonly name: string;
  /** What a refusal and a success look like. */
  readonly refused: number;
  readonly admitted: number;
  knock(world: World, what: Try): Promise<Tried>;
}

/** The dialects as clients of the default organization speak to them. */
export const inDefault: readonly DialectInfo[] = [
  visitnote,
  medisync,
  { ...careportals, organization: 'default', headers: { organization: 'default' } },
  avycenna,
  { ...vsee, organization: 'default', headers: {} },
];

async function timed(
  world: World,
  sent: { path: string; json: unknown; headers?: Readonly<Record<string, string>> },
  { from = freshAddress(), headers }: Try,
): Promise<Tried> {
  const started = performance.now();
  const reply = await world.send({
    method: 'POST',
    path: sent.path,
    json: sent.json,
    headers: { ...sent.headers, ...headers },
    from,
  });
  return { status: reply.status, text: reply.text, took: performance.now() - started };
}

const passwordChannel = (vendor: DialectInfo, path = vendor.signIn.path): Channel => ({
  name: `${vendor.dialect.name} ${path}`,
  refused: vendor.refused.status,
  admitted: vendor.signIn.status,
  knock: (world, what) =>
    timed(
      world,
      {
        path,
        json: vendor.signIn.body(what.login, what.password ?? PASSWORD),
        headers: { ...vendor.headers },
      },
      what,
    ),
});

const vendorIn = (name: string): DialectInfo => {
  const result = inDefault.find(({ dialect }) => dialect.name === name);
  if (result === undefined) throw new Error(`There is no vendor ${name}.`);
  return result;
};

/** The five password sign-ins. */
export const passwordChannels: readonly Channel[] = inDefault.map((vendor) => passwordChannel(vendor));

/** The others of CarePortals: the short path, and the organization's own people (any role but patient). */
export const otherPasswordChannels: readonly Channel[] = [
  '/patient/auth',
  '/patient/org/auth',
  '/org/auth',
].map((path) => passwordChannel(vendorIn('careportals'), path));

/** A code that was never sent: wrong at every try. `password` is the code. */
export const codeChannels: readonly Channel[] = [
  {
    name: 'avycenna /api/v1/auth/otp/verify',
    refused: 401,
    admitted: 200,
    knock: (world, what) =>
      timed(
        world,
        { path: '/api/v1/auth/otp/verify', json: { email: what.login, otp: what.password ?? '000000' } },
        what,
      ),
  },
  {
    name: 'vsee /api_v3/users/login with a code',
    refused: 401,
    admitted: 200,
    knock: (world, what) =>
      timed(
        world,
        {
          path: '/api_v3/users/login',
          json: { email: what.login, email_token: what.password ?? 'aaaaaa' },
        },
        what,
      ),
  },
];

/** The hosted page. The forms of one browser are used again, so that a try is one request. */
export const hostedPage: Channel = {
  name: 'the hosted page',
  refused: 400,
  admitted: 303,
  async knock(world, what) {
    const { page, session } = await openPage(world, what);
    const { login, password = PASSWORD } = what;
    const [form] = page.forms.filter(({ names }) => names.includes('password'));
    if (form === undefined) throw new Error(`Nobody asks for a password at ${page.url}.`);
    const body = new URLSearchParams({ ...form.fields, login, password });
    const started = performance.now();
    const reply = await session.request(form.action, {
      method: 'POST',
      body,
      headers: { origin: new URL(page.url).origin, 'sec-fetch-site': 'same-origin' },
    });
    const text = await reply.text();
    return { status: reply.status, text: alike(text, login), took: performance.now() - started };
  },
};

/** One application per server. */
const parties = new WeakMap<World, Promise<RelyingParty>>();

async function openPage(world: World, { from = freshAddress(), headers }: Try) {
  const party = await (parties.get(world) ?? relyingParty(world.server.issuer));
  parties.set(world, Promise.resolve(party));
  const session = openWebSession({ headers: { 'x-forwarded-for': from, ...headers } });
  const page = await session.open((await party.begin()).url);
  if (typeof page === 'string') throw new Error(`The browser was sent to ${page}.`);
  return { session, page: page satisfies Page };
}

/** Without what is another in every page. */
function alike(html: string, login: string): string {
  return html
    .replaceAll(login, 'LOGIN')
    .replace(/\/interaction\/[\w-]+/g, '/interaction/UID')
    .replace(/interaction=[\w-]+/g, 'interaction=UID')
    .replace(/name="form_token" value="[^"]+"/g, 'TOKEN');
}

/** Where somebody who is signed in proves it again; the account is found by its address. */
export const againChannels: readonly Channel[] = [
  {
    name: 'visitnote /api/therapist/v1/delete-account',
    refused: 401,
    admitted: 200,
    async knock(world, what) {
      const headers = visitnote.me.headers(await tokenOf(world, visitnote, what.login));
      const json = { password: what.password ?? PASSWORD };
      return timed(world, { path: '/api/therapist/v1/delete-account', json, headers }, what);
    },
  },
  {
    name: 'vsee /api_v3/me with a new password',
    refused: 400,
    admitted: 200,
    async knock(world, what) {
      const headers = vsee.me.headers(await tokenOf(world, vsee, what.login));
      const json = { old_password: what.password ?? PASSWORD, password: PASSWORD };
      return timed(world, { path: '/api_v3/me', json, headers }, what);
    },
  },
];

async function tokenOf(world: World, vendor: DialectInfo, email: string): Promise<string> {
  const account = await world.server.running.stores.accounts.byEmail('default', email);
  if (account === undefined) throw new Error(`There is no account ${email}.`);
  return (await world.mint(vendor, account)).access;
}

/** All that let somebody in. */
export const signInChannels: readonly Channel[] = [
  ...passwordChannels,
  ...otherPasswordChannels,
  ...codeChannels,
  hostedPage,
];
