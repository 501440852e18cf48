/**
 * Which organization a person signs in to, where an app serves several and its request names none. By default the
 * page asks for the person's address, whose domain decides, since a list would show everyone who an operator's
 * customers are; only where the client says so, it is a list of names.
 */
import { Refused } from '../../core/refused.ts';
import { findOrganization, organizationForEmail } from '../../identity/accounts/find-organization.ts';
import type { InteractionView } from '../../oidc/contract.ts';
import { FormRefused } from '../shared/alert.ts';
import { type FlowState, flowStateOf } from './flow-state.ts';
import type { SignInPage, SignInStep, Step } from './guards.ts';
import { renderInteraction, showNext } from './render-interaction.ts';

/** Before anything else. A person who signs in with another account may mean another organization, too. */
export function asksOrganization(view: InteractionView): boolean {
  return !view.organizationKnown && (view.accountId === undefined || flowStateOf(view).another === true);
}

/** Whether the person chose the organization here, and may choose again. */
export function choseOrganization({ kept }: InteractionView): boolean {
  return kept.choseOrganization === true;
}

export const showOrganization: SignInPage = async (step, refusal) => {
  const { view, form } = step;
  const login = form.get('login') ?? flowStateOf(view).login ?? view.loginHint ?? '';
  const list = view.client.chooseOrganization === 'list' ? await namesOf(step) : undefined;
  await renderInteraction(step, 'organization', { login, list }, refusal);
};

async function namesOf({ deps, view }: Step): Promise<{ id: string; name: string }[]> {
  const { organizations: served } = view.client;
  const all = await deps.identity.stores.organizations.list();
  return all
    .filter(({ id }) => served === 'all' || served.includes(id))
    .map(({ id, name }) => ({ id, name }))
    .sort((one, two) => one.name.localeCompare(two.name));
}

/** The address or the name that the person gave; without either, the page asks again. */
export const chooseOrganization: SignInStep = async (step) => {
  const { view, form } = step;
  if (view.organizationKnown && !choseOrganization(view)) return showNext(step);
  const { another = false } = flowStateOf(view);
  if (form.get('to') === 'organizations') return choose(step, undefined, { another });
  const login = (form.get('login') ?? '').trim();
  const id = form.get('organization');
  if (id !== null) return choose(step, await listed(step, id), { another });
  if (login === '') throw new FormRefused({ kind: 'login-needed' });
  await choose(step, await organizationOf(step, login), { another, login });
};

async function listed({ deps, view }: Step, id: string): Promise<string> {
  const organization = mayMean(view, id) ? await findOrganization(deps.identity, id) : undefined;
  if (organization === undefined || view.client.chooseOrganization !== 'list') {
    throw new Refused('unreadable-body', { detail: 'no organization of the list' });
  }
  return organization.id;
}

/** An address of no organization that the app serves, and a username, belong to the app's own. */
async function organizationOf({ deps, view }: Step, login: string): Promise<string> {
  const owner = await organizationForEmail(deps.identity, login);
  return owner !== undefined && mayMean(view, owner.id) ? owner.id : view.client.organization;
}

function mayMean({ client: { organizations } }: InteractionView, id: string): boolean {
  return organizations === 'all' || organizations.includes(id);
}

async function choose(step: Step, organization: string | undefined, signIn: FlowState): Promise<void> {
  const { deps, ctx, view } = step;
  const kept = { ...view.kept, signIn, choseOrganization: organization !== undefined };
  await deps.interactions.chooseOrganization(ctx.req, { organization, kept });
  showNext(step);
}
