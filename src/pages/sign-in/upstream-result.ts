/** Who an upstream's person is here, and what happens then: signed in, asked to prove more, or told no. */
import type { Context } from 'koa';
import { Refused } from '../../core/refused.ts';
import type { UpstreamClaims } from '../../federation/protocol/upstream.ts';
import { noteRefusedSignIn } from '../../identity/audit/audit.ts';
import { type NamedPerson, signInWithIdentity } from '../../identity/sign-in/with-upstream.ts';
import type { AccountRecord } from '../../model/account.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import type { Alert } from '../shared/alert.ts';
import type { PageDeps } from '../shared/deps.ts';
import { requestContext } from '../shared/request-context.ts';
import { proven } from './complete.ts';
import { flowStateOf, goTo } from './flow-state.ts';
import { showStep } from './interaction.ts';
import { mayRegister, upstreamTitle } from './methods.ts';

export async function upstreamPerson(
  deps: PageDeps,
  ctx: Context,
  view: InteractionView,
  claims: UpstreamClaims,
): Promise<void> {
  const { identity } = deps;
  const { organization } = view;
  const person = personOf(claims);
  const context = requestContext(ctx, view);
  let account: AccountRecord;
  try {
    const registration = await mayRegister(deps, view);
    account = await signInWithIdentity(identity, { organization, person, context, registration });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const name = person.email ?? person.subject;
    const owner =
      person.email === undefined
        ? undefined
        : await identity.stores.accounts.byEmail(organization, person.email);
    if (error.reason === 'account-exists' && owner?.status === 'active') {
      const { code: _code, ...progress } = flowStateOf(view);
      const link = { provider: claims.provider, accountId: owner.id, person };
      await goTo(deps, ctx, view, { ...progress, link });
      return;
    }
    const refused = { organization, account: owner, name, context, factor: 'fed' } as const;
    noteRefusedSignIn(identity, { ...refused, why: 'not-admitted' });
    await showStep(deps, ctx, view, {
      alert: alertOf(error, upstreamTitle(deps, claims.provider)),
      status: 403,
    });
    return;
  }
  await proven(deps, ctx, view, { account, proofs: ['fed'], remember: flowStateOf(view).remember === true });
}

function personOf(claims: UpstreamClaims): NamedPerson {
  const { issuer, subject, email, emailVerified, authoritative, name, givenName, familyName } = claims;
  return {
    issuer,
    subject,
    ...(email !== undefined && { email }),
    emailVerified,
    authoritative,
    names: {
      ...(name !== undefined && { name }),
      ...(givenName !== undefined && { given_name: givenName }),
      ...(familyName !== undefined && { family_name: familyName }),
    },
  };
}

function alertOf({ reason }: Refused, provider: string): Alert {
  if (reason === 'account-not-found') return { kind: 'upstream-unknown', provider };
  return { kind: 'upstream-refused', provider };
}
