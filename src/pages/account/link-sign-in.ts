/** Linking a sign-in with Google, Apple and the like to this account: a trip there and back, to the same session. */
import { Refused } from '../../core/refused.ts';
import { IdTokenRefused, UpstreamUnavailable } from '../../federation/protocol/upstream.ts';
import { seeOther } from '../../http/views/send-page.ts';
import { findOrganization } from '../../identity/accounts/find-organization.ts';
import { linkProven } from '../../identity/sign-in/with-upstream.ts';
import {
  type Arrival,
  claimsOf,
  depart,
  namedPersonOf,
  type Origin,
  readArrival,
  upstreamsOf,
  upstreamTitle,
} from '../shared/upstream-trip.ts';
import type { AccountForm, AccountPage, Visit } from './session.ts';
import { signIns } from './sign-ins.ts';

const PAGE = '/account/sign-ins';

export const goLink: AccountForm = async (visit) => {
  const { deps, ctx, account, context, form } = visit;
  const offered = upstreamsOf(deps, await findOrganization(deps.identity, account.organization));
  const upstream = offered.find(({ name }) => name === form.get('provider'));
  if (upstream === undefined) return PAGE;
  const { address } = context;
  const languages = account.claims.locale === undefined ? [] : [account.claims.locale];
  try {
    // The person chooses there: who is signed in at the upstream may be another one.
    await depart(deps, ctx, { ...originOf(visit), upstream, again: true, address, languages });
  } catch (error) {
    await notLinked(visit, upstream.name, error);
  }
  return undefined;
};

/** Back at the account, in the session that left: only now is the answer looked at. */
export const arrivedToLink: AccountPage = async (visit) => {
  const { deps, ctx } = visit;
  const arrival = await readArrival(deps, ctx, originOf(visit));
  if (arrival === undefined) return seeOther(ctx, PAGE);
  try {
    await link(visit, arrival);
  } catch (error) {
    await notLinked(visit, arrival.provider, error);
  }
};

async function link(visit: Visit, arrival: Arrival): Promise<void> {
  const { deps, ctx, account, context } = visit;
  const claims = await claimsOf(deps, arrival);
  if (claims === 'denied') return refuse(visit, 'not-linked', arrival.provider, 400);
  if (claims === 'spent') return seeOther(ctx, PAGE);
  const { id: accountId, organization } = account;
  await linkProven(deps.identity, { accountId, organization, person: namedPersonOf(claims), context });
  seeOther(ctx, `${PAGE}?done=linked`);
}

async function notLinked(visit: Visit, provider: string, error: unknown): Promise<void> {
  if (error instanceof Refused && error.reason === 'account-exists')
    return refuse(visit, 'upstream-taken', provider, 409);
  const isDown = error instanceof UpstreamUnavailable;
  if (!isDown && !(error instanceof IdTokenRefused)) throw error;
  visit.deps.identity.log.warn({ err: error, provider }, 'an upstream could not be linked');
  await refuse(visit, 'not-linked', provider, isDown ? 503 : 400);
}

async function refuse(
  visit: Visit,
  kind: 'not-linked' | 'upstream-taken',
  name: string,
  status: number,
): Promise<void> {
  await signIns(visit, { alert: { kind, provider: upstreamTitle(visit.deps, name) }, status });
}

/** Another sign-in of the same person is another owner: what leaves here comes back here. */
function originOf({ account, sessionUid }: Visit): Origin {
  return { organization: account.organization, page: PAGE, owner: `link:${account.id}:${sessionUid}` };
}
