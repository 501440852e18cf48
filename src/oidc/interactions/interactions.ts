/** Interactions: how pages find a sign-in that the provider has started, and how they end it. */
import type { IncomingMessage } from 'node:http';
import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';
import type { Secrets } from '../../core/crypto.ts';
import type { AccountRecord } from '../../model/account.ts';
import { servesOrganization } from '../../model/client.ts';
import type { FactorPolicy } from '../../model/factors.ts';
import type { AccountStore } from '../../store/ports/accounts.ts';
import { browserOf } from '../access/browser-session.ts';
import type { Allowed, Consents } from '../access/consents.ts';
import { endSession } from '../access/grants.ts';
import { type ApiRegistry, describeApis } from '../apis/apis.ts';
import { isActive, serves } from '../clients/claims.ts';
import { traitsOf } from '../clients/clients.ts';
import { askedOrganization } from '../clients/organizations.ts';
import { InteractionGone, type Interactions } from '../contract.ts';
import { begunSignIn } from '../extensions/begun-sign-ins.ts';
import type { LogoutOutbox } from '../logout/outbox.ts';
import type { OidcRecords } from '../persistence/records.ts';
import { isOver } from './finished.ts';
import { grantWhatIsMissing } from './load-existing-grant.ts';
import { toldLevel } from './policy.ts';
import { asStored, missingIn, type StoredInteraction, viewOf } from './view.ts';

export interface InteractionDeps {
  readonly provider: () => Provider;
  readonly secrets: Secrets;
  readonly issuer: string;
  readonly oidcRecords: OidcRecords;
  readonly logouts: LogoutOutbox;
  readonly consents: Consents;
  readonly apis: ApiRegistry;
  readonly accounts: AccountStore;
  readonly factorPolicy: (organization: string) => Promise<FactorPolicy | undefined>;
}

export function createInteractions(deps: InteractionDeps): Interactions {
  const { find, open, persist, answer, clientOf, served, refuseOthers, endOther, remember } =
    createSteps(deps);

  return {
    async read(request) {
      const interaction = await find(request);
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
    async finishLogin(request, login) {
      const interaction = await open(request);
      const client = await clientOf(interaction);
      const { account, amr, remember: keep = true } = login;
      const { id: accountId } = account;
      const acr = toldLevel(login.acr, interaction.params.claims);
      await refuseOthers(interaction, client, account);
      await endOther(interaction, accountId);
      return answer(interaction, {
        // The time is noted here, so that going on once more does not sign the person in once more.
        login: { accountId, amr: [...amr], acr, remember: keep, ts: Math.floor(Date.now() / 1000) },
        // A person who signs in has chosen the account.
        ...choicesIn(interaction),
      });
    },
    async finishChoice(request) {
      const interaction = await open(request);
      if (interaction.session?.accountId === undefined || !CHOICES.includes(interaction.prompt.name)) {
        throw new InteractionGone('There is no account to go on with.');
      }
      return answer(interaction, choicesIn(interaction));
    },
    async finishConsent(request) {
      const interaction = await open(request);
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
      const address = await answer(interaction, { consent: { grantId } });
      return { address, remembered };
    },
    async abort(request, { error, description }) {
      const interaction = await open(request);
      interaction.result = { error, error_description: description };
      await persist(interaction);
      return interaction.returnTo;
    },
    async chooseOrganization(request, { organization, kept }) {
      const interaction = await find(request);
      const traits = traitsOf(await clientOf(interaction));
      if (organization !== undefined && !servesOrganization(traits, organization)) {
        throw new Error('The client does not serve this organization.');
      }
      const { organization: _before, ...others } = interaction.params;
      interaction.params = { ...others, ...(organization !== undefined && { organization }) };
      interaction.result = { ...interaction.result, kept };
      await persist(interaction);
    },
    async keep(request, kept) {
      const interaction = await find(request);
      interaction.result = { ...interaction.result, kept };
      await persist(interaction);
    },
  };
}

/** What several of the functions below do on their way. */
function createSteps(deps: InteractionDeps) {
  const { oidcRecords, accounts } = deps;

  async function find(request: IncomingMessage): Promise<StoredInteraction> {
    const uid = begunSignIn(request, deps);
    const interaction = uid === undefined ? undefined : asStored(await oidcRecords.load('Interaction', uid));
    if (interaction === undefined || interaction.exp <= Date.now() / 1000)
      throw new InteractionGone('There is no such interaction in this browser.');
    await holdToSession(interaction);
    return interaction;
  }

  /** One that began in a session ends with it. */
  async function holdToSession({ session }: StoredInteraction): Promise<void> {
    if (session?.uid === undefined) return;
    const stored = await oidcRecords.loadByUid('Session', session.uid);
    if (stored === undefined || stored.payload.accountId !== session.accountId)
      throw new InteractionGone('The session of the interaction is over, or of another account.');
  }

  /** The interaction, for a step that answers it. InteractionGone where it was answered before. */
  async function open(request: IncomingMessage): Promise<StoredInteraction> {
    const interaction = await find(request);
    if (isOver(interaction)) throw new InteractionGone('The interaction is over.');
    return interaction;
  }

  /** As the provider stores it, whose model of it does the same in more steps. */
  function persist(interaction: StoredInteraction): Promise<void> {
    const lifetime = interaction.exp - Math.floor(Date.now() / 1000);
    return oidcRecords.save('Interaction', interaction.jti, interaction, lifetime);
  }

  /** Resolves with the address that the browser goes on to. */
  async function answer(interaction: StoredInteraction, result: object): Promise<string> {
    interaction.result = { ...interaction.lastSubmission, ...result };
    await persist(interaction);
    return interaction.returnTo;
  }

  async function clientOf(interaction: StoredInteraction): Promise<Client> {
    const client = await deps.provider().Client.find(String(interaction.params.client_id));
    if (!client) throw new InteractionGone('The client is gone.');
    return client;
  }

  /** Of the organization that the request means; where it names none, of any that the client serves. */
  async function served(
    { params }: StoredInteraction,
    client: Client,
    accountId: string | undefined,
  ): Promise<AccountRecord | undefined> {
    const account = accountId === undefined ? undefined : await accounts.byId(accountId);
    return account && isServed(params, client, account) ? account : undefined;
  }

  async function refuseOthers(
    interaction: StoredInteraction,
    client: Client,
    account: AccountRecord,
  ): Promise<void> {
    const present = await served(interaction, client, interaction.session?.accountId);
    // Where no organization is known, it is the one of the session that the person goes on in.
    const asked = askedOrganization(interaction.params, traitsOf(client)) ?? present?.organization;
    if (isServed(interaction.params, client, account) && account.organization === asked) return;
    throw new Error('The account is not one of the organization that the sign-in is at.');
  }

  /** Another person signs in over a live session: it ends, as it would by logging out. */
  async function endOther(interaction: StoredInteraction, accountId: string): Promise<void> {
    const session = interaction.session;
    if (!session || session.accountId === accountId) return;
    const stored =
      session.uid === undefined ? undefined : await oidcRecords.loadByUid('Session', session.uid);
    if (stored) await endSession(deps, stored);
    delete interaction.session;
    delete interaction.grantId;
    await persist(interaction);
  }

  /** False: nothing is remembered. */
  async function remember(interaction: StoredInteraction, allowed: Allowed): Promise<boolean> {
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

  return { find, open, persist, answer, clientOf, served, refuseOthers, endOther, remember };
}

function isServed(params: StoredInteraction['params'], client: Client, account: AccountRecord): boolean {
  const asked = askedOrganization(params, traitsOf(client));
  return (
    isActive(account) && serves(client, account) && (asked ?? account.organization) === account.organization
  );
}

/** The prompts that a choice of the account answers. */
const CHOICES = ['select_account', 'create'];

/** The answers to those that the request has. */
function choicesIn({ params }: StoredInteraction): Record<string, object> {
  const prompts = typeof params.prompt === 'string' ? params.prompt.split(' ') : [];
  return Object.fromEntries(CHOICES.filter((name) => prompts.includes(name)).map((name) => [name, {}]));
}
