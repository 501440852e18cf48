/** Who an upstream's person is here, and what happens then: signed in, asked to prove more, or told no. */
import { Refused } from '../../core/refused.ts';
import type { UpstreamClaims } from '../../federation/protocol/upstream.ts';
import { noteRefusedSignIn } from '../../identity/audit/audit.ts';
import { refusedAlike } from '../../identity/legacy/refused-alike.ts';
import { type NamedPerson, signInWithIdentity } from '../../identity/sign-in/with-upstream.ts';
import type { AccountRecord } from '../../model/account.ts';
import { refusedBy } from '../shared/alert.ts';
import { namedPersonOf, upstreamTitle } from '../shared/upstream-trip.ts';
import { proven } from './complete.ts';
import { flowStateOf, goTo } from './flow-state.ts';
import type { Step } from './guards.ts';
import { showStep } from './interaction.ts';
import { signInMethodsOf } from './methods.ts';

export async function upstreamPerson(step: Step, claims: UpstreamClaims): Promise<void> {
  const { deps, view, context } = step;
  const { organization } = view;
  const person = namedPersonOf(claims);
  let account: AccountRecord;
  try {
    const { registers: registration } = await signInMethodsOf(deps, view);
    account = await signInWithIdentity(deps.identity, { organization, person, context, registration });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const refusal = await refusedAlike(deps.identity, { organization, context }, error);
    return notSignedIn(step, claims.provider, person, refusal);
  }
  await proven(step, { account, proofs: ['fed'] });
}

async function notSignedIn(
  step: Step,
  provider: string,
  person: NamedPerson,
  refusal: Refused,
): Promise<void> {
  const { reason } = refusal;
  const { deps, view, context } = step;
  const { organization } = view;
  const { email, subject } = person;
  const owner =
    email === undefined ? undefined : await deps.identity.stores.accounts.byEmail(organization, email);
  if (reason === 'account-exists' && owner?.status === 'active') {
    const { code: _code, ...flow } = flowStateOf(view);
    return goTo(step, { ...flow, link: { provider, accountId: owner.id, person } });
  }
  const refused = { organization, account: owner, name: email ?? subject, context } as const;
  noteRefusedSignIn(deps.identity, { ...refused, factor: 'fed', why: 'not-admitted' });
  if (reason === 'unavailable') return showStep(step, refusedBy(deps, step.ctx, refusal));
  const kind = reason === 'account-not-found' ? 'upstream-unknown' : 'upstream-refused';
  await showStep(step, { alert: { kind, provider: upstreamTitle(deps, provider) }, status: 403 });
}
