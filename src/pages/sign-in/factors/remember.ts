/** The box "do not ask in this browser": a cookie for each account that ticked it, and its use at the next sign-in. */
import { readCookie } from '../../../core/read-cookie.ts';
import { setCookie } from '../../../http/request/set-cookie.ts';
import { effectivePolicy } from '../../../identity/factors/policy.ts';
import { isRemembered, rememberDevice } from '../../../identity/factors/remembered-devices.ts';
import type { AccountRecord } from '../../../model/account.ts';
import type { Amr } from '../../../model/amr.ts';
import { hasFactor } from '../../../model/factors.ts';
import type { InteractionView } from '../../../oidc/contract.ts';
import type { Step } from '../guards.ts';

/** Days for which the box is offered; 0: not at all, as where an app asks for two. */
export function rememberDays({ stepUp, factorPolicies }: InteractionView): number {
  return stepUp === undefined ? effectivePolicy(factorPolicies).rememberDays : 0;
}

/** With what this browser's cookie stands for. */
export async function withRemembered(
  step: Step,
  account: AccountRecord,
  proofs: readonly Amr[],
): Promise<readonly Amr[]> {
  const { deps, ctx, view, context } = step;
  const days = rememberDays(view);
  if (days === 0 || proofs.includes('mfa') || !hasFactor(account)) return proofs;
  const value = readCookie(ctx.req.headers.cookie, cookieOf(step, account).name);
  if (value === undefined) return proofs;
  const known = await isRemembered(deps.identity, { account, days, value, context });
  return known ? [...proofs, 'remembered'] : proofs;
}

/** Where the box was ticked with the factor that has just been proven. */
export async function rememberIfAsked(
  step: Step,
  account: AccountRecord,
  proofs: readonly Amr[],
): Promise<void> {
  const { deps, ctx, view, context, form } = step;
  const days = rememberDays(view);
  if (days === 0 || form.get('remember-device') !== 'yes' || !proofs.includes('mfa')) return;
  const { browser, system } = view.browser ?? {};
  const name = [browser, system].filter((part) => part !== undefined).join(', ');
  const value = await rememberDevice(deps.identity, { account, days, name, context });
  setCookie(ctx, { ...cookieOf(step, account), value, maxAge: days * 86_400 });
}

/** People who share a browser are each remembered for themselves. */
function cookieOf({ deps }: Step, { id }: AccountRecord) {
  const secure = deps.issuer.startsWith('https:');
  const whose = deps.identity.secrets.hmac('remembered-cookie', id).slice(0, 12);
  return { name: `${secure ? '__Host-' : ''}portico_device_${whose}`, path: '/', secure };
}
