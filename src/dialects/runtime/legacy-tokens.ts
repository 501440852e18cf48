/**
 * Tokens that this server does not know, in stage primary: the legacy system is asked whose they are, and they go on
 * here. Asking is no amplifier: a client address has a budget of refused ones, and what was refused is not asked about
 * again for a minute. A legacy system that is away is never told as a bad token, since clients throw that one away.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { randomUUID } from '../../core/crypto.ts';
import { Refused } from '../../core/refused.ts';
import { takeOver } from '../../identity/legacy/take-over.ts';
import type { ConfirmedPerson, LegacyAnswer, LegacySystem } from '../../identity/legacy-systems.ts';
import { storeLimit } from '../../identity/rate-limits/budgets.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { LiveToken } from '../../oidc/grant-contract.ts';
import type { OrganizationView } from '../contract/dialect.ts';
import { mayGoOn } from './admission.ts';
import { adoptTokens } from './adopt-tokens.ts';
import type { CurrentRequest } from './current-request.ts';
import { directoryOf, organizationNamed } from './directory.ts';

/** Characters. */
const LONGEST_TOKEN = 4096;
/** Refused tokens of one client address. */
const REFUSED = storeLimit({ limit: 20, window: 300 });
/** Milliseconds for which a refused token is not asked about again. */
const REMEMBERED = 60_000;
/** Milliseconds that one request has for an adoption beyond the call itself. */
const MARGIN = 2000;

type TokenQuestion = Pick<
  CurrentRequest,
  'services' | 'mounted' | 'context' | 'request' | 'endpoint' | 'organization'
> & { readonly token: string; readonly kind: 'access' | 'refresh' };

/** A live access token of the dialect's client, adopted now where the legacy system made it. Throws 'unavailable'. */
export async function findAccess(current: CurrentRequest, token: string): Promise<LiveToken | undefined> {
  const { services, mounted } = current;
  const { grants } = services.oidc;
  const live = await grants.findAccess(token, mounted.clientId);
  if (mounted.legacy === undefined) return live;
  const question: TokenQuestion = { ...current, token, kind: 'access' };
  if (live !== undefined) return (await isStillGood(question, live)) ? live : undefined;
  const isAdopted = await adoptAsked(question, (system) => system.person?.({ token }, current.context));
  return isAdopted ? grants.findAccess(token, mounted.clientId) : undefined;
}

/**
 * Whether the refresh token, which is unknown here, can be rotated now as any other. Where it was used there before,
 * it is no good there either. Throws 'unavailable'.
 */
export async function adoptRefreshToken(current: CurrentRequest, refreshToken: string): Promise<boolean> {
  const question: TokenQuestion = { ...current, token: refreshToken, kind: 'refresh' };
  const ask: Ask = (system) => system.refresh?.({ refreshToken }, current.context);
  return current.mounted.legacy !== undefined && adoptAsked(question, ask);
}

/** False: the legacy system, asked again after a while, does not know the adopted token any more, which ends here too. */
async function isStillGood(question: TokenQuestion, live: LiveToken): Promise<boolean> {
  const { services, mounted, token, context } = question;
  const { adoptedAt, grantId, organization } = live;
  if (adoptedAt === undefined || mounted.legacy === undefined) return true;
  const now = services.clock.now();
  const recheck = mounted.legacy.tokens.recheck * 1000;
  if (now.getTime() - adoptedAt.getTime() < recheck) return true;
  const system = await systemFor(question, organization);
  if (system?.person === undefined) return true;
  const key = keyOf(question, 'recheck');
  const isDue = await services.stores.leases.acquire(
    key,
    randomUUID(),
    now,
    new Date(now.getTime() + recheck),
  );
  const answer = isDue ? await system.person({ token }, context) : undefined;
  // A person who has proven the address there meanwhile has it here.
  if (typeof answer === 'object' && 'yes' in answer && answer.yes.addressVerified === true)
    await accountOf(question, { system, person: answer.yes });
  if (answer !== 'no') return true;
  await services.oidc.grants.endGrant(grantId);
  return false;
}

type Ask = (system: LegacySystem) => Promise<LegacyAnswer> | undefined;

async function adoptAsked(question: TokenQuestion, ask: Ask): Promise<boolean> {
  const { services, mounted, token, kind } = question;
  const api = mounted.dialect.legacy;
  if (mounted.legacy === undefined || api === undefined) return false;
  if (token.length > LONGEST_TOKEN || (kind === 'access' && !api.tokenForm.test(token))) return false;
  const found = await systemOf(question);
  if (found === undefined) return false;
  const known = await services.oidc.grants.adoptionOf(token);
  if (known !== 'none') return known === 'alive';
  const work = () => asked(question, { ...found, ask });
  return kind === 'refresh' ? inTurn(question, work) : work();
}

interface Found {
  readonly system: LegacySystem;
  readonly organization: OrganizationView;
}

async function asked(question: TokenQuestion, { system, organization, ask }: Found & { ask: Ask }) {
  const { services } = question;
  const { leases } = services.stores;
  const now = services.clock.now();
  const refusedKey = keyOf(question, 'refused');
  if ((await leases.read(refusedKey, now)) !== 'free') return false;
  const held = await services.identity.budgets.hold([budgetOf(question)]);
  if ('full' in held) return false;
  const [hold] = held.holds;
  const answer = await ask(system);
  await (answer === 'no' ? hold?.charge() : hold?.release());
  if (answer === undefined) return false;
  if (answer !== 'no' && 'away' in answer) {
    const { away: detail, retryAfter } = answer;
    throw new Refused('unavailable', { detail, ...(retryAfter !== undefined && { retryAfter }) });
  }
  if (answer !== 'no' && (await confirmed(question, { system, organization, answer }))) return true;
  await leases.acquire(refusedKey, randomUUID(), now, new Date(now.getTime() + REMEMBERED));
  return false;
}

async function confirmed(
  question: TokenQuestion,
  { system, organization, answer }: Found & { answer: Extract<LegacyAnswer, { yes: unknown }> },
): Promise<boolean> {
  const { services, mounted, token, context, kind } = question;
  const { identity, issuer, oidc } = services;
  const account = await accountOf(question, { system, person: answer.yes });
  if (account === undefined) return false;
  const tokens = { [kind]: { value: token } };
  const adopting = { identity, grants: oidc.grants, issuer };
  if (await adoptTokens(adopting, { mounted, account, organization, tokens, context })) return true;
  // Another request may have adopted it.
  return (await oidc.grants.adoptionOf(token)) === 'alive';
}

/** Undefined: the account may not go on, or is another's. */
async function accountOf(
  { services, mounted, context }: TokenQuestion,
  { system, person }: { system: LegacySystem; person: ConfirmedPerson },
): Promise<AccountRecord | undefined> {
  const { dialect, rules } = system;
  const admits = (account: AccountRecord) => mayGoOn(mounted, account);
  const input = { dialect, person, addressesVerified: rules.addressesVerified, context, admits };
  const taken = await takeOver(services.identity, input);
  return typeof taken === 'string' ? undefined : taken.account;
}

/** One request asks, over all nodes: a refresh token is good for one use there. The others wait for what it finds. */
async function inTurn(question: TokenQuestion, work: () => Promise<boolean>): Promise<boolean> {
  const { services, mounted, token } = question;
  const { leases } = services.stores;
  const [key, owner] = [keyOf(question, 'turn'), randomUUID()];
  const longest = (mounted.legacy?.timeout ?? 0) + MARGIN;
  const deadline = performance.now() + longest;
  for (;;) {
    const now = services.clock.now();
    if (await leases.acquire(key, owner, now, new Date(now.getTime() + longest))) break;
    if (performance.now() > deadline)
      throw new Refused('unavailable', { detail: 'an adoption takes too long' });
    await delay(25);
  }
  try {
    const known = await services.oidc.grants.adoptionOf(token);
    return known === 'none' ? await work() : known === 'alive';
  } finally {
    await leases.release(key, owner);
  }
}

/** The legacy system that is asked, and the organization that it is asked for. */
async function systemOf(question: TokenQuestion): Promise<Found | undefined> {
  const { services, mounted } = question;
  // Some dialects look at the organization after the credential.
  const id = question.organization?.id ?? (await organizationNamed(services.identity, mounted, question));
  if (id === undefined) return undefined;
  const organization = await directoryOf(services.identity, mounted.dialect.name).byId(id);
  const system = organization && (await systemFor(question, id));
  return system && { system, organization };
}

async function systemFor(
  { services, mounted }: TokenQuestion,
  id: string,
): Promise<LegacySystem | undefined> {
  const { name } = mounted.dialect;
  return (await services.identity.legacy.asked(id, name)).find(({ dialect }) => dialect === name);
}

function keyOf({ services, mounted, token }: TokenQuestion, what: 'refused' | 'turn' | 'recheck'): string {
  const { secrets } = services.identity;
  return `adoption-${what}:${secrets.hmac('adoption', JSON.stringify([mounted.dialect.name, token]))}`;
}

function budgetOf({ services, mounted, context }: TokenQuestion) {
  const { secrets } = services.identity;
  const key = secrets.hmac('adoption', JSON.stringify([mounted.dialect.name, context.address]));
  return { key: `adoption-refused:${key}`, limit: REFUSED, kind: 'sliding' } as const;
}
