/**
 * When the provider asks a person something: its own policy, with six changes. A request with prompt=none
 * shows no page: the client gets the error that the check names here (login_required, interaction_required).
 */
import { type ClaimsParameter, type ClaimsParameterMember, interactionPolicy } from 'oidc-provider';
import { isUnknownToOperators, traitsOf } from '../clients/clients.ts';
import { type FactorJudge, recordOf, signInBehind } from '../clients/factors.ts';
import { ACR, type InteractionView } from '../contract.ts';
import { trustFirstPartyNatives } from '../extensions/issuer-and-clients.ts';

export function createInteractionPolicy(lacksFactor: FactorJudge): interactionPolicy.DefaultPolicy {
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
      const asked = askedLevel({ acr_values: ctx.oidc.params?.acr_values });
      return isBelow(ctx.oidc.acr, asked) && ctx.oidc.result?.login === undefined;
    }),
  );

  // A session from before there was a factor, or from where none was asked for. After the grace period it is not enough.
  login?.checks.add(
    new Check('second_factor', 'A second factor is required', 'interaction_required', async ({ oidc }) => {
      const { account, client, session, amr = [] } = oidc;
      const record = account && recordOf(account);
      if (record === undefined) return false;
      return lacksFactor(signInBehind({ amr, authTime: session?.authTime() }), record, client);
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
 * Whether a request asks for two proofs, or for a passkey: `acr_values` is in order of preference, so its first value
 * that is known here counts; an essential `acr` claim (OIDC Core 5.5.1.1) asks for the least that would do.
 */
export function askedLevel(params: {
  readonly acr_values?: unknown;
  readonly claims?: unknown;
}): InteractionView['stepUp'] {
  const first = String(params.acr_values ?? '')
    .split(' ')
    .find((name) => KNOWN.has(name));
  const claimed = essentialLevels(params.claims);
  const least = LEVELS.find((name) => claimed?.includes(name));
  const level = Math.max(LEVELS.indexOf(first ?? ''), LEVELS.indexOf(least ?? ''));
  if (LEVELS[level] === ACR.phr) return 'phr';
  return LEVELS[level] === ACR.stepup ? 'stepup' : undefined;
}

function isBelow(acr: string | undefined, asked: InteractionView['stepUp']): boolean {
  return asked !== undefined && LEVELS.indexOf(acr ?? '') < LEVELS.indexOf(ACR[asked]);
}

/** The level to tell of a sign-in: a stronger one than an essential claim names is told as one that it names. */
export function toldLevel(acr: string, claims: unknown): string {
  const claimed = essentialLevels(claims);
  if (claimed === undefined || claimed.includes(acr)) return acr;
  const below = LEVELS.slice(0, Math.max(0, LEVELS.indexOf(acr)));
  return below.findLast((name) => claimed.includes(name)) ?? acr;
}

/** The levels that a sign-in on the pages reaches, from the weakest. */
const LEVELS: readonly string[] = [ACR.single, ACR.stepup, ACR.phr];
const KNOWN: ReadonlySet<string> = new Set(Object.values(ACR));

function essentialLevels(claims: unknown): readonly unknown[] | undefined {
  const { essential, value, values = value === undefined ? [] : [value] } = acrClaim(claims);
  return essential === true && values.length > 0 ? values : undefined;
}

/** The provider has judged the parameter already: what is not JSON does not get here. */
function acrClaim(claims: unknown): ClaimsParameterMember {
  if (typeof claims !== 'string') return {};
  const parsed: ClaimsParameter = JSON.parse(claims);
  return parsed.id_token?.acr ?? {};
}
