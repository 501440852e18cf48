/** Finding, making and changing accounts of the request's organization. */
import { isDeepStrictEqual } from 'node:util';
import { type NewAccountFields, registerAccount } from '../../identity/accounts/create-account.ts';
import { deleteAccount } from '../../identity/accounts/delete-account.ts';
import { accountBatches, findByLogin } from '../../identity/accounts/find-account.ts';
import { findOrCreateByKey } from '../../identity/accounts/find-or-create-by-external-id.ts';
import { heartbeat } from '../../identity/accounts/presence.ts';
import { updateAccount } from '../../identity/accounts/update-account.ts';
import type { AccountRecord, ProfileClaims } from '../../model/account.ts';
import { Refused } from '../contract/dialect.ts';
import type { AccountChanges, AccountsUse, NewAccount } from '../contract/use.ts';
import { plainView } from '../runtime/account-view.ts';
import type { Bound } from './scope.ts';

/** Code points; the shortest that any vendor documents. A dialect that asks for more has judged so before. */
const PASSWORD_MINIMUM = 8;

/** The account is opened at the dialect, and the dialect's own members stand under its name. */
export function newAccountFields(account: NewAccount, vendorName: string): NewAccountFields {
  const { vendor, ...rest } = account;
  const opened = { ...rest, openedAt: vendorName };
  return vendor === undefined ? opened : { ...opened, vendor: { [vendorName]: vendor } };
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
  const members = { ...account.vendor[name] };
  let some = false;
  for (const [member, value] of Object.entries(changes ?? {})) {
    if (value === undefined) continue;
    members[member] = value;
    some = true;
  }
  return some ? { ...account.vendor, [name]: members } : account.vendor;
}

/** The record with the changes. */
export function changed(account: AccountRecord, changes: AccountChanges, vendorName: string): AccountRecord {
  const newAddress = changes.email !== undefined && changes.email !== account.email;
  return {
    ...account,
    ...(changes.email === undefined ? {} : { email: changes.email }),
    emailVerified: newAddress ? false : account.emailVerified,
    claims: mergedClaims(account.claims, changes.claims),
    vendor: mergedVendor(account, vendorName, changes.vendor),
  };
}

async function update(bound: Bound, accountId: string, change: Parameters<AccountsUse['update']>[1]) {
  const { dialect } = bound.mounted;
  await bound.need(accountId);
  let moved = false;
  const account = await updateAccount(bound.identity, accountId, (present) => {
    if (present.organization !== bound.organization().id) throw new Refused('account-not-found');
    const changes = change(plainView(present, dialect));
    const result = changes && changed(present, changes, dialect.name);
    moved = result !== null && !isDeepStrictEqual(result, present);
    return moved ? result : null;
  });
  if (moved) bound.did('profile.update', account.id);
  return bound.view(account);
}

export function accountsUse(bound: Bound): AccountsUse {
  const { identity, mounted, services } = bound;
  const { dialect } = mounted;
  const byLogin = async (login: string, by: 'email' | 'username') => {
    const organization = bound.exchange.organization?.id;
    return organization === undefined ? undefined : findByLogin(identity, { organization, login, by: [by] });
  };
  return {
    byId: async (id) => bound.viewIfHere(await bound.find(id)),
    byAlias: async (alias) => bound.viewIfHere(await services.stores.accounts.byAlias(dialect.name, alias)),
    byEmail: async (email) => bound.viewIfKnown(await byLogin(email, 'email')),
    byUsername: async (username) => bound.viewIfKnown(await byLogin(username, 'username')),
    holderOf: async (name, by) => (await byLogin(name, by))?.id,
    async *all() {
      for await (const batch of accountBatches(identity, bound.organization().id)) {
        yield* await Promise.all(batch.map((account) => bound.view(account)));
      }
    },
    async register(account, rules = {}) {
      const made = await registerAccount(identity, {
        organization: bound.organization().id,
        account: newAccountFields(account, dialect.name),
        passwordMinimum: rules.passwordMinimum ?? PASSWORD_MINIMUM,
        openedFrom: bound.context.address,
      });
      bound.did('account.register', made.id);
      return bound.view(made);
    },
    update: (accountId, change) => update(bound, accountId, change),
    async delete(accountId) {
      const account = await bound.need(accountId);
      await deleteAccount(identity, { accountId: account.id, context: bound.context });
    },
    async findOrCreateByKey(key, fresh) {
      const { account, created } = await findOrCreateByKey(identity, {
        organization: bound.organization().id,
        dialect: dialect.name,
        key,
        fresh: async () => newAccountFields(await fresh(), dialect.name),
      });
      if (created) bound.did('account.register', account.id);
      return { account: await bound.view(account), created };
    },
    async heartbeat(accountId, seconds) {
      await bound.need(accountId);
      const { lastSeenAt } = await heartbeat(identity, { accountId, seconds });
      return { lastSeenAt };
    },
  };
}
