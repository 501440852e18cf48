/** Signing in with an upstream: the trip of an interaction (shared/upstream-trip.ts), and what comes of it. */
import { IdTokenRefused, type Upstream, UpstreamUnavailable } from '../../federation/protocol/upstream.ts';
import { seeOther } from '../../http/views/send-page.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { FormRefused } from '../shared/alert.ts';
import {
  type Arrival,
  claimsOf,
  depart,
  type Origin,
  readArrival,
  upstreamTitle,
} from '../shared/upstream-trip.ts';
import { sendCodeAgain } from './code.ts';
import { flowStateOf, goTo, storeFlowState } from './flow-state.ts';
import type { SignInStep, Step } from './guards.ts';
import { showStep } from './interaction.ts';
import { signInMethodsOf, upstreamOfDomain } from './methods.ts';
import { upstreamPerson } from './upstream-result.ts';

/**
 * The name on a page that begins with it. An address whose domain is an upstream's leads there. Whether there is an
 * account shows nowhere, and none is looked for.
 */
export const giveName: SignInStep = async (step) => {
  const { deps, view, form } = step;
  const login = (form.get('login') ?? '').trim();
  if (login === '') throw new FormRefused({ kind: 'login-needed' });
  const methods = await signInMethodsOf(deps, view);
  const upstream = upstreamOfDomain(methods, login);
  if (upstream !== undefined) return leave(step, upstream, login);
  if (methods.codeFirst && form.get('by') !== 'password') return sendCodeAgain(step);
  await goTo(step, { ...flowStateOf(view), login });
};

/** The button of an upstream. */
export const goUpstream: SignInStep = async (step) => {
  const { deps, ctx, view } = step;
  const { upstreams } = await signInMethodsOf(deps, view);
  const upstream = upstreams.find(({ name }) => name === ctx.params.provider);
  if (upstream === undefined) return showStep(step, { alert: { kind: 'upstream-off' }, status: 404 });
  await leave(step, upstream, view.loginHint);
};

/** Sends the browser to the upstream. */
async function leave(step: Step, upstream: Upstream, login: string | undefined): Promise<void> {
  const { deps, ctx, view, context } = step;
  const { uiLocales: languages, client } = view;
  const { address } = context;
  const hint = login?.includes('@') === true ? { loginHint: login } : {};
  const again = view.accountId !== undefined || flowStateOf(view).another === true;
  try {
    await depart(deps, ctx, { ...originOf(view), upstream, again, address, languages, client, ...hint });
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable)) throw error;
    deps.identity.log.warn({ err: error, provider: upstream.name }, 'an upstream does not answer');
    await showFailed(step, upstream.name, error);
  }
}

/** Nothing came of the trip: the upstream is down, or its answer cannot be trusted. */
async function showFailed(step: Step, provider: string, error: Error): Promise<void> {
  const down = error instanceof UpstreamUnavailable;
  const kind = down ? 'upstream-down' : 'upstream-refused';
  const alert = { kind, provider: upstreamTitle(step.deps, provider) } as const;
  await showStep(step, { alert, status: down ? 503 : 400 });
}

/** Back in the interaction, with its cookies: only now is the answer looked at. */
export const arrived: SignInStep = async (step) => {
  const { deps, ctx, view } = step;
  const arrival = await readArrival(deps, ctx, originOf(view));
  if (arrival === undefined) return seeOther(ctx, `/interaction/${view.uid}`);
  // Apple's names, of an answer that led nowhere.
  const { user = flowStateOf(view).user } = arrival.answer;
  const answer = { ...arrival.answer, ...(user !== undefined && { user }) };
  await judge(step, { ...arrival, answer });
};

async function judge(step: Step, arrival: Arrival): Promise<void> {
  const { deps, ctx, view } = step;
  const { provider, upstream, answer } = arrival;
  try {
    const claims = await claimsOf(deps, arrival);
    if (claims === 'spent') return seeOther(ctx, `/interaction/${view.uid}`);
    if (claims !== 'denied') return await upstreamPerson(step, claims);
    await showStep(step, { alert: { kind: 'upstream-denied', provider: upstreamTitle(deps, provider) } });
  } catch (error) {
    if (!(error instanceof UpstreamUnavailable || error instanceof IdTokenRefused)) throw error;
    deps.identity.log.warn({ err: error, provider }, 'a sign-in with an upstream failed');
    // The next try of this browser still knows the names.
    if (upstream.sendsNamesOnce && answer.user !== undefined)
      await storeFlowState(step, { ...flowStateOf(view), user: answer.user.slice(0, 2000) });
    await showFailed(step, provider, error);
  }
}

function originOf({ uid, organization }: InteractionView): Origin {
  return { organization, page: `/interaction/${uid}`, owner: `upstream:${uid}` };
}
