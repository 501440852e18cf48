/**
 * When the provider asks a person something: its own policy, with five changes. A request with prompt=none
 * shows no page: the client gets the error that the check names here (login_required, interaction_required).
 */
import { type ClaimsParameter, type ClaimsParameterMember, interactionPolicy } from 'oidc-provider';
import { isUnknownToOperators, traitsOf } from '../clients/clients.ts';
import { ACR } from '../contract.ts';
import { trustFirstPartyNatives } from '../extensions/issuer-and-clients.ts';

export function createInteractionPolicy(): interactionPolicy.DefaultPolicy {
  const { base, Check, Prompt } = interactionPolicy;
  const policy = base();
  const login = policy.get('login');

  // A session whose account is blocked, or of another organization than the client, is no session here.
  login?.checks.add(
    new Check('account_not_served', 'End-User authentication is required', 'login_required', (ctx) =>
      Boolean(ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined),
    ),
  );

  // RFC 9470: an API that wants a stronger sign-in sends people here with acr_values.
  login?.checks.add(
    new Check('step_up', 'A second proof is required', 'interaction_required', (ctx) => {
      const input = strongerThanOne({ acr_values: ctx.oidc.params?.acr_values });
      return input && ctx.oidc.acr !== ACR.stepup && ctx.oidc.result?.login === undefined;
    }),
  );

  // Before the sign-in: a person who is not signed in chooses by signing in, which answers both prompts.
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0);
  // Initiating User Registration via OpenID Connect: the person opens an account, or goes on with the one that is
  // signed in here, which answers select_account as well.
  policy.add(new Prompt({ name: 'create', requestable: true }), 0);

  // Only the person can judge such a client, and a client that registered itself may change its redirect URIs.
  policy
    .get('consent')
    ?.checks.add(
      new Check(
        'unregistered_client',
        'an unregistered client requires consent',
        'interaction_required',
        ({ oidc: { client, result } }) =>
          client !== undefined && isUnknownToOperators(traitsOf(client)) && result?.consent === undefined,
      ),
    );

  trustFirstPartyNatives(policy);
  return policy;
}

/**
 * Whether a request asks for two proofs: `acr_values` is in order of preference, so its first value that is
 * known here counts; an essential `acr` claim (OIDC Core 5.5.1.1) counts when nothing less would do.
 */
export function strongerThanOne(params: {
  readonly acr_values?: unknown;
  readonly claims?: unknown;
}): boolean {
  const first = String(params.acr_values ?? '')
    .split(' ')
    .find((value) => KNOWN.has(value));
  if (first === ACR.stepup) return true;
  const { essential, value, values = value === undefined ? [] : [value] } = acrClaim(params.claims);
  return essential === true && values.includes(ACR.stepup) && !values.includes(ACR.single);
}

const KNOWN: ReadonlySet<string> = new Set(Object.values(ACR));

/** The provider has judged the parameter already: what is not JSON does not get here. */
function acrClaim(claims: unknown): ClaimsParameterMember {
  if (typeof claims !== 'string') return {};
  const parsed: ClaimsParameter = JSON.parse(claims);
  return parsed.id_token?.acr ?? {};
}
