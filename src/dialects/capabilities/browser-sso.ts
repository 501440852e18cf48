/** A dialect's access token as a browser's link token into a hosted session (VSee's sso_token). */

import { randomUUID } from '../../core/crypto.ts';
import { noteSignIn } from '../../identity/audit/audit.ts';
import { ACR } from '../../oidc/contract.ts';
import type { BrowsersUse, SsoToken } from '../contract/use.ts';
import { mayGoOn } from '../runtime/admission.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';
import { factorGate } from '../runtime/factors.ts';
import { findAccess } from '../runtime/legacy-tokens.ts';
import { adopt, need, organizationOf, view } from './scope.ts';

const spentKey = (current: CurrentRequest, token: string) =>
  `browser-ticket:${current.identity.secrets.hmac('browser-ticket', token)}`;

async function read(
  current: CurrentRequest,
  token: string,
  strict: number | undefined,
): Promise<SsoToken | undefined> {
  const { services, mounted } = current;
  const now = services.clock.now();
  const live = await findAccess(current, token);
  if (live === undefined) return undefined;
  if (strict !== undefined) {
    if (now.getTime() / 1000 - live.issuedAt > strict) return undefined;
    if ((await services.stores.leases.read(spentKey(current, token), now)) !== 'free') return undefined;
  }
  const account = await services.stores.accounts.byId(live.accountId);
  if (account?.status !== 'active' || account.organization !== live.organization) return undefined;
  if (!mayGoOn(mounted, account)) return undefined;
  if (!(await adopt(current, account))) return undefined;
  const isEnough = await factorGate(mounted, current.identity, account.organization);
  if (!isEnough(account, live)) return undefined;
  return {
    account: await view(current, account),
    organization: organizationOf(current),
    token,
    grantId: live.grantId,
    strict: strict !== undefined,
  };
}

/** True for exactly one of parallel uses. */
async function spend(current: CurrentRequest, linkToken: SsoToken, burn: boolean): Promise<boolean> {
  const { services, mounted } = current;
  if (linkToken.strict) {
    const now = services.clock.now();
    const live = await services.oidc.grants.findAccess(linkToken.token, mounted.clientId);
    if (live === undefined) return false;
    const until = new Date(live.expiresAt * 1000);
    const key = spentKey(current, linkToken.token);
    const first = await services.stores.leases.acquire(key, randomUUID(), now, until);
    if (!first) return false;
  }
  return burn ? services.oidc.grants.destroyAccess(linkToken.token, mounted.clientId) : true;
}

export function browsersUse(current: CurrentRequest): BrowsersUse {
  const { identity, services, http, context } = current;
  return {
    readSsoToken: (token, { strict }) => read(current, token, strict),
    async openSession(linkToken, { burn, note }) {
      const account = await need(current, linkToken.account.id);
      if (!(await spend(current, linkToken, burn))) return false;
      const { req, res } = http;
      await services.oidc.sessions.open(req, res, {
        accountId: account.id,
        amr: ['sso'],
        acr: ACR.legacy,
        openedBy: linkToken.grantId,
        ...(note && { note }),
      });
      await noteSignIn(identity, { account, context: context, factor: 'sso' });
      return true;
    },
  };
}
