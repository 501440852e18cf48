/**
 * From a credential to its bearer. Whatever is wrong with a token (unknown, expired, of another client or
 * audience, of an account that may no longer come in) is one refusal, so that a client learns nothing from it.
 */
import { authenticateApiKey } from '../../identity/accounts/api-keys.ts';
import { wasRecent } from '../../identity/sign-in/recent.ts';
import { Refused } from '../contract/dialect.ts';
import type { Caller, CallerKind, Callers } from '../contract/endpoint.ts';
import { accountView, mayGoOn } from '../runtime/admission.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';
import type { DialectServices } from '../runtime/deps.ts';
import { factorGate } from '../runtime/factors.ts';
import { findAccess } from '../runtime/legacy-tokens.ts';
import type { MountedDialect } from '../runtime/mounted.ts';

const TAKES: Readonly<Record<CallerKind, readonly string[]>> = {
  anyone: ['token', 'api-key'],
  token: ['token'],
  'api-key': ['api-key'],
  'token-or-api-key': ['token', 'api-key'],
};

const words = (text: string) => text.split(' ').filter((word) => word !== '');

async function bearerOfToken(current: CurrentRequest, token: string): Promise<Callers['token']> {
  const { services, mounted } = current;
  const { dialect, settings } = mounted;
  const dead = () => new Refused('invalid-token');
  const live = await findAccess(current, token);
  if (live === undefined) throw dead();
  if (live.audience !== undefined && live.audience !== dialect.tokens.audience(settings, services.issuer))
    throw dead();
  const scopes = words(live.scope);
  if (!words(dialect.tokens.scope).every((scope) => scopes.includes(scope))) throw dead();
  const account = await services.stores.accounts.byId(live.accountId);
  if (account === undefined || account.organization !== live.organization || !mayGoOn(mounted, account))
    throw dead();
  const isEnough = await factorGate(mounted, services.identity, live.organization);
  if (!isEnough(account, live)) throw dead();
  return {
    kind: 'token',
    organization: live.organization,
    account: await accountView(services.identity, account, dialect),
    grantId: live.grantId,
    recent: wasRecent(
      { amr: live.amr, signedInAt: new Date((live.signedInAt ?? 0) * 1000) },
      account,
      services.clock.now(),
    ),
    scopes,
    claims: live.claims,
  };
}

/** With the time at which the key was made. Throws 'invalid-api-key'. */
export async function bearerOfKey(
  services: DialectServices,
  mounted: MountedDialect,
  credential: { readonly key: string; readonly secret?: string },
): Promise<Caller & { readonly createdAt: Date }> {
  const { dialect } = mounted;
  const result = await authenticateApiKey(services.identity, { ...credential, vendor: dialect.name });
  if (result === undefined) throw new Refused('invalid-api-key');
  const { record, account } = result;
  const caller = {
    kind: 'api-key',
    organization: record.organization,
    scopes: record.scopes,
    claims: {},
    createdAt: record.createdAt,
    ...(record.expiresAt && { endsAt: record.expiresAt }),
  } as const;
  if (record.accountId === undefined) return caller;
  if (account === undefined || !mayGoOn(mounted, account)) throw new Refused('invalid-api-key');
  return { ...caller, account: await accountView(services.identity, account, dialect) };
}

/** Throws 'no-credential', 'invalid-token', 'invalid-api-key'. */
export async function findCaller(current: CurrentRequest): Promise<Caller> {
  const { services, mounted, credential, endpoint } = current;
  if (credential === undefined) throw new Refused('no-credential');
  const kind = credential.kind === 'unusable' ? credential.as : credential.kind;
  if (!TAKES[endpoint.caller].includes(kind)) throw new Refused('no-credential');
  if (credential.kind === 'unusable')
    throw new Refused(kind === 'token' ? 'invalid-token' : 'invalid-api-key');
  if (credential.kind === 'token') return bearerOfToken(current, credential.token);
  const bearer = await bearerOfKey(services, mounted, credential);
  if (endpoint.caller === 'token-or-api-key' && bearer.account === undefined)
    throw new Refused('invalid-api-key');
  return bearer;
}
