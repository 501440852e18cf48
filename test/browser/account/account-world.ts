/** A server with account pages, and people who go there with a browser without scripts. */
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import type { AccountRecord } from '../../../src/model/account.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../../support/server.ts';
import { type Form, openWebSession, type Page, type WebSession } from '../../support/web-session.ts';

export const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
export const DOCTOR = { login: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' };
export const CHIEF = { login: 'chief@clinic.test', password: 'Juniper-Harvest-Copper-55' };
export const PATIENT = { login: 'patient@clinic.test', password: 'Juniper-Cargo-Mirror-29' };
/** Has no password. */
export const CODES = 'codes@clinic.test';
export const FRESH = 'Seven-Quiet-Otters-Swim-90';

/** A person's browser. */
export interface Visitor {
  readonly session: WebSession;
  /** Signs in at the account pages; ends at /account. */
  signIn(who: { login: string; password: string }): Promise<Page>;
  /** Opens a page below /account; throws when the browser ends elsewhere than at a page. */
  open(path: string): Promise<Page>;
  /** Sends the form of the page that posts to `action`. */
  send(page: Page, action: string, fields?: Record<string, string>): Promise<Page>;
}

export interface AccountWorld {
  readonly server: TestServer;
  visitor(address?: string): Visitor;
  /** One who has signed in. */
  signedIn(who: Parameters<Visitor['signIn']>[0], address?: string): Promise<Visitor>;
  account(email: string, organization?: string): Promise<AccountRecord>;
  change(email: string, change: (account: AccountRecord) => AccountRecord): Promise<AccountRecord>;
  /** Lets people open accounts in the organization. */
  openRegistration(organization?: string): Promise<void>;
  /** The six digits of the newest email. */
  codeFor(email: string): Promise<string>;
}

export async function startAccountWorld(options: TestServerOptions = {}): Promise<AccountWorld> {
  const server = await startTestServer(options);
  const { stores, identity } = server.running;
  const account = async (email: string, organization = 'default') => {
    const result = await stores.accounts.byEmail(organization, email);
    if (result === undefined) throw new Error(`${email} is not there.`);
    return result;
  };
  const visitor = (address = '203.0.113.7') => visitorOf(server, address);
  return {
    server,
    visitor,
    async signedIn(who, address) {
      const person = visitor(address);
      await person.signIn(who);
      return person;
    },
    account,
    async change(email, change) {
      const { id } = await account(email);
      return updateAccount(identity, id, change);
    },
    async openRegistration(organization = 'default') {
      const record = await stores.organizations.byId(organization);
      if (record === undefined) throw new Error(`${organization} is not there.`);
      await stores.organizations.put({ ...record, registration: true });
    },
    async codeFor(email) {
      const { text } = await server.mail.take(email);
      const code = /\b\d{6}\b/.exec(text)?.[0];
      if (code === undefined) throw new Error(`No code in:\n${text}`);
      return code;
    },
  };
}

function visitorOf(server: TestServer, address: string): Visitor {
  const session = openWebSession({ headers: { 'x-forwarded-for': address } });
  const visitor: Visitor = {
    session,
    async signIn(who) {
      const page = await visitor.open('/account');
      return shown(await session.submit(page, who, { form: formTo(page, /\/sign-in$/) }));
    },
    open: async (path) => shown(await session.open(server.issuer + path)),
    send: async (page, action, fields = {}) =>
      shown(await session.submit(page, fields, { form: formTo(page, action) })),
  };
  return visitor;
}

export function shown(page: Page | string): Page {
  if (typeof page === 'string') throw new Error(`The browser was sent to ${page}.`);
  return page;
}

/** `action`: the end of its address. Throws when there is none. */
export function formTo(page: Page, action: string | RegExp): Form {
  const form = page.forms.find((one) =>
    typeof action === 'string' ? new URL(one.action).pathname === action : action.test(one.action),
  );
  if (form === undefined)
    throw new Error(`No form to ${action} at ${page.url} (${page.status}):\n${page.body}`);
  return form;
}

export function pathOf(page: Page): string {
  return new URL(page.url).pathname;
}

/** What the page's alert says; '' without one. */
export function alertOf(page: Page): string {
  return /role="alert"[^>]*>([^<]*)</.exec(page.body)?.[1] ?? '';
}
