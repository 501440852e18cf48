/** Everything that is known about the person, as a file. */

import { recordEvent } from '../../identity/audit/audit.ts';
import { exportAccount } from '../../identity/self-service/export-account.ts';
import { showAccountPage } from './render.ts';
import type { AccountPage } from './session.ts';

export const data: AccountPage = (visit) => showAccountPage(visit, 'account-data', {});

export const download: AccountPage = async ({ deps, ctx, account, context }) => {
  const [known, sessions, grants, consents] = await Promise.all([
    exportAccount(deps.identity, account),
    deps.accountAccess.listSessions(account.id),
    deps.accountAccess.listGrants(account.id),
    deps.accountAccess.listConsents(account.id),
  ]);
  const { id: subject, organization } = account;
  recordEvent(deps.identity, { event: 'data.download', organization, subject, context });
  ctx.attachment('my-account.json');
  ctx.type = 'json';
  const file = {
    ...known,
    sessions: sessions.map(({ signedInAt, amr, browser }) => ({ signed_in_at: signedInAt, amr, ...browser })),
    apps: grants.map(({ clientId, clientName, scopes, createdAt }) => ({
      client_id: clientId,
      name: clientName,
      scopes,
      since: createdAt,
    })),
    consents: consents.map(({ clientId, clientName, scopes, claims, createdAt: givenAt, expiresAt }) => ({
      client_id: clientId,
      name: clientName,
      scopes,
      claims,
      given_at: givenAt,
      expires_at: expiresAt,
    })),
  };
  ctx.body = `${JSON.stringify(file, null, 2)}\n`;
};
