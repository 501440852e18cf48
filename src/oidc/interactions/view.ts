/** What pages may know of a sign-in that the provider has started. */
import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';
import type { AccountRecord } from '../../model/account.ts';
import { hasFactor } from '../../model/factors.ts';
import type { Json } from '../../model/json.ts';
import { type Allowed, allowedOf, scopesOf } from '../access/consents.ts';
import { traitsOf } from '../clients/clients.ts';
import { askedOrganization } from '../clients/organizations.ts';
import type { InteractionView } from '../contract.ts';
import type { OidcRecord } from '../persistence/records.ts';
import { askedLevel } from './policy.ts';

type Interaction = InstanceType<Provider['Interaction']>;

/** What the provider has stored of it. */
export type StoredInteraction = Pick<
  Interaction,
  | 'jti'
  | 'exp'
  | 'prompt'
  | 'params'
  | 'session'
  | 'grantId'
  | 'result'
  | 'lastSubmission'
  | 'returnTo'
  | 'deviceCode'
>;

export function asStored(record: Pick<OidcRecord, 'payload'> | undefined): StoredInteraction | undefined {
  return record?.payload as StoredInteraction | undefined;
}

export function viewOf(
  interaction: StoredInteraction,
  client: Client,
  account: AccountRecord | undefined,
): Omit<InteractionView, 'missingApis' | 'factorPolicies'> {
  const { params, prompt } = interaction;
  const missing = missingIn(interaction);
  const text = (name: string) => (typeof params[name] === 'string' ? params[name] : undefined);
  const list = (name: string) => (text(name) ?? '').split(' ').filter((one) => one !== '');
  const loginHint = text('login_hint');
  const redirectUri = text('redirect_uri');
  const traits = traitsOf(client);
  const { signIn, organizations } = traits;
  const asked = askedOrganization(params, traits);
  const organization = asked ?? account?.organization ?? traits.organization;
  // A client says who may open accounts in its own organization, and in no other.
  const registration = organization === traits.organization ? traits.registration : undefined;
  return {
    uid: interaction.jti,
    prompt: prompt.name,
    reasons: prompt.reasons,
    client: {
      clientId: client.clientId,
      name: client.clientName ?? client.clientId,
      ...(client.logoUri && { logoUri: client.logoUri }),
      ...(client.policyUri && { policyUri: client.policyUri }),
      ...(client.tosUri && { tosUri: client.tosUri }),
      firstParty: traits.firstParty,
      ...(traits.unregistered && { unregistered: unregisteredFrom(client, text('redirect_uri')) }),
      registered: traits.registered,
      ...(registration !== undefined && { registration }),
      ...(signIn !== undefined && { signIn }),
      organization: traits.organization,
      organizations: organizations === 'all' ? 'all' : [traits.organization, ...organizations],
      chooseOrganization: traits.chooseOrganization,
    },
    organization,
    organizationKnown: asked !== undefined,
    ...(loginHint !== undefined && { loginHint }),
    ...(redirectUri !== undefined && { redirectUri }),
    uiLocales: list('ui_locales'),
    acrValues: list('acr_values'),
    stepUp: askedLevel(params),
    ...(account !== undefined && { accountId: account.id, amr: carriedOn(interaction, account) }),
    ...(isFinished(interaction) && { finished: interaction.returnTo }),
    missingScopes: scopesOf(missing),
    missingClaims: missing.claims,
    forDevice: interaction.deviceCode !== undefined,
    kept: keptOf(interaction),
  };
}

/**
 * The proofs of the session, to which a second factor is added. An account sets its first factor up after a new sign-in
 * alone: an attacker with an old or stolen session could otherwise take it over with a factor.
 */
function carriedOn({ session, prompt }: StoredInteraction, account: AccountRecord): readonly string[] {
  return prompt.reasons.includes('second_factor') && !hasFactor(account) ? [] : (session?.amr ?? []);
}

/** The address of its document, or where its code goes. */
function unregisteredFrom({ clientId }: Client, redirectUri = '') {
  const redirect = URL.parse(redirectUri);
  return {
    host: (URL.parse(clientId) ?? redirect)?.host ?? '',
    onDevice: redirect?.protocol !== 'https:',
  };
}

/** What the consent prompt names as not granted yet; nothing at other prompts. */
export function missingIn({ prompt: { details } }: StoredInteraction): Allowed {
  return allowedOf({
    scopes: details.missingOIDCScope,
    claims: details.missingOIDCClaims,
    resources: details.missingResourceScopes,
  });
}

/** Beside what pages keep on the way, a result is an answer. */
function isFinished({ result }: StoredInteraction): boolean {
  return Object.keys(result ?? {}).some((name) => name !== 'kept');
}

function keptOf({ result, lastSubmission }: StoredInteraction): Record<string, Json> {
  // `keep` wrote it.
  return (result?.kept ?? lastSubmission?.kept ?? {}) as Record<string, Json>;
}
