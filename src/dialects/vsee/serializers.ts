/**
 * What a user looks like from outside. The vendor has a shape of its own for each place (sign-in, single
 * sign-on, me, refresh, one user, the list), and they differ on purpose: a member more or less, gender in
 * three forms, `user_type` a text where `type` is a number. An empty text is "", only `dob`, `photo` and
 * `last_login` are null.
 */
import { z } from 'zod';
import type { Json, OrganizationView } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { IssuedToken, IssuedTokens } from '../contract/tokens.ts';

const ID = z.string().regex(/^\d+$/);
export const TOKEN = /^[0-9a-f]{32}$/;
const Token = z.string().regex(TOKEN);
const Seconds = z.int();
const TextOrNull = z.string().nullable();

/** What an account without `vendor.vsee.type` counts as. */
export const MEMBER = 200;
export const PROVIDER = 400;
export const GUEST = 600;
const STAFF: ReadonlySet<number> = new Set([100, 110, 140, 150, 160, PROVIDER]);

/* ------------------------------------------------------------------ values */

export function typeOf(account: AccountView): number {
  return typeof account.vendor.type === 'number' ? account.vendor.type : MEMBER;
}

/** May list users and read other people's profiles of its organization. */
export const isStaff = (account: AccountView) => STAFF.has(typeOf(account));

export const textOf = (value: Json | undefined): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';

export const seconds = (date: Date) => Math.floor(date.getTime() / 1000);

export function emailOf(account: AccountView): string {
  return account.email ?? textOf(account.vendor.contact_email);
}

export const usernameOf = (account: AccountView) => account.username ?? account.email ?? '';

export function fullNameOf({ claims }: AccountView): string {
  const both = [claims.given_name, claims.family_name].filter(Boolean).join(' ');
  return both || (claims.name ?? '');
}

/** For one that single sign-on made the caller's own code, otherwise the one drawn for it. */
export function codeOf({ vendor }: AccountView): string {
  return textOf(vendor.sso_code) || textOf(vendor.code);
}

export function vseeidOf(account: AccountView, organization: OrganizationView): string {
  const prefix = textOf(organization.vendor?.vseeid_prefix) || organization.id;
  const username = account.username ?? '';
  // Names that single sign-on generated are 32 hex.
  return `${prefix}+${TOKEN.test(username) ? username : `user${account.alias}`}`;
}

export const genderNumber = ({ claims }: AccountView) =>
  claims.gender === 'male' ? 1 : claims.gender === 'female' ? 2 : 0;

const genderWord = ({ claims }: AccountView) =>
  claims.gender === 'male' ? 'Male' : claims.gender === 'female' ? 'Female' : '';

export function namesOf({ claims }: AccountView) {
  return { first_name: claims.given_name ?? '', last_name: claims.family_name ?? '' };
}

export const isActive = (account: AccountView) => account.status === 'active';
export const tosOf = (account: AccountView) => account.vendor.tos === true || account.vendor.tos === 1;
export const dobOf = (account: AccountView) => account.claims.birthdate ?? null;
const photoOf = (account: AccountView) => account.claims.picture ?? null;

/* ------------------------------------------------------------------ tokens */

const RefreshToken = z.strictObject({ user_id: ID, token: Token, expiry: Seconds, created: Seconds });

function refreshTokenOf(account: AccountView, tokens: IssuedTokens) {
  const token: IssuedToken | undefined = tokens.refresh;
  if (token === undefined) throw new Error('A VSee sign-in came without its refresh token.');
  return { user_id: account.alias, token: token.value, expiry: token.expiresAt, created: token.issuedAt };
}

/* ------------------------------------------------------------------ sign-in: flat, twenty members */

const Person = { id: ID, code: z.string(), first_name: z.string(), last_name: z.string() };

export const SignedInReply = z.strictObject({
  data: z.strictObject({
    user_id: ID,
    token: Token,
    expiry: Seconds,
    created: Seconds,
    user_type: z.string(),
    refresh_token: RefreshToken,
    user: z.strictObject({
      ...Person,
      username: z.string(),
      vseeid: z.string(),
      dob: TextOrNull,
      email: z.string(),
      gender: z.int(),
      photo: TextOrNull,
      active: z.boolean(),
      tos: z.boolean(),
      phone: z.string(),
      subtype: z.string(),
      street_addr: z.string(),
      state: z.string(),
      city: z.string(),
      zip: z.string(),
      pcp_name: z.string(),
      pcp_phone: z.string(),
    }),
  }),
});

export function signedInReply(
  { account, tokens }: { account: AccountView; tokens: IssuedTokens },
  organization: OrganizationView,
) {
  return {
    data: {
      user_id: account.alias,
      token: tokens.access.value,
      expiry: tokens.access.expiresAt,
      created: tokens.access.issuedAt,
      user_type: String(typeOf(account)),
      refresh_token: refreshTokenOf(account, tokens),
      user: signedInUser(account, organization),
    },
  };
}

function signedInUser(account: AccountView, organization: OrganizationView) {
  const { claims, vendor } = account;
  return {
    id: account.alias,
    code: codeOf(account),
    ...namesOf(account),
    username: usernameOf(account),
    vseeid: vseeidOf(account, organization),
    dob: dobOf(account),
    email: emailOf(account),
    gender: genderNumber(account),
    photo: photoOf(account),
    active: isActive(account),
    tos: tosOf(account),
    phone: claims.phone_number ?? '',
    subtype: textOf(vendor.subtype),
    street_addr: claims.address?.street_address ?? '',
    state: claims.address?.region ?? '',
    city: claims.address?.locality ?? '',
    zip: claims.address?.postal_code ?? '',
    pcp_name: textOf(vendor.pcp_name),
    pcp_phone: textOf(vendor.pcp_phone),
  };
}

/* ------------------------------------------------------------------ refresh: no `created`, gender a word */

export const RefreshedReply = z.strictObject({
  data: z.strictObject({
    user_id: ID,
    user_type: z.string(),
    token: Token,
    expiry: Seconds,
    refresh_token: RefreshToken,
    user: z.strictObject({
      ...Person,
      username: z.string(),
      email: z.string(),
      dob: TextOrNull,
      gender: z.string(),
      photo: TextOrNull,
      name: z.string(),
    }),
  }),
});

export function refreshedReply({ account, tokens }: { account: AccountView; tokens: IssuedTokens }) {
  return {
    data: {
      user_id: account.alias,
      user_type: String(typeOf(account)),
      token: tokens.access.value,
      expiry: tokens.access.expiresAt,
      refresh_token: refreshTokenOf(account, tokens),
      user: {
        id: account.alias,
        code: codeOf(account),
        username: usernameOf(account),
        ...namesOf(account),
        email: emailOf(account),
        dob: dobOf(account),
        gender: genderWord(account),
        photo: photoOf(account),
        name: fullNameOf(account),
      },
    },
  };
}

/* ------------------------------------------------------------------ single sign-on: the token is nested */

export const SingleSignOnReply = z.strictObject({
  data: z.strictObject({
    ...Person,
    username: z.string(),
    vseeid: z.string(),
    dob: z.string().optional(),
    active: z.boolean(),
    tos: z.boolean(),
    subtype: z.string(),
    token: z.strictObject({ user_id: ID, token: Token, expiry: Seconds, refresh_token: RefreshToken }),
    vsee: z.strictObject({ id: z.string(), token: Token }).optional(),
  }),
});

/** `callToken`: for the vendor's browser calls, when `fields=vsee` asked for it. */
export function singleSignOnReply(
  { account, tokens }: { account: AccountView; tokens: IssuedTokens },
  { organization, callToken }: { organization: OrganizationView; callToken: string | undefined },
) {
  const vseeid = vseeidOf(account, organization);
  return {
    data: {
      id: account.alias,
      code: codeOf(account),
      ...namesOf(account),
      username: usernameOf(account),
      vseeid,
      dob: account.claims.birthdate,
      active: isActive(account),
      tos: tosOf(account),
      subtype: textOf(account.vendor.subtype),
      token: {
        user_id: account.alias,
        token: tokens.access.value,
        expiry: tokens.access.expiresAt,
        refresh_token: refreshTokenOf(account, tokens),
      },
      vsee: callToken === undefined ? undefined : { id: vseeid, token: callToken },
    },
  };
}

/* ------------------------------------------------------------------ me: eleven members */

const me = {
  id: ID,
  first_name: z.string(),
  last_name: z.string(),
  username: z.string(),
  dob: TextOrNull,
  email: z.string(),
  gender: z.int(),
  active: z.boolean(),
  nationality: z.string(),
  tos: z.boolean(),
};

export const MeReply = z.strictObject({ data: z.strictObject({ ...me, photo: TextOrNull }) });
export const ChangedMeReply = z.strictObject({
  data: z.strictObject({ ...me, photo: z.string().optional() }),
});

function ownProfile(account: AccountView) {
  return {
    id: account.alias,
    ...namesOf(account),
    username: usernameOf(account),
    dob: dobOf(account),
    email: emailOf(account),
    gender: genderNumber(account),
    active: isActive(account),
    nationality: textOf(account.vendor.nationality),
    tos: tosOf(account),
  };
}

/** `photoSize`: 'WxH', passed on to whatever serves the pictures. */
export function meReply(account: AccountView, photoSize: string | undefined) {
  const photo = photoOf(account);
  const asked = photo === null || photoSize === undefined ? photo : sized(photo, photoSize);
  return { data: { ...ownProfile(account), photo: asked } };
}

function sized(photo: string, size: string): string {
  if (!URL.canParse(photo)) return photo;
  const url = new URL(photo);
  url.searchParams.set('size', size);
  return url.href;
}

/** After a change: `photo` only when there is one. */
export function changedMeReply(account: AccountView) {
  return { data: { ...ownProfile(account), photo: photoOf(account) ?? undefined } };
}
