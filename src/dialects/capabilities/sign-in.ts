/** Signing in and out: who it is says identity/, what they get is one Grant of the dialect's client. */
import { randomText } from '../../core/crypto.ts';
import { enterNoted, noteRefusedSignIn } from '../../identity/audit/audit.ts';
import type { EnoughHere } from '../../identity/sign-in/attempt.ts';
import { signInWithCode } from '../../identity/sign-in/with-code.ts';
import { signInWithPassword } from '../../identity/sign-in/with-password.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { AccessInput, DialectSignIn, LiveToken, RefreshInput } from '../../oidc/grant-contract.ts';
import { Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { Amr, SignedIn } from '../contract/tokens.ts';
import type { SignInUse, SignOutUse } from '../contract/use.ts';
import { accessTokenOf, knows, mayEnter, mayGoOn, plainView } from '../runtime/admission.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';
import { factorGate } from '../runtime/factors.ts';
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
  {
    how,
    lifetime,
    appPassword,
  }: { how: Amr; lifetime?: number | undefined; appPassword?: string | undefined },
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
    ...(appPassword !== undefined && { appPassword }),
    access: accessInput(current, account, lifetime),
    ...(refresh && { refresh }),
  });
  return { account, tokens };
}

/** The account that a rotation is for; undefined refuses it. `signIn`: the one that is renewed. */
async function holderOf(
  current: CurrentRequest,
  accountId: string,
  signIn?: DialectSignIn,
): Promise<AccountRecord | undefined> {
  const { services, mounted, identity } = current;
  const account = await services.stores.accounts.byId(accountId);
  if (account === undefined || !(await adopt(current, account))) return undefined;
  if (!mayGoOn(mounted, account)) return undefined;
  if (signIn === undefined) return account;
  const isEnough = await factorGate(mounted, identity, account.organization);
  return isEnough(account, signIn) ? account : undefined;
}

/** Whether a sign-in of this moment is enough. */
async function isEnoughNow(current: CurrentRequest): Promise<EnoughHere> {
  const { mounted, identity } = current;
  const isEnough = await factorGate(mounted, identity, organizationOf(current).id);
  const signedInAt = identity.clock.now().getTime() / 1000;
  return (account, { amr, appPassword }) => isEnough(account, { amr, signedInAt, appPassword });
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
        const account = await holderOf(current, live.accountId, live);
        const successor = refreshInput(current);
        if (account === undefined || successor === undefined) return undefined;
        return { access: accessInput(current, await view(current, account)), refresh: successor };
      },
    });
  const rotated =
    (await rotate()) ?? ((await adoptRefreshToken(current, token)) ? await rotate() : undefined);
  // A replay did not go through `prepare`: who it is for is judged again. Its tokens are judged at each use.
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
      const isEnough = await isEnoughNow(current);
      const appPasswords = mounted.factors === 'app-passwords';
      const input = { ...tried, organization, context, admits, isEnough, appPasswords };
      return signInWithPassword(identity, input, ({ account, appPassword }) => {
        const how = appPassword === undefined ? 'pwd' : 'app-password';
        return issue(current, account, { how, lifetime, appPassword });
      });
    },
    async withCode({ only, ...code }) {
      const organization = organizationOf(current).id;
      const admits = (result: AccountRecord) => {
        if (only === undefined) return mayEnter(mounted, result);
        return result.status !== 'blocked' && knows(mounted, result) && only(seen(result));
      };
      const isEnough = await isEnoughNow(current);
      const input = { ...code, organization, context, admits, isEnough };
      return signInWithCode(identity, input, (account) => issue(current, account, { how: 'otp' }));
    },
    async as(account, how, options = {}) {
      const record = await need(current, account.id);
      if (record.status === 'blocked' || !knows(mounted, record))
        throw new Refused('sign-in-refused', { detail: 'the account is blocked, or was opened elsewhere' });
      const isEnough = await isEnoughNow(current);
      if (!isEnough(record, { amr: [how] })) {
        const { organization } = record;
        const refused = { organization, account: record, name: record.id, context, factor: how } as const;
        noteRefusedSignIn(identity, { ...refused, why: 'factor-needed' });
        throw new Refused('sign-in-refused', { detail: 'the account needs a second factor' });
      }
      const { lifetime } = options;
      return enterNoted(identity, { account: record, context, factor: how }, () =>
        issue(current, record, { how, lifetime }),
      );
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
