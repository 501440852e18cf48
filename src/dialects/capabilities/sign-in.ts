/** Signing in: who it is says identity/, what they get is one Grant of the dialect's client. */
import { randomText } from '../../core/crypto.ts';
import { noteSignIn } from '../../identity/audit/audit.ts';
import { signInWithCode } from '../../identity/sign-in/with-code.ts';
import { signInWithPassword } from '../../identity/sign-in/with-password.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AccessInput, IssuedGrant, LiveToken, RefreshInput } from '../../oidc/contract.ts';
import { Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { Amr, IssuedTokens, SignedIn } from '../contract/tokens.ts';
import type { SignInUse } from '../contract/use.ts';
import { plainView } from '../runtime/account-view.ts';
import { knows, mayEnter, mayGoOn } from '../runtime/admission.ts';
import type { Bound } from './scope.ts';

/** `lifetime`: seconds, instead of the dialect's. */
function accessInput(bound: Bound, account: AccountView, lifetime?: number): AccessInput {
  const { dialect, settings } = bound.mounted;
  const { tokens } = dialect;
  const sharedSecret = tokens.sharedSecret?.(settings);
  return {
    value: tokens.access === 'jwt' ? 'jwt' : randomText(tokens.access),
    lifetime: lifetime ?? tokens.accessLifetime(settings),
    audience: tokens.audience(settings, bound.services.issuer),
    claims: tokens.claims({ account, organization: bound.organization(), settings }),
    ...(sharedSecret === undefined ? {} : { sharedSecret }),
  };
}

/** Undefined: this dialect has no refresh tokens. */
function refreshInput(bound: Bound): RefreshInput | undefined {
  const { dialect, settings } = bound.mounted;
  const { refresh } = dialect.tokens;
  return refresh && { value: randomText(refresh.form), lifetime: refresh.lifetime(settings) };
}

/** Epoch seconds after which no successor of this sign-in's refresh token lives. */
function lineEnd(bound: Bound): number | undefined {
  const { dialect, settings } = bound.mounted;
  const seconds = dialect.tokens.refresh?.absoluteLifetime?.(settings);
  if (seconds === undefined) return undefined;
  return Math.floor(bound.services.clock.now().getTime() / 1000) + seconds;
}

function issuedTokens(grant: IssuedGrant): IssuedTokens {
  return grant.refresh === undefined
    ? { access: grant.access }
    : { access: grant.access, refresh: grant.refresh };
}

async function issue(
  bound: Bound,
  account: AccountView,
  how: Amr,
  lifetime: number | undefined,
): Promise<SignedIn> {
  const { dialect, clientId } = bound.mounted;
  const refresh = refreshInput(bound);
  const endsAt = lineEnd(bound);
  const grant = await bound.services.oidc.grants.issue({
    clientId,
    accountId: account.id,
    organization: account.organization,
    scope: dialect.tokens.scope,
    amr: [how],
    access: accessInput(bound, account, lifetime),
    ...(refresh === undefined ? {} : { refresh: endsAt === undefined ? refresh : { ...refresh, endsAt } }),
  });
  return { account, tokens: issuedTokens(grant) };
}

/** The account that a rotation is for; undefined refuses it. */
async function holderOf(bound: Bound, accountId: string): Promise<AccountRecord | undefined> {
  const account = await bound.services.stores.accounts.byId(accountId);
  if (account === undefined || !(await bound.adopt(account))) return undefined;
  return mayGoOn(bound.mounted, account) ? account : undefined;
}

async function refresh(bound: Bound, token: string): Promise<SignedIn> {
  const { mounted, exchange, services } = bound;
  const { dialect, settings, clientId } = mounted;
  const rules = dialect.tokens.refresh;
  if (rules === undefined)
    throw new Refused('refresh-refused', { detail: 'this dialect has no refresh tokens' });
  const rotated = await services.oidc.grants.rotate({
    token,
    clientId,
    ...(exchange.organization === undefined ? {} : { organization: exchange.organization.id }),
    arrivedAt: exchange.request.arrivedAt,
    reuse: rules.reuse,
    leeway: rules.leeway(settings),
    async prepare(live: LiveToken) {
      const account = await holderOf(bound, live.accountId);
      const successor = refreshInput(bound);
      if (account === undefined || successor === undefined) return undefined;
      const endsAt = lineEnd(bound);
      return {
        access: accessInput(bound, await bound.view(account)),
        refresh: endsAt === undefined ? successor : { ...successor, endsAt },
      };
    },
  });
  // A replay did not go through `prepare`: who it is for is judged again.
  const account = rotated && (await holderOf(bound, rotated.accountId));
  if (rotated === undefined || account === undefined) throw new Refused('refresh-refused');
  bound.did('token.refreshed', account.id);
  return { account: await bound.view(account), tokens: issuedTokens(rotated) };
}

export function signInUse(bound: Bound): SignInUse {
  const { identity, mounted, context } = bound;
  const seen = (account: AccountRecord) => plainView(account, mounted.dialect);
  return {
    async withPassword({ login, password, by, lifetime, only }) {
      const account = await signInWithPassword(identity, {
        organization: bound.organization().id,
        login,
        password,
        by,
        context,
        admits: (result) => mayEnter(mounted, result) && (only?.(seen(result)) ?? true),
      });
      return issue(bound, await bound.view(account), 'pwd', lifetime);
    },
    async withCode({ email, code, purpose, binding, only }) {
      const account = await signInWithCode(identity, {
        organization: bound.organization().id,
        email,
        code,
        purpose,
        context,
        admits(result) {
          if (only === undefined) return mayEnter(mounted, result);
          return result.status !== 'blocked' && knows(mounted, result) && only(seen(result));
        },
        ...(binding === undefined ? {} : { binding }),
      });
      return issue(bound, await bound.view(account), 'otp', undefined);
    },
    async as(account, how, options = {}) {
      const record = await bound.need(account.id);
      if (record.status === 'blocked' || !knows(mounted, record))
        throw new Refused('sign-in-refused', { detail: 'the account is blocked, or was opened elsewhere' });
      await noteSignIn(identity, { account: record, context, factor: how });
      return issue(bound, await bound.view(record), how, options.lifetime);
    },
    refresh: (refreshToken) => refresh(bound, refreshToken),
  };
}
