/** When the engine asks a person something: its own policy, with two changes. */
import { interactionPolicy } from 'oidc-provider';
import { traitsOf } from './clients.ts';

export function createInteractionPolicy(): interactionPolicy.DefaultPolicy {
  const { base, Check } = interactionPolicy;
  const policy = base();

  // A session whose account is blocked, or of another organization than the client, is no session here.
  policy
    .get('login')
    ?.checks.add(
      new Check('account_not_served', 'End-User authentication is required', 'login_required', (ctx) =>
        Boolean(ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined),
      ),
    );

  // Anybody may claim to be a native client (RFC 8252, 8.6), so a page stands between; not for our own.
  const consent = policy.get('consent');
  const native = consent?.checks.get('native_client_prompt');
  if (!consent || !native) throw new Error('The engine has no native_client_prompt check any more.');
  const check = native.check;
  native.check = (ctx) => (ctx.oidc.client && traitsOf(ctx.oidc.client).firstParty ? false : check(ctx));
  return policy;
}
