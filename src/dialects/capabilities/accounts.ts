/** Finding, making and changing accounts of the request's organization. */
import { isDeepStrictEqual } from 'node:util';
import { type NewAccountFields, registerAccount } from '../../identity/accounts/create-account.ts';
import { deleteAccount } from '../../identity/accounts/delete-account.ts';
import { accountBatches, findByLogin } from '../../identity/accounts/find-account.ts';
import { findOrCreateByKey } from '../../identity/accounts/find-or-create-by-external-id.ts';
import { heartbeat } from '../../identity/accounts/presence.ts';
import { updateAccount } from '../../identity/accounts/update-account.ts';
import { askRegistration } from '../../identity/legacy/ask-registration.ts';
import { askSingleSignOn } from '../../identity/legacy/ask-social.ts';
import type { AccountRecord, ProfileClaims } from '../../model/account.ts';
import type { Json } from '../../model/json.ts';
import { Refused } from '../contract/dialect.ts';
import type { AccountChanges, AccountsUse, NewAccount } from '../contract/use.ts';
import { plainView } from '../runtime/admission.ts';
import type { CurrentRequest } from '../runtime/current-request.ts';
import { did, find, need, organizationOf, view, viewIfKnown } from './scope.ts';

/** Code points; the shortest that any vendor documents. A dialect that asks for more has judged so before. */
const PASSWORD_MINIMUM = 8;

/** The account is opened at the dialect, and the dialect's own members stand under its name. */
export function newAccountFields(account: NewAccount, vendorName: string): NewAccountFields {
  const { vendor, ...rest } = account;
  const opened = { ...rest, openedAt: vendorName };
  return vendor ? { ...opened, vendor: { [vendorName]: vendor } } : opened;
}

/** `undefined` leaves a claim as it is, `null` takes it away. A number that was typed in is not verified. */
function mergedClaims(present: ProfileClaims, changes: AccountChanges['claims']): ProfileClaims {
  const claims = { ...present };
  for (const [name, value] of Object.entries(changes ?? {})) {
    if (value === null) Reflect.deleteProperty(claims, name);
    else if (value !== undefined) Object.assign(claims, { [name]: value });
  }
  const numberChanged = claims.phone_number !== present.phone_number;
  if (numberChanged && changes?.phone_number_verified === undefined) delete claims.phone_number_verified;
  return claims;
}

/** Vendor members may be null as a value, so only `undefined` leaves. Nothing to change makes no empty table. */
function mergedVendor(
  account: AccountRecord,
  name: string,
  changes: AccountChanges['vendor'],
): AccountRecord['vendor'] {
  const given = Object.entries(changes ?? {}).filter(
    (entry): entry is [string, Json] => entry[1] !== undefined,
  );
  if (given.length === 0) return account.vendor;
  return { ...account.vendor, [name]: { ...account.vendor[name], ...Object.fromEntries(given) } };
}

/** The record with the changes. */
export function changed(account: AccountRecord, changes: AccountChanges, vendorName: string): AccountRecord {
  const newAddress = changes.email !== undefined && changes.email !== account.email;
  return {
    ...account,
    ...(changes.email !== undefined && { email: changes.email }),
    emailVerified: newAddress ? false : account.emailVerified,
    claims: mergedClaims(account.claims, changes.claims),
    vendor: mergedVendor(account, vendorName, changes.vendor),
  };
}

async function update(
  current: CurrentRequest,
  accountId: string,
  change: Parameters<AccountsUse['update']>[1],
) {
  const { dialect } = current.mounted;
  await need(current, accountId);
  let moved = false;
  const account = await updateAccount(current.identity, accountId, (present) => {
    if (present.organization !== organizationOf(current).id) throw new Refused('account-not-found');
    const changes = change(plainView(present, dialect));
    const result = changes && changed(present, changes, dialect.name);
    moved = result !== null && !isDeepStrictEqual(result, present);
    return moved ? result : null;
  });
  if (moved) did(current, 'profile.update', account.id);
  return view(current, account);
}

/** People open accounts; a clinic's own system makes them, and is asked nothing. */
async function openedElsewhere(
  { identity, context, organization, caller }: CurrentRequest,
  { emailVerified: _, password, ...account }: NewAccount,
  minimum: number,
): Promise<AccountRecord | undefined> {
  if (organization === undefined || caller?.kind === 'api-key') return undefined;
  const { id } = organization;
  const openedFrom = context.address;
  return askRegistration(identity, { organization: id, account, password, minimum, openedFrom, context });
}

/** Throws 'forbidden', 'unavailable'. */
async function signedOnElsewhere(current: CurrentRequest): Promise<AccountRecord | undefined> {
  const { identity, context, credential, raw } = current;
  if (credential?.kind !== 'api-key') return undefined;
  const { key, secret } = credential;
  const sent = Object.entries(raw).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' ? [[name, value] as const] : [],
  );
  const account = await askSingleSignOn(identity, {
    organization: organizationOf(current).id,
    presented: { body: Object.fromEntries(sent), key, ...(secret !== undefined && { secret }) },
    context,
    admits: ({ status }) => status !== 'blocked',
  });
  if (account === 'refused') throw new Refused('forbidden');
  return account;
}

export function accountsUse(current: CurrentRequest): AccountsUse {
  const { identity, mounted, services } = current;
  const { dialect } = mounted;
  const byLogin = async (login: string, by: 'email' | 'username') => {
    if (current.organization === undefined) return undefined;
    const organization = current.organization.id;
    return findByLogin(identity, { organization, login, by: [by] });
  };
  return {
    async byId(id) {
      const account = await find(current, id);
      return account && view(current, account);
    },
    async byAlias(alias) {
      const account = await services.stores.accounts.byAlias(dialect.name, alias);
      const isHere = account !== undefined && account.organization === current.organization?.id;
      return isHere ? view(current, account) : undefined;
    },
    byEmail: async (email) => viewIfKnown(current, await byLogin(email, 'email')),
    byUsername: async (username) => viewIfKnown(current, await byLogin(username, 'username')),
    holderOf: async (name, by) => (await byLogin(name, by))?.id,
    async *all() {
      for await (const batch of accountBatches(identity, organizationOf(current).id)) {
        yield await Promise.all(batch.map((account) => view(current, account)));
      }
    },
    async register(account, { passwordMinimum = PASSWORD_MINIMUM } = {}) {
      const organization = organizationOf(current).id;
      const made =
        (await openedElsewhere(current, account, passwordMinimum)) ??
        (await registerAccount(identity, {
          ...{ organization, passwordMinimum, openedFrom: current.context.address },
          account: newAccountFields(account, dialect.name),
        }));
      did(current, 'account.register', made.id);
      return view(current, made);
    },
    update: (accountId, change) => update(current, accountId, change),
    async delete(accountId) {
      await need(current, accountId);
      await deleteAccount(identity, { accountId, context: current.context });
    },
    async findOrCreateByKey(key, fresh) {
      const { account, created } = await findOrCreateByKey(identity, {
        organization: organizationOf(current).id,
        dialect: dialect.name,
        key,
        fresh: async () => newAccountFields(await fresh(), dialect.name),
        elsewhere: () => signedOnElsewhere(current),
      });
      if (created) did(current, 'account.register', account.id);
      return { account: await view(current, account), created };
    },
    async heartbeat(accountId, seconds) {
      await need(current, accountId);
      return heartbeat(identity, { accountId, seconds });
    },
  };
}
