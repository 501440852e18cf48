/**
 * What a user looks like from outside. The vendor has a shape of its own for each place (sign-in, single
 * sign-on, me, refresh, one user, the list), and they differ on purpose: a member more or less, gender in
 * three forms, `user_type` a text where `type` is a number. Each member stands in a table once, and a shape is a
 * list of names. An empty text is "", only `dob`, `photo` and `last_login` are null.
 */
import { z } from 'zod';
import type { OrganizationView } from '../contract/dialect.ts';
import type { AccountView, Endpoint } from '../contract/endpoint.ts';
import type { IssuedTokens, SignedIn } from '../contract/tokens.ts';
import { shape, type Table } from '../fields/fields.ts';
import { isObject } from './fields.ts';

/** What an account without `vendor.vsee.type` counts as. */
export const MEMBER = 200;
export const PROVIDER = 400;
export const GUEST = 600;
const STAFF: ReadonlySet<number> = new Set([100, 110, 140, 150, 160, PROVIDER]);

export const TOKEN = /^[0-9a-f]{32}$/;

/** GET /auth, the one GET without a caller, has pages for replies. */
export function isForBrowsers(endpoint: Endpoint | undefined): boolean {
  return endpoint?.method === 'GET' && endpoint.caller === 'anyone';
}

/* ------------------------------------------------------------------ values */

export function typeOf(account: AccountView): number {
  return typeof account.vendor.type === 'number' ? account.vendor.type : MEMBER;
}

/** May list users and read other people's profiles of its organization. */
export const isStaff = (account: AccountView) => STAFF.has(typeOf(account));

export const isStaffType = (type: unknown) => typeof type === 'number' && STAFF.has(type);

export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';

/** A switch as operators and older versions store it. */
export const isOn = (value: unknown) => value === true || value === 1;

export const seconds = (date: Date) => Math.floor(date.getTime() / 1000);

export function emailOf(account: AccountView): string {
  return account.email ?? textOf(account.vendor.contact_email);
}

export function fullNameOf({ claims }: AccountView): string {
  const both = [claims.given_name, claims.family_name].filter(Boolean).join(' ');
  return both || (claims.name ?? '');
}

export function vseeidOf(account: AccountView, organization: OrganizationView): string {
  const prefix = textOf(organization.vendor?.vseeid_prefix) || organization.id;
  const username = account.username ?? '';
  // Names that single sign-on generated are 32 hex.
  return `${prefix}+${TOKEN.test(username) ? username : `user${account.alias}`}`;
}

const genderOf = ({ claims }: AccountView) =>
  claims.gender === 'male' ? 1 : claims.gender === 'female' ? 2 : 0;
const GENDER_WORDS = ['', 'Male', 'Female'];

const isActive = (account: AccountView) => account.status === 'active';

export const statusOf = (account: AccountView) => (isActive(account) ? 20 : 10);

/* ------------------------------------------------------------------ tables */

const Id = z.string().regex(/^\d+$/);
const Token = z.string().regex(TOKEN);
const Text = z.string();
const TextOrNull = z.string().nullable();
const Flag = z.boolean();
const Int = z.int();

type Stored = Readonly<Record<string, unknown>>;

const textsOf = (names: string): Table<[Stored]> =>
  Object.fromEntries(
    names.split(' ').map((name) => [name, [Text, (stored: Stored) => textOf(stored[name])]]),
  );

const ROOM: Table<[Stored]> = {
  ...textsOf('id code slug name account_code domain'),
  default: [Flag, (room) => room.default === true],
  added_time: [Int, (room) => (typeof room.added_time === 'number' ? room.added_time : 0)],
  ...textsOf('source'),
};

const Room = shape(ROOM, ...Object.keys(ROOM));

export function roomsOf({ vendor }: AccountView) {
  return Array.isArray(vendor.rooms)
    ? vendor.rooms.filter((room) => isObject(room)).map((room) => Room.show(room))
    : [];
}

/** All eleven members, whatever of them is stored. */
const EXTRA: Table<[Stored]> = {
  ...textsOf('marital_status gender_identity social_security_no veteran race ethnicity'),
  ...textsOf('health_insurance insurance insurance_policy_number'),
  attachments: [z.null(), () => null],
  ...textsOf('emerg_contact_name'),
};

const Extra = shape(EXTRA, ...Object.keys(EXTRA));

function dashboardOf(account: AccountView): string {
  const home = roomsOf(account).find((room) => room.default);
  return home === undefined ? '' : `/u/${home.slug}`;
}

type User = [AccountView, OrganizationView];

const USER: Table<User> = {
  id: [Id, ({ alias }) => alias],
  // For one that single sign-on made the caller's own code, otherwise the one drawn for it.
  code: [Text, ({ vendor }) => textOf(vendor.sso_code) || textOf(vendor.code)],
  username: [Text, (account) => account.username ?? account.email ?? ''],
  vseeid: [Text, vseeidOf],
  first_name: [Text, ({ claims }) => claims.given_name ?? ''],
  last_name: [Text, ({ claims }) => claims.family_name ?? ''],
  full_name: [Text, fullNameOf],
  name: [Text, fullNameOf],
  email: [Text, emailOf],
  email_verified: [Flag, (account) => account.emailVerified],
  dob: [TextOrNull, ({ claims }) => claims.birthdate ?? null],
  gender: [Int, genderOf],
  photo: [TextOrNull, ({ claims }) => claims.picture ?? null],
  phone: [Text, ({ claims }) => claims.phone_number ?? ''],
  street_addr: [Text, ({ claims }) => claims.address?.street_address ?? ''],
  city: [Text, ({ claims }) => claims.address?.locality ?? ''],
  state: [Text, ({ claims }) => claims.address?.region ?? ''],
  zip: [Text, ({ claims }) => claims.address?.postal_code ?? ''],
  nationality: [Text, ({ vendor }) => textOf(vendor.nationality)],
  pcp_name: [Text, ({ vendor }) => textOf(vendor.pcp_name)],
  pcp_phone: [Text, ({ vendor }) => textOf(vendor.pcp_phone)],
  timezone: [Text, ({ claims }) => claims.zoneinfo ?? ''],
  active: [Flag, isActive],
  tos: [Flag, ({ vendor }) => isOn(vendor.tos)],
  status: [Int, statusOf],
  signup_step: [Int, (account) => (isActive(account) ? 99 : 0)],
  type: [Int, typeOf],
  subtype: [Text, ({ vendor }) => textOf(vendor.subtype)],
  extra: [
    Extra.schema.optional(),
    ({ vendor }) => (isObject(vendor.extra) ? Extra.show(vendor.extra) : undefined),
  ],
  rooms: [z.array(Room.schema), roomsOf],
  dashboard_url_alternative: [Text, dashboardOf],
  account_code: [Text, (_, organization) => organization.id],
  clinics: [z.array(Text), (_, organization) => [organization.id]],
  created: [Int, ({ createdAt }) => seconds(createdAt)],
  last_login: [
    Int.nullable(),
    ({ lastSignInAt }) => (lastSignInAt === undefined ? null : seconds(lastSignInAt)),
  ],
};

const REFRESH_TOKEN = z.strictObject({ user_id: Id, token: Token, expiry: Int, created: Int });

function refreshTokenOf({ alias }: AccountView, { refresh: token }: IssuedTokens) {
  if (token === undefined) throw new Error('A VSee sign-in came without its refresh token.');
  return { user_id: alias, token: token.value, expiry: token.expiresAt, created: token.issuedAt };
}

const SIGN_IN: Table<[AccountView, IssuedTokens]> = {
  user_id: [Id, ({ alias }) => alias],
  user_type: [Text, (account) => String(typeOf(account))],
  token: [Token, (_, { access }) => access.value],
  expiry: [Int, (_, { access }) => access.expiresAt],
  created: [Int, (_, { access }) => access.issuedAt],
  refresh_token: [REFRESH_TOKEN, refreshTokenOf],
};

const inData = (schema: z.ZodType) => z.strictObject({ data: schema });

/* ------------------------------------------------------------------ sign-in: flat, twenty members */

const signedIn = shape(SIGN_IN, 'user_id token expiry created user_type refresh_token');
const signedInUser = shape(
  USER,
  'id code first_name last_name username vseeid dob email gender photo active tos phone subtype',
  'street_addr state city zip pcp_name pcp_phone',
);

export const SignedInReply = inData(signedIn.schema.extend({ user: signedInUser.schema }));

export function signedInReply({ account, tokens }: SignedIn, organization: OrganizationView) {
  return { data: { ...signedIn.show(account, tokens), user: signedInUser.show(account, organization) } };
}

/* ------------------------------------------------------------------ refresh: no `created`, gender a word */

const refreshed = shape(SIGN_IN, 'user_id user_type token expiry refresh_token');
const refreshedUser = shape<User>(
  { ...USER, gender: [Text, (account) => GENDER_WORDS[genderOf(account)]] },
  'id code username first_name last_name email dob gender photo name',
);

export const RefreshedReply = inData(refreshed.schema.extend({ user: refreshedUser.schema }));

export function refreshedReply({ account, tokens }: SignedIn, organization: OrganizationView) {
  return { data: { ...refreshed.show(account, tokens), user: refreshedUser.show(account, organization) } };
}

/* ------------------------------------------------------------------ single sign-on: the token is nested */

const singleSignOnToken = shape(SIGN_IN, 'user_id token expiry refresh_token');
const singleSignOnUser = shape<User>(
  { ...USER, dob: [Text.optional(), ({ claims }) => claims.birthdate] },
  'id code first_name last_name username vseeid dob active tos subtype',
);

export const SingleSignOnReply = inData(
  singleSignOnUser.schema.extend({
    token: singleSignOnToken.schema,
    vsee: z.strictObject({ id: Text, token: Token }).optional(),
  }),
);

/** `callToken`: for the vendor's browser calls, when `fields=vsee` asked for it. */
export function singleSignOnReply(
  { account, tokens }: SignedIn,
  organization: OrganizationView,
  callToken?: string,
) {
  return {
    data: {
      ...singleSignOnUser.show(account, organization),
      token: singleSignOnToken.show(account, tokens),
      vsee: callToken && { id: vseeidOf(account, organization), token: callToken },
    },
  };
}

/* ------------------------------------------------------------------ me: eleven members */

const me = shape(USER, 'id first_name last_name username dob email gender active nationality tos photo');

export const MeReply = inData(me.schema);
/** After a change: `photo` only when there is one. */
export const ChangedMeReply = inData(me.schema.extend({ photo: Text.optional() }));

/** `photoSize`: 'WxH', passed on to whatever serves the pictures. */
export function meReply(account: AccountView, organization: OrganizationView, photoSize: string | undefined) {
  const { picture } = account.claims;
  const photo = picture && photoSize && sized(picture, photoSize);
  return { data: { ...me.show(account, organization), ...(photo && { photo }) } };
}

function sized(photo: string, size: string): string {
  if (!URL.canParse(photo)) return photo;
  const url = new URL(photo);
  url.searchParams.set('size', size);
  return url.href;
}

export function changedMeReply(account: AccountView, organization: OrganizationView) {
  return { data: { ...me.show(account, organization), photo: account.claims.picture } };
}

/* ------------------------------------------------------------------ one user: the longest shape */

const user = shape(
  USER,
  'id code first_name last_name full_name username vseeid dob email gender active tos status subtype',
  'timezone email_verified signup_step extra dashboard_url_alternative account_code clinics rooms created type',
);

export const UserReply = inData(user.schema);

export function userReply(account: AccountView, organization: OrganizationView) {
  return { data: user.show(account, organization) };
}

/* ------------------------------------------------------------------ the list: what the query names */

/** What `fields` and `sort` may name. */
export const COLUMNS = 'id username first_name last_name full_name last_login type subtype';

export const cells = shape(USER, 'email', COLUMNS);

export const ListReply = z.strictObject({
  data: z.array(cells.schema.partial().required({ id: true })),
  total_count: Int,
});
