/** Browsers that are signed in, apps that have access, and the end of each. */
import type { ShowsPerson, SubmitsPerson } from '../../http/account-routes.ts';
import { noteChange } from '../../identity/audit-line.ts';
import { accountClientId, type GrantView } from '../../oidc/oidc.ts';
import { originOf } from '../origin.ts';
import type { PageParts } from '../parts.ts';
import { leadTo, showAccountPage } from './show.ts';

/** Scopes and factors that have words of their own. */
const SCOPES = new Set([
  'openid',
  'profile',
  'email',
  'phone',
  'address',
  'organization',
  'roles',
  'offline_access',
]);
const FACTORS = new Set(['pwd', 'otp', 'fed', 'sso']);

export function access(parts: PageParts): ShowsPerson {
  return async (ctx, person) => {
    const { account, sessionUid } = person;
    const [sessions, grants] = await Promise.all([
      parts.holdings.listSessions(account.id),
      parts.holdings.listGrants(account.id),
    ]);
    const own = accountClientId(account.organization);
    await showAccountPage(parts, ctx, person, {
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
        grants: grants.filter(({ clientId }) => clientId !== own).map(grantData),
      },
    });
  };
}

function grantData({ grantId, clientName, scopes, createdAt }: GrantView) {
  return {
    grantId,
    client: clientName,
    at: createdAt.toISOString(),
    scopes: scopes.map((name) => ({ name, key: SCOPES.has(name) ? name : 'other' })),
  };
}

export function endSession(parts: PageParts): SubmitsPerson {
  return async (ctx, form, { account }) => {
    const ended = await parts.holdings.endSession(account.id, form.get('session') ?? '');
    if (ended) note(parts, ctx, account, 'session.end');
    leadTo(ctx, '/account/access', ended ? 'session-ended' : undefined);
  };
}

export function endGrant(parts: PageParts): SubmitsPerson {
  return async (ctx, form, { account }) => {
    const ended = await parts.holdings.endGrant(account.id, form.get('grant') ?? '');
    if (ended) note(parts, ctx, account, 'grant.end');
    leadTo(ctx, '/account/access', ended ? 'grant-ended' : undefined);
  };
}

function note(
  parts: PageParts,
  ctx: Parameters<ShowsPerson>[0],
  { id: subject, organization }: Parameters<ShowsPerson>[1]['account'],
  event: string,
): void {
  noteChange(parts.identity, { event, organization, subject, origin: originOf(ctx) });
}
