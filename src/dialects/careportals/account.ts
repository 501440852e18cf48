/** GET, PUT and PATCH /users/account: the own account. Both verbs of change merge and do the same. */
import { z } from 'zod';
import { type AddressClaim, Refused } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import { ok } from '../contract/reply.ts';
import type { AccountChanges } from '../contract/use.ts';
import {
  anyEmail,
  dob,
  genderField,
  hasBegun,
  leaveEmpty,
  maybe,
  name,
  orAsShown,
  phone,
  text,
  type Unfit,
} from './fields.ts';
import {
  AccountReply,
  type Address,
  accountReply,
  defaultAddress,
  Failure,
  firstNameOf,
  perLine,
  person,
  phoneOf,
} from './serializers.ts';
import { type CarePortalsSettings, endpoint } from './settings.ts';

export const showAccount = endpoint({
  method: 'GET',
  path: '/users/account',
  summary: 'The own account',
  caller: 'token',
  counts: 'nothing',
  replies: { 200: AccountReply, 400: Failure, 401: Failure, 403: Failure },
  async answer({ caller, settings }) {
    return ok(accountReply(caller.account, settings));
  },
});

const addressOf = <Line extends z.ZodType>(line: Line) => z.object(perLine(() => line));
const ownAddress = addressOf(maybe(orAsShown(text(0, 100))));
const otherAddress = addressOf(maybe(text(0, 100)));

const schema = ({ phoneCountryCode }: CarePortalsSettings) => ({
  body: z.object({
    profile: maybe(
      z.object({
        firstName: leaveEmpty(orAsShown(name)),
        lastName: leaveEmpty(orAsShown(name)),
        phone: leaveEmpty(orAsShown(phone(phoneCountryCode))),
        gender: leaveEmpty(orAsShown(genderField)),
        dob: leaveEmpty(orAsShown(dob)),
        email: leaveEmpty(anyEmail),
      }),
    ),
    address: maybe(z.object({ default: maybe(ownAddress), other: maybe(z.array(otherAddress).max(10)) })),
  }),
});

type Sent = z.output<ReturnType<typeof schema>['body']>;
type Change = ReturnType<typeof judged>;

/** Without what came back as it is shown. Throws for a text that neither fits nor is that. */
function fitting<Member extends string>(
  sent: Partial<Record<Member, string | Unfit | undefined>> | undefined,
  shown: Readonly<Record<string, unknown>>,
): Partial<Record<Member, string>> | undefined {
  if (sent === undefined) return undefined;
  const fit: Partial<Record<Member, string>> = {};
  for (const member of Object.keys(sent) as Member[]) {
    const value = sent[member];
    if (typeof value === 'string') fit[member] = value;
    else if (value !== undefined && value.unfit !== shown[member]) throw new Refused('invalid-fields');
  }
  return fit;
}

/** What no schema can know: what is shown, that an address is not changed here, and that no birthday is in the future. */
function judged(sent: Sent, about: { account: AccountView; settings: CarePortalsSettings; now: Date }) {
  const { account, settings, now } = about;
  const profile = fitting(sent.profile, person.show(account, settings));
  const otherEmail = profile?.email !== undefined && profile.email !== account.email;
  const unborn = profile?.dob !== undefined && !hasBegun(profile.dob, now);
  if (otherEmail || unborn) throw new Refused('invalid-fields');
  const { address } = sent;
  return {
    profile,
    address: address && {
      default: fitting(address.default, defaultAddress(account)),
      other: address.other,
    },
  };
}

/** `undefined` members stay, "" clears. A province code without a province beside it names that too. */
function mergedAddress(
  present: Address,
  { province, ...sent }: Partial<Record<keyof Address, string | undefined>>,
): Address {
  const change = { ...sent, province: province ?? sent.provinceCode };
  return perLine((line) => change[line] ?? present[line]);
}

/** Two lines of one claim (OIDC Core 5.1.1). */
export function addressClaim(lines: Address): AddressClaim | null {
  const street = [lines.address1, lines.address2].join('\n').replace(/\n$/, '');
  const claim = {
    street_address: street,
    locality: lines.city,
    region: lines.provinceCode,
    postal_code: lines.postalCode,
    country: lines.countryCode,
  };
  const named = Object.entries(claim).filter(([, value]) => value !== '');
  return named.length === 0 ? null : Object.fromEntries(named);
}

/** An unverified number; the same one in another spelling is no change. */
function phoneClaims(sent: string | undefined, account: AccountView, settings: CarePortalsSettings) {
  if (sent === undefined || sent === phoneOf(account, settings)) return {};
  return { phone_number: sent, phone_number_verified: false };
}

/** A last name alone must not take away the first name that is shown for an account with only a full name. */
function nameClaims(profile: Change['profile'], account: AccountView) {
  const { firstName, lastName } = profile ?? {};
  const shown = lastName === undefined ? '' : firstNameOf(account);
  return { given_name: firstName ?? (shown === '' ? undefined : shown), family_name: lastName };
}

function addressChanges(sent: NonNullable<Change['address']>, account: AccountView) {
  const merged = sent.default && mergedAddress(defaultAddress(account), sent.default);
  const named = sent.default?.province !== undefined || sent.default?.provinceCode !== undefined;
  const addresses = sent.other?.map((one) => perLine((line) => one[line] ?? ''));
  return {
    claims: merged && { address: addressClaim(merged) },
    // A province that was never named goes on following the code.
    vendor: { ...(merged && named && { province: merged.province }), ...(addresses && { addresses }) },
  };
}

function changesOf(change: Change, account: AccountView, settings: CarePortalsSettings): AccountChanges {
  const { profile, address: sent } = change;
  const { claims, vendor } = sent ? addressChanges(sent, account) : {};
  return {
    claims: {
      ...nameClaims(profile, account),
      gender: profile?.gender,
      birthdate: profile?.dob,
      ...phoneClaims(profile?.phone, account, settings),
      ...claims,
    },
    vendor: { ...vendor },
  };
}

function changeAccount(method: 'PUT' | 'PATCH') {
  return endpoint({
    method,
    path: '/users/account',
    summary: 'Change the own account',
    caller: 'token',
    counts: 'nothing',
    accepts: schema,
    replies: { 200: AccountReply, 400: Failure, 401: Failure, 403: Failure, 406: Failure, 413: Failure },
    async answer({ body, caller, settings }, use) {
      const account = caller.account;
      const change = judged(body, { account, settings, now: use.now() });
      const changed = await use.accounts.update(account.id, (present) =>
        changesOf(change, present, settings),
      );
      return ok(accountReply(changed, settings));
    },
  });
}

export const putAccount = changeAccount('PUT');
export const patchAccount = changeAccount('PATCH');
