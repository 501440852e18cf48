/** Upstreams: ID tokens that a client presents, and sign-ins by redirect. */

import { DecryptionFailed, randomUUID } from '../../core/crypto.ts';
import { IdTokenRefused, type Upstream, type UpstreamClaims } from '../../federation/protocol/upstream.ts';
import { makeState, readState, spendState } from '../../identity/codes/redirect-state.ts';
import { idTokenWasUsed, takeBackIdToken, useIdToken } from '../../identity/upstream/id-token-replay.ts';
import { accountForIdentity, findByIdentity, linkIdentity } from '../../identity/upstream/link-identity.ts';
import type { Json } from '../../model/json.ts';
import { Refused } from '../contract/dialect.ts';
import type { UpstreamIdentity, UpstreamsUse } from '../contract/use.ts';
import { knows } from '../runtime/admission.ts';
import { newAccountFields } from './accounts.ts';
import type { Bound } from './scope.ts';

/** Seconds in which a redirect sign-in must come back. */
const STATE_LIFETIME = 600;

/** What the browser carries, encrypted, between the two halves of a redirect sign-in. */
interface Parked {
  readonly callback: string;
  readonly keep: Record<string, Json>;
}

function audiencesOf(bound: Bound, provider: string): readonly string[] {
  return bound.services.upstreams.get(provider)?.audiences ?? [];
}

function upstreamIdentity(bound: Bound, claims: UpstreamClaims): UpstreamIdentity {
  const user = randomUUID();
  return {
    provider: claims.provider,
    issuer: claims.issuer,
    subject: claims.subject,
    ...(claims.email === undefined ? {} : { email: claims.email }),
    emailVerified: claims.emailVerified,
    authoritative: claims.authoritative,
    ...(claims.name === undefined ? {} : { name: claims.name }),
    use: () => useIdToken(bound.identity, claims, user),
    takeBack: () => takeBackIdToken(bound.identity, claims, user),
  };
}

async function verified(
  bound: Bound,
  input: Parameters<UpstreamsUse['verifyIdToken']>[0],
): Promise<UpstreamIdentity> {
  const { services, identity } = bound;
  const upstream = services.upstreams.get(input.provider);
  if (upstream === undefined)
    throw new Refused('id-token-refused', { detail: 'the provider is not configured' });
  let claims: UpstreamClaims;
  try {
    claims = await upstream.verifyIdToken(input.idToken, {
      audiences: input.audiences ?? audiencesOf(bound, input.provider),
      maxAge: input.maxAge,
      now: services.clock.now(),
    });
  } catch (cause) {
    if (cause instanceof IdTokenRefused)
      throw new Refused('id-token-refused', { detail: cause.message, cause });
    throw cause;
  }
  if (await idTokenWasUsed(identity, claims))
    throw new Refused('id-token-refused', { detail: 'used before' });
  return upstreamIdentity(bound, claims);
}

/** A state is good for one dialect and one provider: the answer of provider X is none of provider Y. */
const statePurpose = (bound: Bound, provider: string) => `upstream:${bound.mounted.dialect.name}:${provider}`;
const bindingContext = (bound: Bound, provider: string, state: string) =>
  `${statePurpose(bound, provider)}:${state}`;

async function start(bound: Bound, input: Parameters<UpstreamsUse['start']>[0]) {
  const { services, identity } = bound;
  const upstream = services.upstreams.get(input.provider);
  if (upstream === undefined) throw new Refused('not-found', { detail: 'the provider is not configured' });
  const state = await makeState(identity, {
    purpose: statePurpose(bound, input.provider),
    organization: bound.organization().id,
    lifetime: STATE_LIFETIME,
    data: { carry: input.carry },
    address: bound.context.address,
  });
  const { url, keep } = await upstream.begin({ callback: input.callback, state });
  const parked: Parked = { callback: input.callback, keep };
  // Encrypted under the state: only the browser that began can come back with it, and only with this state.
  const binding = identity.secrets.encrypt(
    JSON.stringify(parked),
    bindingContext(bound, input.provider, state),
  );
  return { url, binding };
}

/** Undefined: this browser did not begin it. */
function parkedIn(
  bound: Bound,
  provider: string,
  state: string,
  binding: string | undefined,
): Parked | undefined {
  if (binding === undefined) return undefined;
  try {
    return JSON.parse(bound.identity.secrets.decrypt(binding, bindingContext(bound, provider, state)));
  } catch (cause) {
    if (cause instanceof DecryptionFailed) return undefined;
    throw cause;
  }
}

async function exchanged(
  bound: Bound,
  upstream: Upstream,
  returned: { parked: Parked; query: URLSearchParams; state: string },
): Promise<UpstreamIdentity | 'denied' | 'failed'> {
  const { parked, query, state } = returned;
  try {
    const claims = await upstream.finish({
      callback: parked.callback,
      parameters: query,
      state,
      keep: parked.keep,
      now: bound.services.clock.now(),
    });
    return claims === 'denied' ? 'denied' : upstreamIdentity(bound, claims);
  } catch (cause) {
    bound.services.log.warn({ err: cause, provider: upstream.name }, 'an upstream sign-in failed');
    return 'failed';
  }
}

async function finish(bound: Bound, input: Parameters<UpstreamsUse['finish']>[0]) {
  const { provider, query, binding } = input;
  const upstream = bound.services.upstreams.get(provider);
  if (upstream === undefined) throw new Refused('not-found', { detail: 'the provider is not configured' });
  const [state, ...more] = query.getAll('state');
  // Browser and organization are judged before the state is spent, so that an attacker cannot spend it.
  const parked =
    state === undefined || more.length > 0 ? undefined : parkedIn(bound, provider, state, binding);
  if (state === undefined || parked === undefined) throw new Refused('state-refused');
  const asked = { purpose: statePurpose(bound, provider), token: state };
  const read = await readState(bound.identity, asked);
  if (read === undefined || !(await bound.adopt(read))) throw new Refused('state-refused');
  const spent = await spendState(bound.identity, asked);
  if (spent === undefined) throw new Refused('state-refused');
  const outcome = await exchanged(bound, upstream, { parked, query, state });
  return { carry: spent.data.carry as Record<string, Json>, outcome };
}

export function upstreamsUse(bound: Bound): UpstreamsUse {
  const { identity, services, mounted } = bound;
  return {
    verifyIdToken: (input) => verified(bound, input),
    async findAccount({ issuer, subject }) {
      const organization = bound.organization().id;
      return bound.viewIfKnown(await findByIdentity(identity, { organization, issuer, subject }));
    },
    async link(accountId, { issuer, subject }) {
      await bound.need(accountId);
      await linkIdentity(identity, { accountId, issuer, subject });
      bound.did('identity.link', accountId);
    },
    async findOrCreateAccount(person, fresh) {
      const { account, how } = await accountForIdentity(identity, {
        organization: bound.organization().id,
        person,
        fresh: newAccountFields(fresh, mounted.dialect.name),
        knows: (account) => knows(mounted, account),
        address: bound.context.address,
      });
      if (how !== 'found') bound.did(`identity.${how}`, account.id);
      return bound.view(account);
    },
    has(provider, audiences) {
      return services.upstreams.has(provider) && (audiences ?? audiencesOf(bound, provider)).length > 0;
    },
    start: (input) => start(bound, input),
    finish: (input) => finish(bound, input),
  };
}
