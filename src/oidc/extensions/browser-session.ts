/**
 * The provider's browser sessions: which browser each belongs to, how its clients hear of its end, and sessions that
 * Portico makes itself.
 *
 * Replaces in oidc-provider 9.13.3:
 * - Client.prototype.backchannelLogout c4d4f0126520
 * - Session.prototype.destroy 0a3e278479bb
 * - Session.prototype.loginAccount 24d3e2a31978
 * - Session.prototype.persist ef22bdac508c
 * - Session.prototype.save f8ddf6a8fe26
 */
import type { IncomingMessage } from 'node:http';
import Provider, { errors } from 'oidc-provider';
import type { BrowserSessions } from '../contract.ts';
import type { LogoutOutbox } from '../logout/outbox.ts';
import { type ProviderContext, routeOf } from '../provider/context.ts';
import { override } from './models.ts';

type Session = InstanceType<Provider['Session']>;

interface LoggedOutClient {
  readonly clientId: string;
  backchannelLogout(accountId: string, sid: string): Promise<void>;
}

export function replaceSessionMethods(
  provider: Provider,
  deps: {
    browserOf(request: IncomingMessage | undefined): object | undefined;
    queueLogouts: LogoutOutbox['queue'];
    hasEnded(uid: string): Promise<boolean>;
    endSession(uid: string): Promise<void>;
  },
): void {
  const { prototype } = provider.Session;
  // Notes at each sign-in which browser it is, for the list of sessions on the account page.
  override(prototype, 'loginAccount', (session, original, details) => {
    original(details);
    Object.assign(session, { browser: deps.browserOf(Provider.ctx?.req) });
  });
  // A form without a session makes the provider write a secret into a new session, and then fail because that
  // was never stored. Such a session holds nothing to keep.
  override(prototype, 'persist', async (session, original) => (session.exp === undefined ? '' : original()));
  // At sign-out the provider would store the request, state and all, in a session without an account: an
  // attacker could make any number of them.
  override(prototype, 'save', async (session, original, ttl) => {
    const route = routeOf(Provider.ctx);
    if (session.accountId === undefined && route === 'end_session') return '';
    const isStored = session.exp !== undefined;
    const id = await original(ttl);
    if (!isStored || !(await deps.hasEnded(session.uid))) return id;
    // The session ended during this request: it must not be stored again, and the client gets no code.
    await session.destroy();
    if (route?.startsWith('end_session')) return id;
    throw new errors.LoginRequired('the session has ended');
  });
  override(prototype, 'destroy', async (session, original) => {
    await deps.endSession(session.uid);
    await original();
  });
  // The provider would send the logout token itself, and the person would wait for the client. The end of a session
  // queues the logouts of all its clients; this one is for a person who signs out at one client only.
  const { Client } = provider as unknown as { readonly Client: { readonly prototype: LoggedOutClient } };
  override(Client.prototype, 'backchannelLogout', async ({ clientId }, _original, accountId, sid) => {
    if (Provider.ctx?.oidc.params?.logout === undefined)
      await deps.queueLogouts([{ clientId, accountId, sid }]);
  });
  // The provider would go on, and the client would hear of no logout.
  provider.on('backchannel.error', (_ctx, error) => {
    throw error;
  });
}

/** A session that is not stored yet. Has a new id, against fixation. */
export function createSession(
  provider: Provider,
  signIn: Parameters<BrowserSessions['open']>[2] & { browser: object | undefined },
): Session {
  const { accountId, amr, acr, note, browser, openedBy } = signIn;
  const session = new provider.Session();
  session.loginAccount({ accountId, amr: [...amr], acr });
  return Object.assign(session, { note, browser, openedBy });
}

/** The secret of the provider's own forms; a form must carry it. */
export function formSecret({ oidc }: ProviderContext): string {
  return String(oidc.session?.state?.secret);
}

/** Whether the browser came without a session. */
export function isNewSession({ oidc: { session } }: ProviderContext): boolean {
  return session !== undefined && 'new' in session && session.new === true;
}
