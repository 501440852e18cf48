/**
 * A trip to an upstream and back, to sign in or to link an account. The upstream answers at one fixed address
 * per provider (what one says is not taken for another's), which cookies of an interaction do not reach, and
 * Apple's cross-site POST carries none at all. So `state` is an encrypted one-use record of everything, and the
 * answer is parked under another one until the browser has hopped back to the page that it left, where it has to
 * show its cookies: those of the page itself, and the one that form tokens are bound to.
 */
import type { Context } from 'koa';
import { randomToken } from '../../core/crypto.ts';
import { callbackOf, type Upstream, type UpstreamClaims } from '../../federation/protocol/upstream.ts';
import { seeOther, sendPage } from '../../http/views/send-page.ts';
import { makeState, readState, spendState } from '../../identity/codes/redirect-state.ts';
import type { NamedPerson } from '../../identity/sign-in/with-upstream.ts';
import { type Json, textsOf } from '../../model/json.ts';
import type { OrganizationRecord } from '../../model/organization.ts';
import { type Branded, brandOf } from './branding.ts';
import type { PageDeps, PageForm } from './deps.ts';
import { sayGone } from './interaction.ts';
import { leadingTo } from './lead-on.ts';

/** Seconds that a person may take at the upstream, and that a browser may take for the hop. */
const AWAY = 3600;
const HOP = 120;
const ARRIVED = 'upstream-arrived';
/** What of an answer is looked at (RFC 6749 4.1.2, RFC 9207; `user`: Apple's names). */
const PARAMETERS = ['code', 'error', 'iss', 'user'];

/** Where a trip starts, and ends. */
export interface Origin {
  readonly organization: string;
  /** The path that was left; the answer is looked at below it, at `/arrived`. */
  readonly page: string;
  /** Who left it: names the interaction, or the account and its session. */
  readonly owner: string;
}

/** What is remembered of a way there. */
type Away = {
  readonly page: string;
  /** The form token of this browser for this trip: proves at the end that it is the same browser, and the same owner. */
  readonly browser: string;
  readonly keep: Record<string, Json>;
};

type Parked = Away & {
  readonly provider: string;
  readonly state: string;
  readonly answer: Record<string, string>;
};

/** An answer whose browser is the one that left. */
export interface Arrival extends Parked {
  readonly upstream: Upstream;
  readonly token: string;
}

/** The ways to sign in that an organization names, in its order; undefined: every way. */
export function namedWays(organization: OrganizationRecord | undefined): string[] | undefined {
  const ways = new Set(textsOf(organization?.branding?.ways));
  return ways.size === 0 ? undefined : [...ways];
}

/** Those that an organization offers, in its order. */
export function upstreamsOf(
  { upstreams }: PageDeps,
  organization: OrganizationRecord | undefined,
): Upstream[] {
  const names = namedWays(organization) ?? [...upstreams.keys()];
  return names.flatMap((name) => upstreams.get(name) ?? []).filter(({ redirects }) => redirects);
}

/** Undefined: a link of this issuer leads in no more. */
export function upstreamOf({ upstreams }: Pick<PageDeps, 'upstreams'>, issuer: string): Upstream | undefined {
  return [...upstreams.values()].find((each) => each.issuers.includes(issuer));
}

export function upstreamTitle({ upstreams }: PageDeps, name: string): string {
  return upstreams.get(name)?.title ?? name;
}

/** Sends the browser there. UpstreamUnavailable, Refused('too-many-requests'). */
export async function depart(
  deps: PageDeps,
  ctx: Context,
  trip: Origin &
    Branded & {
      readonly upstream: Upstream;
      readonly languages: readonly string[];
      readonly again: boolean;
      readonly loginHint?: string;
      /** The client's. */
      readonly address: string;
    },
): Promise<void> {
  const { upstream, page, owner, organization, again, loginHint, address, languages } = trip;
  const state = randomToken();
  const callback = callbackOf(deps.issuer, upstream.name);
  const hint = loginHint === undefined ? {} : { loginHint };
  const { url, keep } = await upstream.begin({ callback, state, again, ...hint });
  const data: Away = { page, browser: deps.forms.tokenFor(ctx, owner), keep };
  const purpose = purposeOf(upstream.name);
  await makeState(deps.identity, { purpose, organization, lifetime: AWAY, data, token: state, address });
  sendPage(ctx, deps.views, {
    ...leadingTo(url, upstream.title, { returns: true }),
    languages,
    brand: await brandOf(deps.identity, deps.views, trip),
  });
}

/** The upstream's answer, by GET or as a form; from any site, which is why it decides nothing yet. */
export const upstreamAnswered: PageForm = async (deps, ctx, form) => {
  const provider = String(ctx.params.provider);
  const state = form.get('state') ?? '';
  const known = deps.upstreams.has(provider) && state !== '' && state.length <= 100;
  const result = known
    ? await spendState(deps.identity, { purpose: purposeOf(provider), token: state })
    : undefined;
  if (result === undefined) return sayGone(deps, ctx);
  const away = result.data as Away;
  const answer = PARAMETERS.flatMap((name) => {
    const value = form.get(name);
    return value === null ? [] : [[name, value]];
  });
  const parked: Parked = { ...away, provider, state, answer: Object.fromEntries(answer) };
  const token = await makeState(deps.identity, {
    purpose: ARRIVED,
    organization: result.organization,
    lifetime: HOP,
    data: parked,
  });
  seeOther(ctx, `${away.page}/arrived?answer=${token}`);
};

/**
 * The answer that this browser brings back to the page that it left. Undefined: reloaded, or too late; nothing is
 * lost but the trip. Refused('forbidden'): of another browser, or of another owner. It is not spent yet.
 */
export async function readArrival(
  deps: PageDeps,
  ctx: Context,
  { organization, page, owner }: Origin,
): Promise<Arrival | undefined> {
  const token = typeof ctx.query.answer === 'string' ? ctx.query.answer : '';
  // A link preview asks with HEAD; it must not use up what the person needs. Nor may another browser.
  const result =
    ctx.method === 'GET' ? await readState(deps.identity, { purpose: ARRIVED, token }) : undefined;
  const parked = result?.data as Parked | undefined;
  const upstream = deps.upstreams.get(parked?.provider ?? '');
  if (parked?.page !== page || result?.organization !== organization || upstream === undefined)
    return undefined;
  deps.forms.check(ctx, owner, parked.browser);
  return { ...parked, upstream, token };
}

/**
 * What the upstream says of the person. The answer is spent when the upstream has stood by it: while that is down,
 * the same page may be tried again. 'spent': by another request. UpstreamUnavailable, IdTokenRefused.
 */
export async function claimsOf(
  deps: PageDeps,
  { upstream, token, state, keep, answer }: Arrival,
): Promise<UpstreamClaims | 'denied' | 'spent'> {
  const claims = await upstream.finish({
    callback: callbackOf(deps.issuer, upstream.name),
    parameters: new URLSearchParams({ ...answer, state }),
    state,
    keep,
    now: deps.identity.clock.now(),
  });
  const spent = await spendState(deps.identity, { purpose: ARRIVED, token });
  return spent === undefined ? 'spent' : claims;
}

/** The person of whom the upstream speaks, as identity/ takes one. */
export function namedPersonOf(claims: UpstreamClaims): NamedPerson {
  const { issuer, subject, email, emailVerified, authoritative, name, givenName, familyName } = claims;
  const { provider, refreshToken } = claims;
  return {
    ...{ issuer, subject, emailVerified, authoritative },
    ...(email !== undefined && { email }),
    ...(refreshToken !== undefined && { token: { provider, token: refreshToken } }),
    names: {
      ...(name !== undefined && { name }),
      ...(givenName !== undefined && { given_name: givenName }),
      ...(familyName !== undefined && { family_name: familyName }),
    },
  };
}

function purposeOf(provider: string): string {
  return `upstream-state:${provider}`;
}
