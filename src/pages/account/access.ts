/** Browsers that are signed in, apps that have access, and the end of each. */

import type { Context } from 'koa';
import { recordEvent } from '../../identity/audit/audit.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import { accountClientId, type ConsentView, type GrantView } from '../../oidc/contract.ts';
import type { PageDeps } from '../shared/deps.ts';
import { requestContext } from '../shared/request-context.ts';
import { scopesInWords } from '../shared/scopes.ts';
import { leadTo, showAccountPage } from './render.ts';
import type { AccountForm, AccountPage } from './session.ts';

/** Factors that have words of their own. */
const FACTORS = new Set(['pwd', 'otp', 'fed', 'sso']);

export const access: AccountPage = async (deps, ctx, person) => {
  const { account, sessionUid } = person;
  const [sessions, grants, consents] = await Promise.all([
    deps.accountAccess.listSessions(account.id),
    deps.accountAccess.listGrants(account.id),
    deps.accountAccess.listConsents(account.id),
  ]);
  const own = accountClientId(account.organization);
  const held = new Set(grants.map(({ clientId }) => clientId));
  await showAccountPage(deps, ctx, person, {
    view: 'account-access',
    data: {
      sessions: sessions.map(({ uid, signedInAt, amr, browser }) => ({
        uid,
        browser,
        at: signedInAt.toISOString(),
        factors: amr.map((name) => (FACTORS.has(name) ? name : 'other')),
        here: uid === sessionUid,
      })),
      // These pages have one like any app; ending it would end nothing.
      grants: [
        ...grants.filter(({ clientId }) => clientId !== own).map(grantData),
        ...consents.filter(({ clientId }) => !held.has(clientId)).map(consentData),
      ],
    },
  });
};

/** `ends`: the form's field that says what to end. */
function grantData({ grantId, clientName, scopes, createdAt }: GrantView) {
  return {
    ...{ ends: 'grant', value: grantId, remembered: false },
    client: clientName,
    at: createdAt.toISOString(),
    scopes: scopesInWords(scopes),
  };
}

function consentData({ clientId, clientName, scopes, createdAt: givenAt }: ConsentView) {
  return {
    ...{ ends: 'client', value: clientId, remembered: true },
    client: clientName,
    at: givenAt.toISOString(),
    scopes: scopesInWords(scopes),
  };
}

export const endSession: AccountForm = async (deps, ctx, { account }, form) => {
  const ended = await deps.accountAccess.endSession(account.id, form.get('session') ?? '');
  if (ended) note(deps, ctx, account, 'session.end');
  leadTo(ctx, '/account/access', ended ? 'session-ended' : undefined);
};

/** A grant, or what is remembered for a client that has none. */
export const endGrant: AccountForm = async (deps, ctx, { account }, form) => {
  const { accountAccess } = deps;
  const clientId = form.get('client');
  const ended = clientId
    ? await accountAccess.endConsent(account.id, clientId)
    : await accountAccess.endGrant(account.id, form.get('grant') ?? '');
  for (const what of ended) note(deps, ctx, account, `${what}.end`);
  leadTo(ctx, '/account/access', ended.length > 0 ? 'grant-ended' : undefined);
};

function note(
  deps: PageDeps,
  ctx: Context,
  { id: subject, organization }: AccountRecord,
  event: AuditEvent,
): void {
  recordEvent(deps.identity, { event, organization, subject, context: requestContext(ctx) });
}
