/**
 * Signing in with an upstream: the way there, and the way back. The upstream answers at one fixed address
 * per provider (what one says is not taken for another's), which cookies of an interaction do not reach, and
 * Apple's cross-site POST carries none at all. So `state` is an encrypted one-use record of everything, and the
 * answer is parked under another one until the browser has hopped back into its interaction, where it has to
 * show both of its cookies.
 */
import { randomToken } from '../../core/crypto.ts';
import { IdTokenRefused, type Upstream, UpstreamUnavailable } from '../../federation/protocol/upstream.ts';
import { seeOther, sendPage } from '../../http/views/send-page.ts';
import { makeState, readState, spendState } from '../../identity/codes/redirect-state.ts';
import type { Json } from '../../model/json.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { brandOf } from '../shared/branding.ts';
import type { PageDeps, PageForm } from '../shared/deps.ts';
import { sayGone } from '../shared/interaction.ts';
import { leadingTo } from '../shared/lead-on.ts';
import { flowStateOf, storeFlowState } from './flow-state.ts';
import type { SignInStep, Step } from './guards.ts';
import { showStep } from './interaction.ts';
import { signInMethodsOf, upstreamTitle } from './methods.ts';
import { upstreamPerson } from './upstream-result.ts';

/** Seconds that a person may take at the upstream, and that a browser may take for the hop. */
const AWAY = 3600;
const HOP = 120;
const ARRIVED = 'upstream-arrived';
/** What of an answer is looked at (RFC 6749 4.1.2, RFC 9207; `user`: Apple's names). */
const PARAMETERS = ['code', 'error', 'iss', 'user'];

/** What is remembered of a way there. */
type Away = {
  readonly uid: string;
  /** The form token of this browser for this trip: proves at the end that it is the same browser. */
  readonly browser: string;
  readonly keep: Record<string, Json>;
};

type Arrival = Away & {
  readonly provider: string;
  readonly state: string;
  readonly answer: Record<string, string>;
};

/** Sends the browser to the upstream. */
export const goUpstream: SignInStep = async (step) => {
  const { deps, ctx, view, context } = step;
  const provider = String(ctx.params.provider);
  const upstream = deps.upstreams.get(provider);
  const { upstreams } = await signInMethodsOf(deps, view);
  if (upstream === undefined || !upstreams.some(({ name }) => name === provider))
    return showStep(step, { alert: { kind: 'upstream-off' }, status: 404 });
  const state = randomToken();
  const { loginHint, accountId, organization, uid } = view;
  const hint = loginHint?.includes('@') === true ? { loginHint } : {};
  const again = accountId !== undefined || flowStateOf(view).another === true;
  try {
    const callback = callbackOf(deps, provider);
    const { url, keep } = await upstream.begin({ callback, state, again, ...hint });
    const data: Away = { uid, browser: deps.forms.tokenFor(ctx, tripOf(view)), keep };
    const purpose = purposeOf(provider);
    const { address } = context;
    await makeState(deps.identity, { purpose, organization, lifetime: AWAY, data, token: state, address });
    await showLeaving(step, provider, url);
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable)) throw error;
    deps.identity.log.warn({ err: error, provider }, 'an upstream does not answer');
    await showFailed(step, provider, error);
  }
};

/** Nothing came of the trip: the upstream is down, or its answer cannot be trusted. */
async function showFailed(step: Step, provider: string, error: Error): Promise<void> {
  const down = error instanceof UpstreamUnavailable;
  const kind = down ? 'upstream-down' : 'upstream-refused';
  const alert = { kind, provider: upstreamTitle(step.deps, provider) } as const;
  await showStep(step, { alert, status: down ? 503 : 400 });
}

async function showLeaving({ deps, ctx, view }: Step, provider: string, url: string): Promise<void> {
  sendPage(ctx, deps.views, {
    ...leadingTo(url, upstreamTitle(deps, provider), { returns: true }),
    languages: view.uiLocales,
    brand: await brandOf(deps.identity, deps.views, view),
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
  const arrival: Arrival = { ...away, provider, state, answer: Object.fromEntries(answer) };
  const token = await makeState(deps.identity, {
    purpose: ARRIVED,
    organization: result.organization,
    lifetime: HOP,
    data: arrival,
  });
  seeOther(ctx, `/interaction/${away.uid}/arrived?answer=${token}`);
};

/** Back in the interaction, with its cookies: only now is the answer looked at. */
export const arrived: SignInStep = async (step) => {
  const { deps, ctx, view } = step;
  const token = typeof ctx.query.answer === 'string' ? ctx.query.answer : '';
  // A link preview asks with HEAD; it must not use up what the person needs. Nor may another browser.
  const result =
    ctx.method === 'GET' ? await readState(deps.identity, { purpose: ARRIVED, token }) : undefined;
  const arrival = result?.data as Arrival | undefined;
  const upstream = deps.upstreams.get(arrival?.provider ?? '');
  // Reloaded, or too late: nothing is lost but the trip.
  if (arrival?.uid !== view.uid || result?.organization !== view.organization || upstream === undefined)
    return seeOther(ctx, `/interaction/${view.uid}`);
  deps.forms.check(ctx, tripOf(view), arrival.browser);
  await judge(step, { upstream, arrival, token });
};

/** The answer is spent when the upstream has stood by it: while that is down, the same page may be tried again. */
async function judge(
  step: Step,
  { upstream, arrival, token }: { upstream: Upstream; arrival: Arrival; token: string },
): Promise<void> {
  const { deps, ctx, view } = step;
  const { provider, state, keep } = arrival;
  const { user = flowStateOf(view).user, ...answer } = arrival.answer;
  try {
    const claims = await upstream.finish({
      callback: callbackOf(deps, provider),
      parameters: new URLSearchParams({ ...answer, state, ...(user !== undefined && { user }) }),
      state,
      keep,
      now: deps.identity.clock.now(),
    });
    if ((await spendState(deps.identity, { purpose: ARRIVED, token })) === undefined)
      return seeOther(ctx, `/interaction/${view.uid}`);
    if (claims !== 'denied') return await upstreamPerson(step, claims);
    await showStep(step, { alert: { kind: 'upstream-denied', provider: upstreamTitle(deps, provider) } });
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable || error instanceof IdTokenRefused)) throw error;
    deps.identity.log.warn({ err: error, provider }, 'a sign-in with an upstream failed');
    // The next try of this browser still knows the names.
    if (upstream.sendsNamesOnce && user !== undefined)
      await storeFlowState(step, { ...flowStateOf(view), user: user.slice(0, 2000) });
    await showFailed(step, provider, error);
  }
}

function callbackOf({ issuer }: PageDeps, provider: string): string {
  return `${issuer}/federation/${provider}/callback`;
}

function purposeOf(provider: string): string {
  return `upstream-state:${provider}`;
}

function tripOf(view: InteractionView): string {
  return `upstream:${view.uid}`;
}
