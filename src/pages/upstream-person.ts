/** Who an upstream's person is here, and what happens then: signed in, asked to prove more, or told no. */
import type { Context } from 'koa';
import type { UpstreamClaims } from '../federation/upstream.ts';
import { noteRefusedSignIn } from '../identity/note-sign-in.ts';
import { Refused } from '../identity/refusal.ts';
import { type NamedPerson, signInWithIdentity } from '../identity/sign-in-with-identity.ts';
import type { InteractionView } from '../oidc/oidc.ts';
import type { AccountRecord } from '../store/ports.ts';
import type { Alert } from './alert.ts';
import { proven } from './finish-sign-in.ts';
import { mayRegister } from './may-register.ts';
import { originOf } from './origin.ts';
import type { PageParts } from './parts.ts';
import { goTo, progressOf } from './progress.ts';
import { showStep } from './step.ts';
import { upstreamName } from './ways.ts';

export async function upstreamPerson(
  parts: PageParts,
  ctx: Context,
  view: InteractionView,
  claims: UpstreamClaims,
): Promise<void> {
  const { identity } = parts;
  const { organization } = view;
  const person = personOf(claims);
  const origin = originOf(ctx, view);
  let account: AccountRecord;
  try {
    const registration = await mayRegister(parts, view);
    account = await signInWithIdentity(identity, { organization, person, origin, registration });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const name = person.email ?? person.subject;
    const owner =
      person.email === undefined
        ? undefined
        : await identity.stores.accounts.byEmail(organization, person.email);
    if (error.reason === 'account-exists' && owner?.status === 'active') {
      const { code: _code, ...progress } = progressOf(view);
      const link = { provider: claims.provider, accountId: owner.id, person };
      await goTo(parts, ctx, view, { ...progress, link });
      return;
    }
    const refused = { organization, account: owner, name, origin, factor: 'fed' } as const;
    noteRefusedSignIn(identity, { ...refused, why: 'not-admitted' });
    await showStep(parts, ctx, view, { alert: alertOf(error, upstreamName(claims.provider)), status: 403 });
    return;
  }
  await proven(parts, ctx, view, { account, proofs: ['fed'], remember: progressOf(view).remember === true });
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
