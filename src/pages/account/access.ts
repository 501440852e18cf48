/** Browsers that are signed in, apps that have access, and the end of each. */

import { recordEvent } from '../../identity/audit/audit.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import { accountClientId, type ConsentView, type GrantView } from '../../oidc/contract.ts';
import { scopesInWords } from '../shared/scopes.ts';
import { showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Visit } from './session.ts';

/** Key of the words for each; '': the others of the sign-in say it. */
const FACTORS: ReadonlyMap<string, string> = new Map([
  ...['pwd', 'otp', 'fed', 'sso'].map((name): [string, string] => [name, name]),
  ...['hwk', 'swk'].map((name): [string, string] => [name, 'passkey']),
  ...['user', 'mfa', 'remembered'].map((name): [string, string] => [name, '']),
]);

export const access: AccountPage = async (visit) => {
  const { deps, account, sessionUid } = visit;
  const [sessions, grants, consents] = await Promise.all([
    deps.accountAccess.listSessions(account.id),
    deps.accountAccess.listGrants(account.id),
    deps.accountAccess.listConsents(account.id),
  ]);
  const own = accountClientId(account.organization);
  const held = new Set(grants.map(({ clientId }) => clientId));
  await showAccountPage(visit, 'account-access', {
    sessions: sessions.map(({ uid, signedInAt, amr, browser }) => ({
      uid,
      browser,
      at: signedInAt.toISOString(),
      factors: amr.map((name) => FACTORS.get(name) ?? 'other').filter((name) => name !== ''),
      here: uid === sessionUid,
    })),
    // `ends`: the form's field that says what to end.
    grants: [
      // These pages have a grant like any app; ending it would end nothing.
      ...grants
        .filter(({ clientId }) => clientId !== own)
        .map((grant) => ({ ...shown(grant), ends: 'grant', value: grant.grantId, remembered: false })),
      ...consents
        .filter(({ clientId }) => !held.has(clientId))
        .map((given) => ({ ...shown(given), ends: 'client', value: given.clientId, remembered: true })),
    ],
  });
};

function shown({ clientName, scopes, createdAt }: GrantView | ConsentView) {
  return { client: clientName, at: createdAt.toISOString(), scopes: scopesInWords(scopes) };
}

export const endSession: AccountForm = async (visit) => {
  const { deps, account, form } = visit;
  const ended = await deps.accountAccess.endSession(account.id, form.get('session') ?? '');
  if (ended) note(visit, 'session.end');
  return ended ? '/account/access?done=session-ended' : '/account/access';
};

/** A grant, or what is remembered for a client that has none. */
export const endGrant: AccountForm = async (visit) => {
  const { deps, account, form } = visit;
  const clientId = form.get('client');
  const ended = clientId
    ? await deps.accountAccess.endConsent(account.id, clientId)
    : await deps.accountAccess.endGrant(account.id, form.get('grant') ?? '');
  for (const what of ended) note(visit, `${what}.end`);
  return ended.length > 0 ? '/account/access?done=grant-ended' : '/account/access';
};

function note({ deps, account, context }: Visit, event: AuditEvent): void {
  const { id: subject, organization } = account;
  recordEvent(deps.identity, { event, organization, subject, context });
}
