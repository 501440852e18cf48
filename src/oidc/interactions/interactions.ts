/** Interactions: what pages may know of a sign-in that the provider has started, and how they end it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import { type Client, errors } from 'oidc-provider';
import type { AccountRecord } from '../../model/account.ts';
import { servesOrganization } from '../../model/client.ts';
import { type FactorPolicy, hasFactor } from '../../model/factors.ts';
import type { Json } from '../../model/json.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import { browserOf } from '../access/browser-session.ts';
import { type Allowed, allowedOf, type Consents, scopesOf } from '../access/consents.ts';
import { endSession } from '../access/grants.ts';
import { type ApiRegistry, describeApis } from '../apis/apis.ts';
import { isActive, serves } from '../clients/claims.ts';
import { traitsOf } from '../clients/clients.ts';
import { askedOrganization } from '../clients/organizations.ts';
import { InteractionGone, type Interactions, type InteractionView } from '../contract.ts';
import type { LogoutOutbox } from '../logout/outbox.ts';
import type { OidcRecords } from '../persistence/records.ts';
import { isOver } from './finished.ts';
import { grantWhatIsMissing } from './load-existing-grant.ts';
import { askedLevel, toldLevel } from './policy.ts';

type ProviderInteraction = Awaited<ReturnType<Provider['interactionDetails']>>;

export interface InteractionDeps {
  readonly provider: () => Provider;
  readonly oidcRecords: OidcRecords;
  readonly logouts: LogoutOutbox;
  readonly consents: Consents;
  readonly apis: ApiRegistry;
  readonly accounts: AccountStore;
  readonly factorPolicy: (organization: string) => Promise<FactorPolicy | undefined>;
}

export function createInteractions(deps: InteractionDeps): Interactions {
  const { find, open, clientOf, served, refuseOthers, endOther, remember } = createSteps(deps);

  return {
    async read(request, response) {
      const interaction = await find(request, response);
      const client = await clientOf(interaction);
      const missingApis = await describeApis(deps.apis, missingIn(interaction).resources);
      const account = await served(interaction, client, interaction.session?.accountId);
      const view = viewOf(interaction, client, account);
      const policies = [await deps.factorPolicy(view.organization), traitsOf(client).factors];
      const browser = browserOf(request);
      return {
        ...{ ...view, ...(browser && { browser }), missingApis },
        factorPolicies: policies.filter((policy) => policy !== undefined),
      };
    },
    async finishLogin(request, response, login) {
      const interaction = await open(request, response);
      const client = await clientOf(interaction);
      const { accountId, amr, remember: keep = true } = login;
      const acr = toldLevel(login.acr, interaction.params.claims);
      await refuseOthers(interaction, client, accountId);
      await endOther(interaction, accountId);
      return deps.provider().interactionResult(request, response, {
        // The time is noted here, so that going on once more does not sign the person in once more.
        login: { accountId, amr: [...amr], acr, remember: keep, ts: Math.floor(Date.now() / 1000) },
        // A person who signs in has chosen the account.
        ...choicesIn(interaction),
      });
    },
    async finishChoice(request, response) {
      const interaction = await open(request, response);
      if (interaction.session?.accountId === undefined || !CHOICES.includes(interaction.prompt.name)) {
        throw new InteractionGone('There is no account to go on with.');
      }
      return deps.provider().interactionResult(request, response, choicesIn(interaction));
    },
    async finishConsent(request, response) {
      const interaction = await open(request, response);
      const accountId = interaction.session?.accountId;
      if (accountId === undefined || interaction.prompt.name !== 'consent') {
        throw new InteractionGone('No account is signed in here.');
      }
      const missing = missingIn(interaction);
      const grantId = await grantWhatIsMissing(deps.provider(), {
        accountId,
        clientId: String(interaction.params.client_id),
        grantId: interaction.grantId,
        missing,
      });
      const remembered = await remember(interaction, missing);
      const address = await deps.provider().interactionResult(request, response, { consent: { grantId } });
      return { address, remembered };
    },
    async abort(request, response, { error, description }) {
      await open(request, response);
      const result = { error, error_description: description };
      return deps.provider().interactionResult(request, response, result, { mergeWithLastSubmission: false });
    },
    async chooseOrganization(request, response, { organization, kept }) {
      const interaction = await find(request, response);
      const traits = traitsOf(await clientOf(interaction));
      if (organization !== undefined && !servesOrganization(traits, organization)) {
        throw new Error('The client does not serve this organization.');
      }
      const { organization: _before, ...others } = interaction.params;
      interaction.params = { ...others, ...(organization !== undefined && { organization }) };
      interaction.result = { ...interaction.result, kept };
      await interaction.persist();
    },
    async keep(request, response, kept) {
      const interaction = await find(request, response);
      interaction.result = { ...interaction.result, kept };
      await interaction.persist();
    },
  };
}

/** What several of the functions below do on their way. */
function createSteps(deps: InteractionDeps) {
  const { oidcRecords, accounts } = deps;

  async function find(request: IncomingMessage, response: ServerResponse): Promise<ProviderInteraction> {
    try {
      const interaction = await deps.provider().interactionDetails(request, response);
      // The cookie is bound to its path; one that a browser sends elsewhere is refused.
      const [, , uid] = (request.url ?? '').split(/[/?]/);
      if (uid !== interaction.uid) throw new InteractionGone('The interaction is another one.');
      return interaction;
    } catch (error) {
      if (error instanceof errors.SessionNotFound) throw new InteractionGone(error.message, { cause: error });
      throw error;
    }
  }

  /** The interaction, for a step that answers it. InteractionGone where it was answered before. */
  async function open(request: IncomingMessage, response: ServerResponse): Promise<ProviderInteraction> {
    const interaction = await find(request, response);
    if (isOver(interaction)) throw new InteractionGone('The interaction is over.');
    return interaction;
  }

  async function clientOf(interaction: ProviderInteraction): Promise<Client> {
    const client = await deps.provider().Client.find(String(interaction.params.client_id));
    if (!client) throw new InteractionGone('The client is gone.');
    return client;
  }

  /** Of the organization that the request means; where it names none, of any that the client serves. */
  async function served(
    { params }: ProviderInteraction,
    client: Client,
    accountId: string | undefined,
  ): Promise<AccountRecord | undefined> {
    const account = accountId === undefined ? undefined : await accounts.byId(accountId);
    if (!account || !isActive(account) || !serves(client, account)) return undefined;
    const asked = askedOrganization(params, traitsOf(client));
    return asked === undefined || asked === account.organization ? account : undefined;
  }

  async function refuseOthers(
    interaction: ProviderInteraction,
    client: Client,
    accountId: string,
  ): Promise<void> {
    const [account, present] = await Promise.all([
      served(interaction, client, accountId),
      served(interaction, client, interaction.session?.accountId),
    ]);
    // Where no organization is known, it is the one of the session that the person goes on in.
    const asked = askedOrganization(interaction.params, traitsOf(client)) ?? present?.organization;
    if (account !== undefined && account.organization === asked) return;
    throw new Error('The account is not one of the organization that the sign-in is at.');
  }

  /** Another person signs in over a live session: it ends, as it would by logging out. */
  async function endOther(interaction: ProviderInteraction, accountId: string): Promise<void> {
    const session = interaction.session;
    if (!session || session.accountId === accountId) return;
    const stored =
      session.uid === undefined ? undefined : await oidcRecords.loadByUid('Session', session.uid);
    if (stored) await endSession(deps, stored);
    delete interaction.session;
    delete interaction.grantId;
    await interaction.persist();
  }

  /** False: nothing is remembered. */
  async function remember(interaction: ProviderInteraction, allowed: Allowed): Promise<boolean> {
    const { session, params, deviceCode } = interaction;
    const accountId = (await served(interaction, await clientOf(interaction), session?.accountId))?.id;
    // A consent for one device is no consent for the next one.
    if (accountId === undefined || session?.uid === undefined || deviceCode !== undefined) return false;
    const clientId = String(params.client_id);
    if (!(await deps.consents.remember(accountId, clientId, allowed))) return false;
    // A consent given in a session that ended meanwhile is not kept: an account is taken back
    // from a squatter by ending its sessions first and forgetting its consents after.
    if (await oidcRecords.loadByUid('Session', session.uid)) return true;
    await deps.consents.forget(accountId, clientId);
    return false;
  }

  return { find, open, clientOf, served, refuseOthers, endOther, remember };
}

/** The prompts that a choice of the account answers. */
const CHOICES = ['select_account', 'create'];

/** The answers to those that the request has. */
function choicesIn({ params }: ProviderInteraction): Record<string, object> {
  const prompts = typeof params.prompt === 'string' ? params.prompt.split(' ') : [];
  return Object.fromEntries(CHOICES.filter((name) => prompts.includes(name)).map((name) => [name, {}]));
}

function viewOf(
  interaction: ProviderInteraction,
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
    uid: interaction.uid,
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
function carriedOn({ session, prompt }: ProviderInteraction, account: AccountRecord): readonly string[] {
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
function missingIn({ prompt: { details } }: ProviderInteraction): Allowed {
  return allowedOf({
    scopes: details.missingOIDCScope,
    claims: details.missingOIDCClaims,
    resources: details.missingResourceScopes,
  });
}

/** Beside what pages keep on the way, a result is an answer. */
function isFinished({ result }: ProviderInteraction): boolean {
  return Object.keys(result ?? {}).some((name) => name !== 'kept');
}

function keptOf({ result, lastSubmission }: ProviderInteraction): Record<string, Json> {
  // `keep` wrote it.
  return (result?.kept ?? lastSubmission?.kept ?? {}) as Record<string, Json>;
}
