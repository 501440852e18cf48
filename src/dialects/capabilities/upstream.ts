/** Upstreams: ID tokens that a client presents, and sign-ins by redirect. */

import { randomUUID, tryDecrypt } from '../../core/crypto.ts';
import { IdTokenRefused, type Upstream, type UpstreamClaims } from '../../federation/protocol/upstream.ts';
import { makeState, readState, spendState } from '../../identity/codes/redirect-state.ts';
import { askSocial } from '../../identity/legacy/ask-social.ts';
import { idTokenWasUsed, takeBackIdToken, useIdToken } from '../../identity/upstream/id-token-replay.ts';
import { accountForIdentity, findByIdentity, linkIdentity } from '../../identity/upstream/link-identity.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { Json } from '../../model/json.ts';
import { Refused } from '../contract/dialect.ts';
import type { UpstreamIdentity, UpstreamsUse } from '../contract/use.ts';
import { knows, mayEnter } from '../runtime/admission.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';
import { newAccountFields } from './accounts.ts';
import { adopt, did, need, organizationOf, view, viewIfKnown } from './scope.ts';

/** Seconds in which a redirect sign-in must come back. */
const STATE_LIFETIME = 600;

/** What the browser carries, encrypted, between the two halves of a redirect sign-in. */
interface Parked {
  readonly callback: string;
  readonly keep: Record<string, Json>;
}

function upstreamIdentity({ identity }: CurrentRequest, claims: UpstreamClaims): UpstreamIdentity {
  const user = randomUUID();
  return {
    ...claims,
    use: () => useIdToken(identity, claims, user),
    takeBack: () => takeBackIdToken(identity, claims, user),
  };
}

const defect = (detail: string, cause?: unknown) => new Refused('id-token-refused', { detail, cause });

async function verified(
  current: CurrentRequest,
  { provider, idToken, maxAge, ...input }: Parameters<UpstreamsUse['verifyIdToken']>[0],
): Promise<UpstreamIdentity> {
  const { services, identity } = current;
  const upstream = services.upstreams.get(provider);
  if (upstream === undefined) throw defect('the provider is not configured');
  const audiences = input.audiences ?? upstream.audiences;
  const rules = { audiences, maxAge, now: services.clock.now() };
  const claims = await upstream.verifyIdToken(idToken, rules).catch((cause: unknown) => {
    throw cause instanceof IdTokenRefused ? defect(cause.message, cause) : cause;
  });
  if (await idTokenWasUsed(identity, claims)) throw defect('used before');
  return upstreamIdentity(current, claims);
}

function configured({ services }: CurrentRequest, provider: string): Upstream {
  const upstream = services.upstreams.get(provider);
  if (upstream === undefined) throw new Refused('not-found', { detail: 'the provider is not configured' });
  return upstream;
}

/** A state is good for one dialect and one provider: the answer of provider X is none of provider Y. */
const statePurpose = (current: CurrentRequest, provider: string) =>
  `upstream:${current.mounted.dialect.name}:${provider}`;
const bindingContext = (current: CurrentRequest, provider: string, state: string) =>
  `${statePurpose(current, provider)}:${state}`;

async function start(
  current: CurrentRequest,
  { provider, callback, carry }: Parameters<UpstreamsUse['start']>[0],
) {
  const { identity, context } = current;
  const upstream = configured(current, provider);
  const state = await makeState(identity, {
    purpose: statePurpose(current, provider),
    organization: organizationOf(current).id,
    lifetime: STATE_LIFETIME,
    data: { carry },
    address: context.address,
  });
  const { url, keep } = await upstream.begin({ callback, state });
  const parked = JSON.stringify({ callback, keep } satisfies Parked);
  // Encrypted under the state: only the browser that began can come back with it, and only with this state.
  return { url, binding: identity.secrets.encrypt(parked, bindingContext(current, provider, state)) };
}

/** Undefined: this browser did not begin it. */
function parkedIn(current: CurrentRequest, binding: string, context: string): Parked | undefined {
  const parked = tryDecrypt(current.identity.secrets, binding, context);
  return parked === undefined ? undefined : JSON.parse(parked);
}

async function finish(
  current: CurrentRequest,
  { provider, query, binding }: Parameters<UpstreamsUse['finish']>[0],
) {
  const { identity, services } = current;
  const upstream = configured(current, provider);
  const [state, ...more] = query.getAll('state');
  if (state === undefined || more.length > 0 || binding === undefined) throw new Refused('state-refused');
  // Browser and organization are judged before the state is spent, so that an attacker cannot spend it.
  const parked = parkedIn(current, binding, bindingContext(current, provider, state));
  const asked = { purpose: statePurpose(current, provider), token: state };
  const read = parked && (await readState(identity, asked));
  const spent = read && (await adopt(current, read)) ? await spendState(identity, asked) : undefined;
  if (parked === undefined || spent === undefined) throw new Refused('state-refused');
  const carry = spent.data.carry as Record<string, Json>;
  try {
    const now = services.clock.now();
    const claims = await upstream.finish({ ...parked, parameters: query, state, now });
    return { carry, outcome: claims === 'denied' ? claims : upstreamIdentity(current, claims) };
  } catch (cause) {
    services.log.warn({ err: cause, provider: upstream.name }, 'an upstream sign-in failed');
    return { carry, outcome: 'failed' as const };
  }
}

/** Who is linked to nothing here: a legacy system may say who it is, and then the two are linked. */
async function askedElsewhere(
  current: CurrentRequest,
  person: Parameters<UpstreamsUse['findAccount']>[0],
  presented: NonNullable<Parameters<UpstreamsUse['findAccount']>[1]>,
): Promise<AccountRecord | undefined> {
  const { identity, context, mounted } = current;
  const account = await askSocial(identity, {
    ...{ organization: organizationOf(current).id, context, presented, email: person.email },
    admits: (account) => mayEnter(mounted, account),
  });
  if (account === undefined) return undefined;
  const { issuer, subject } = person;
  await linkIdentity(identity, { accountId: account.id, issuer, subject, context });
  return account;
}

export function upstreamsUse(current: CurrentRequest): UpstreamsUse {
  const { identity, services, mounted } = current;
  return {
    verifyIdToken: (input) => verified(current, input),
    async findAccount(person, presented) {
      const organization = organizationOf(current).id;
      const linked = await findByIdentity(identity, { organization, ...person });
      const account = linked ?? (presented && (await askedElsewhere(current, person, presented)));
      return viewIfKnown(current, account);
    },
    async link(accountId, { issuer, subject }) {
      await need(current, accountId);
      await linkIdentity(identity, { accountId, issuer, subject });
      did(current, 'identity.link', accountId);
    },
    async findOrCreateAccount(person, fresh) {
      const { account, how } = await accountForIdentity(identity, {
        organization: organizationOf(current).id,
        person,
        fresh: newAccountFields(fresh, mounted.dialect.name),
        knows: (account) => knows(mounted, account),
        address: current.context.address,
      });
      if (how !== 'found') did(current, `identity.${how}`, account.id);
      return view(current, account);
    },
    has(provider, audiences) {
      const upstream = services.upstreams.get(provider);
      return upstream !== undefined && (audiences ?? upstream.audiences).length > 0;
    },
    start: (input) => start(current, input),
    finish: (input) => finish(current, input),
  };
}
