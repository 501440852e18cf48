/** A dialect's access token as a browser's link token into a hosted session (VSee's sso_token). */

import { randomUUID } from '../../core/crypto.ts';
import { noteSignIn } from '../../identity/audit/audit.ts';
import { ACR } from '../../oidc/contract.ts';
import type { BrowsersUse, SsoToken } from '../contract/use.ts';
import { mayGoOn } from '../runtime/admission.ts';
import type { Bound } from './scope.ts';

const spentKey = (bound: Bound, token: string) =>
  `browser-ticket:${bound.identity.secrets.hmac('browser-ticket', token)}`;

async function read(bound: Bound, token: string, strict: number | undefined): Promise<SsoToken | undefined> {
  const { services, mounted } = bound;
  const now = services.clock.now();
  const live = await services.oidc.grants.findAccess(token, mounted.clientId);
  if (live === undefined) return undefined;
  if (strict !== undefined) {
    if (now.getTime() / 1000 - live.issuedAt > strict) return undefined;
    if ((await services.stores.leases.read(spentKey(bound, token), now)) !== 'free') return undefined;
  }
  const account = await services.stores.accounts.byId(live.accountId);
  if (account?.status !== 'active' || account.organization !== live.organization) return undefined;
  if (!mayGoOn(mounted, account)) return undefined;
  if (!(await bound.adopt(account))) return undefined;
  return {
    account: await bound.view(account),
    organization: bound.organization(),
    token,
    strict: strict !== undefined,
  };
}

/** True for exactly one of parallel uses. */
async function spend(bound: Bound, linkToken: SsoToken, burn: boolean): Promise<boolean> {
  const { services, mounted } = bound;
  if (linkToken.strict) {
    const now = services.clock.now();
    const live = await services.oidc.grants.findAccess(linkToken.token, mounted.clientId);
    if (live === undefined) return false;
    const until = new Date(live.expiresAt * 1000);
    const first = await services.stores.leases.acquire(
      spentKey(bound, linkToken.token),
      randomUUID(),
      now,
      until,
    );
    if (!first) return false;
  }
  return burn ? services.oidc.grants.destroyAccess(linkToken.token, mounted.clientId) : true;
}

export function browsersUse(bound: Bound): BrowsersUse {
  const { identity, services, exchange } = bound;
  return {
    readSsoToken: (token, { strict }) => read(bound, token, strict),
    async openSession(linkToken, { burn, note }) {
      const account = await bound.need(linkToken.account.id);
      if (!(await spend(bound, linkToken, burn))) return false;
      const { req, res } = exchange.context;
      await services.oidc.sessions.open(req, res, {
        accountId: account.id,
        amr: ['sso'],
        acr: ACR.legacy,
        ...(note === undefined ? {} : { note }),
      });
      await noteSignIn(identity, { account, context: bound.context, factor: 'sso' });
      return true;
    },
  };
}
