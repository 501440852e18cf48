/** Signing in and out: who it is says identity/, what they get is one Grant of the dialect's client. */
import { randomText } from '../../core/crypto.ts';
import { noteSignIn } from '../../identity/audit/audit.ts';
import { signInWithCode } from '../../identity/sign-in/with-code.ts';
import { signInWithPassword } from '../../identity/sign-in/with-password.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AccessInput, LiveToken, RefreshInput } from '../../oidc/grant-contract.ts';
import { Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { Amr, SignedIn } from '../contract/tokens.ts';
import type { SignInUse, SignOutUse } from '../contract/use.ts';
import { accessTokenOf, knows, mayEnter, mayGoOn, plainView } from '../runtime/admission.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';
import { adoptRefreshToken } from '../runtime/legacy-tokens.ts';
import { adopt, did, need, organizationOf, view } from './scope.ts';

/** `lifetime`: seconds, instead of the dialect's. */
function accessInput(current: CurrentRequest, account: AccountView, lifetime?: number): AccessInput {
  const { mounted, services } = current;
  const input = accessTokenOf(mounted, { account, organization: organizationOf(current) }, services.issuer);
  return lifetime === undefined ? input : { ...input, lifetime };
}

/** Undefined: this dialect has no refresh tokens. No successor of one lives longer than the sign-in may. */
function refreshInput({ mounted, services }: CurrentRequest): RefreshInput | undefined {
  const { dialect, settings } = mounted;
  const { refresh } = dialect.tokens;
  if (refresh === undefined) return undefined;
  const input = { value: randomText(refresh.form), lifetime: refresh.lifetime(settings) };
  const seconds = refresh.absoluteLifetime?.(settings);
  if (seconds === undefined) return input;
  return { ...input, endsAt: Math.floor(services.clock.now().getTime() / 1000) + seconds };
}

async function issue(
  current: CurrentRequest,
  record: AccountRecord,
  how: Amr,
  lifetime?: number,
): Promise<SignedIn> {
  const { dialect, clientId } = current.mounted;
  const account = await view(current, record);
  current.signedIn = account.id;
  const refresh = refreshInput(current);
  const tokens = await current.services.oidc.grants.issue({
    clientId,
    accountId: account.id,
    organization: account.organization,
    scope: dialect.tokens.scope,
    amr: [how],
    access: accessInput(current, account, lifetime),
    ...(refresh && { refresh }),
  });
  return { account, tokens };
}

/** The account that a rotation is for; undefined refuses it. */
async function holderOf(current: CurrentRequest, accountId: string): Promise<AccountRecord | undefined> {
  const account = await current.services.stores.accounts.byId(accountId);
  if (account === undefined || !(await adopt(current, account))) return undefined;
  return mayGoOn(current.mounted, account) ? account : undefined;
}

async function refresh(current: CurrentRequest, token: string): Promise<SignedIn> {
  const { mounted, organization, services } = current;
  const { dialect, settings, clientId } = mounted;
  const rules = dialect.tokens.refresh;
  if (rules === undefined)
    throw new Refused('refresh-refused', { detail: 'this dialect has no refresh tokens' });
  const rotate = () =>
    services.oidc.grants.rotate({
      token,
      clientId,
      ...(organization && { organization: organization.id }),
      arrivedAt: current.request.arrivedAt,
      reuse: rules.reuse,
      leeway: rules.leeway(settings),
      async prepare(live: LiveToken) {
        const account = await holderOf(current, live.accountId);
        const successor = refreshInput(current);
        if (account === undefined || successor === undefined) return undefined;
        return { access: accessInput(current, await view(current, account)), refresh: successor };
      },
    });
  const rotated =
    (await rotate()) ?? ((await adoptRefreshToken(current, token)) ? await rotate() : undefined);
  // A replay did not go through `prepare`: who it is for is judged again.
  const account = rotated && (await holderOf(current, rotated.accountId));
  if (rotated === undefined || account === undefined) throw new Refused('refresh-refused');
  current.signedIn = account.id;
  did(current, 'token.refreshed', account.id);
  return { account: await view(current, account), tokens: rotated };
}

export function signInUse(current: CurrentRequest): SignInUse {
  const { identity, mounted, context } = current;
  const seen = (account: AccountRecord) => plainView(account, mounted.dialect);
  return {
    async withPassword({ lifetime, only, ...tried }) {
      const organization = organizationOf(current).id;
      const admits = (result: AccountRecord) => mayEnter(mounted, result) && (only?.(seen(result)) ?? true);
      const account = await signInWithPassword(identity, { ...tried, organization, context, admits });
      return issue(current, account, 'pwd', lifetime);
    },
    async withCode({ only, ...code }) {
      const organization = organizationOf(current).id;
      const admits = (result: AccountRecord) => {
        if (only === undefined) return mayEnter(mounted, result);
        return result.status !== 'blocked' && knows(mounted, result) && only(seen(result));
      };
      const account = await signInWithCode(identity, { ...code, organization, context, admits });
      return issue(current, account, 'otp');
    },
    async as(account, how, options = {}) {
      const record = await need(current, account.id);
      if (record.status === 'blocked' || !knows(mounted, record))
        throw new Refused('sign-in-refused', { detail: 'the account is blocked, or was opened elsewhere' });
      await noteSignIn(identity, { account: record, context, factor: how });
      return issue(current, record, how, options.lifetime);
    },
    refresh: (refreshToken) => refresh(current, refreshToken),
  };
}

export function signOutUse(current: CurrentRequest): SignOutUse {
  const { services, mounted, caller } = current;
  const { grants, sessions } = services.oidc;
  /** The sessions first: what fails in between can be asked for again with the same token. */
  const end = async (grantId: string, accountId: string) => {
    await sessions.endOpenedBy({ grantId, accountId });
    await grants.endGrant(grantId);
    did(current, 'logout', accountId);
  };
  return {
    async byToken(token, options = {}) {
      const grant = await grants.grantOf(token, mounted.clientId);
      if (grant === undefined) return false;
      if (options.owner !== undefined && options.owner !== grant.accountId) return false;
      await end(grant.grantId, grant.accountId);
      return true;
    },
    byGrant: (grantId) => end(grantId, caller?.account?.id ?? ''),
  };
}
