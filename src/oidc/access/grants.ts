/** What an account has given access to, and how that ends: grants with their tokens, and browser sessions. */
import type { AccessEnder } from '../../identity/context.ts';
import { textsOf } from '../../model/json.ts';
import type { ClientRegistry } from '../clients/clients.ts';
import type { AccountAccess, GrantView, SessionView } from '../contract.ts';
import type { LogoutOutbox } from '../logout/outbox.ts';
import { memberOf, type OidcRecord, type OidcRecords } from '../persistence/records.ts';
import { endGrant, endParent } from '../tokens/dialect-tokens.ts';
import { type Consents, clientNameOf } from './consents.ts';
import { storedName } from './user-agent.ts';

interface AccessDeps {
  readonly logouts: LogoutOutbox;
  readonly oidcRecords: OidcRecords;
  readonly clients: ClientRegistry;
  readonly consents: Consents;
}

export function createAccessEnder(deps: AccessDeps): AccessEnder {
  const { oidcRecords, consents } = deps;
  return {
    async endAll(accountId, keep = {}) {
      const [grants, sessions, signIns] = await Promise.all([
        oidcRecords.listByAccount('Grant', accountId),
        oidcRecords.listByAccount('Session', accountId),
        oidcRecords.listByAccount('Interaction', accountId),
      ]);
      await Promise.all([
        ...grants
          .filter(({ payload }) => payload.clientId !== keep.clientId)
          .map(idOfGrant)
          .filter((id) => id !== keep.grantId)
          .map((id) => endGrant(oidcRecords, id)),
        ...signIns.map((signIn) => oidcRecords.removeStored('Interaction', signIn.id)),
        ...sessions
          .filter((session) => session.payload.uid !== keep.sessionUid)
          .map((session) => closeSession(deps, session, keep.clientId)),
      ]);
    },
    forgetConsents: (accountId) => consents.forgetAll(accountId),
  };
}

export function createAccountAccess(deps: AccessDeps): AccountAccess {
  const { oidcRecords, clients, consents } = deps;
  return {
    async listGrants(accountId) {
      const grants = await oidcRecords.listByAccount('Grant', accountId);
      return Promise.all(grants.map((grant) => grantView(grant, clients)));
    },
    async lastUseOf(grantId) {
      const kinds = ['AccessToken', 'RefreshToken'];
      const tokens = await Promise.all(kinds.map((kind) => oidcRecords.listByGrant(kind, grantId)));
      const moments = tokens
        .flat()
        .flatMap(({ createdAt, consumedAt }) => [createdAt, consumedAt ?? createdAt]);
      return moments.sort((one, two) => one.getTime() - two.getTime()).at(-1);
    },
    listConsents: (accountId) => consents.list(accountId),
    async listSessions(accountId) {
      return (await oidcRecords.listByAccount('Session', accountId)).map(sessionView);
    },
    async endGrant(accountId, grantId) {
      const grant = await oidcRecords.load('Grant', grantId);
      if (grant?.payload.accountId !== accountId) return [];
      // The consent first: while it is there, the client could get another grant.
      const forgotten = await consents.forget(accountId, String(grant.payload.clientId));
      await endParent(oidcRecords, grantId);
      await endGrant(oidcRecords, grantId);
      return forgotten ? ['grant', 'consent'] : ['grant'];
    },
    async endConsent(accountId, clientId) {
      return (await consents.forget(accountId, clientId)) ? ['consent'] : [];
    },
    async endSession(accountId, sessionUid) {
      const session = await oidcRecords.loadByUid('Session', sessionUid);
      if (session?.payload.accountId !== accountId) return false;
      await endSession(deps, session);
      return true;
    },
  };
}

/**
 * Ends a browser session as logging out does: with it end the grants that its clients got by it, except those
 * with offline_access. Resolves with the ids of the grants that ended.
 */
export async function endSession(deps: SessionDeps, session: OidcRecord): Promise<string[]> {
  const closed = await closeSession(deps, session);
  const ended = Object.values(closed?.payload.authorizations ?? {}).flatMap((authorization: unknown) => {
    const grantId = memberOf(authorization, 'grantId');
    const ends = typeof grantId === 'string' && memberOf(authorization, 'persistsLogout') !== true;
    return ends ? [grantId] : [];
  });
  await Promise.all(ended.map((grantId) => endGrant(deps.oidcRecords, grantId)));
  return ended;
}

export type SessionDeps = Pick<AccessDeps, 'oidcRecords' | 'logouts'>;

/**
 * Every end of a browser session goes through here. It queues the logouts of all clients but `kept`, which keeps its
 * grants. Resolves with the session as it was last stored; undefined: another caller has ended it.
 */
async function closeSession(
  { oidcRecords, logouts }: SessionDeps,
  { payload }: OidcRecord,
  kept?: string,
): Promise<OidcRecord | undefined> {
  const uid = String(payload.uid);
  await oidcRecords.noteEndOfSession(uid);
  // Read after the note: a request under way can add no further client to the session now.
  const session = await oidcRecords.loadByUid('Session', uid);
  if (session === undefined) return undefined;
  try {
    await logouts.queue(signInsOf(session, kept));
  } catch (error) {
    await oidcRecords.forgetEndOfSession(uid);
    throw error;
  }
  await oidcRecords.removeStored('Session', session.id);
  return session;
}

function signInsOf({ payload: { accountId, authorizations } }: OidcRecord, kept: string | undefined) {
  return Object.entries(authorizations ?? {}).flatMap(([clientId, authorization]) => {
    const sid = memberOf(authorization, 'sid');
    const isTold = typeof accountId === 'string' && typeof sid === 'string' && clientId !== kept;
    return isTold ? [{ clientId, accountId, sid }] : [];
  });
}

function idOfGrant(grant: OidcRecord): string {
  return String(grant.payload.jti);
}

async function grantView(grant: OidcRecord, clients: ClientRegistry): Promise<GrantView> {
  const clientId = String(grant.payload.clientId);
  const client = await clients.record(clientId);
  const { openid, resources } = grant.payload;
  const scopes = [memberOf(openid, 'scope') ?? '', ...Object.values(resources ?? {})].flatMap((scope) =>
    String(scope).split(' '),
  );
  return {
    grantId: idOfGrant(grant),
    clientId,
    clientName: clientNameOf(clientId, client),
    scopes: [...new Set(scopes.filter((scope) => scope !== ''))],
    createdAt: grant.createdAt,
    ...(grant.expiresAt && { expiresAt: grant.expiresAt }),
  };
}

export function sessionView(session: OidcRecord): SessionView {
  const { uid, loginTs, amr } = session.payload;
  const browser = storedName(session.payload.browser);
  return {
    uid: String(uid),
    signedInAt: typeof loginTs === 'number' ? new Date(loginTs * 1000) : session.createdAt,
    // The provider writes a session anew whenever it is used.
    lastUsedAt: session.createdAt,
    clients: Object.keys(session.payload.authorizations ?? {}),
    amr: textsOf(amr),
    ...(browser && { browser }),
    ...(session.expiresAt && { expiresAt: session.expiresAt }),
  };
}
