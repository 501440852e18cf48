/** One user as GET /users/{id} shows it: the longest shape, with rooms and, where there is one, the extended profile. */
import { z } from 'zod';
import type { Json, OrganizationView } from '../../contract/dialect.ts';
import type { AccountView } from '../../contract/endpoint.ts';
import {
  codeOf,
  dobOf,
  emailOf,
  fullNameOf,
  genderNumber,
  isActive,
  namesOf,
  seconds,
  textOf,
  tosOf,
  typeOf,
  usernameOf,
  vseeidOf,
} from '../serializers.ts';

const Room = z.strictObject({
  id: z.string(),
  code: z.string(),
  slug: z.string(),
  name: z.string(),
  account_code: z.string(),
  domain: z.string(),
  default: z.boolean(),
  added_time: z.int(),
  source: z.string(),
});

type Room = z.output<typeof Room>;

/** Texts of the extended profile, in the vendor's order. */
const EXTRA_TEXTS = [
  'marital_status',
  'gender_identity',
  'social_security_no',
  'veteran',
  'race',
  'ethnicity',
  'health_insurance',
  'insurance',
  'insurance_policy_number',
] as const;

const Extra = z.strictObject({
  ...(Object.fromEntries(EXTRA_TEXTS.map((name) => [name, z.string()])) as Record<
    (typeof EXTRA_TEXTS)[number],
    z.ZodString
  >),
  attachments: z.null(),
  emerg_contact_name: z.string(),
});

export const UserReply = z.strictObject({
  data: z.strictObject({
    id: z.string(),
    code: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    full_name: z.string(),
    username: z.string(),
    vseeid: z.string(),
    dob: z.string().nullable(),
    email: z.string(),
    gender: z.int(),
    active: z.boolean(),
    tos: z.boolean(),
    status: z.int(),
    subtype: z.string(),
    timezone: z.string(),
    email_verified: z.boolean(),
    signup_step: z.int(),
    extra: Extra.optional(),
    dashboard_url_alternative: z.string(),
    account_code: z.string(),
    clinics: z.array(z.string()),
    rooms: z.array(Room),
    created: z.int(),
    type: z.int(),
  }),
});

export const statusOf = (account: AccountView) => (isActive(account) ? 20 : 10);

export function userReply(account: AccountView, organization: OrganizationView) {
  const rooms = roomsOf(account);
  const home = rooms.find((room) => room.default);
  return {
    data: {
      id: account.alias,
      code: codeOf(account),
      ...namesOf(account),
      full_name: fullNameOf(account),
      username: usernameOf(account),
      vseeid: vseeidOf(account, organization),
      dob: dobOf(account),
      email: emailOf(account),
      gender: genderNumber(account),
      active: isActive(account),
      tos: tosOf(account),
      status: statusOf(account),
      subtype: textOf(account.vendor.subtype),
      timezone: account.claims.zoneinfo ?? '',
      email_verified: account.emailVerified,
      signup_step: isActive(account) ? 99 : 0,
      extra: extraOf(account.vendor.extra),
      dashboard_url_alternative: home === undefined ? '' : `/u/${home.slug}`,
      account_code: organization.id,
      clinics: [organization.id],
      rooms,
      created: seconds(account.createdAt),
      type: typeOf(account),
    },
  };
}

type Members = Readonly<Record<string, Json | undefined>>;

const isObject = (value: Json | undefined): value is { [member: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** All eleven members, whatever of them is stored. */
function extraOf(stored: Json | undefined) {
  if (!isObject(stored)) return undefined;
  const texts = Object.fromEntries(EXTRA_TEXTS.map((name) => [name, textOf(stored[name])]));
  return { ...texts, attachments: null, emerg_contact_name: textOf(stored.emerg_contact_name) };
}

export function roomsOf(account: AccountView): Room[] {
  const stored = account.vendor.rooms;
  return Array.isArray(stored) ? stored.filter(isObject).map(roomOf) : [];
}

function roomOf(room: Members): Room {
  return {
    id: textOf(room.id),
    code: textOf(room.code),
    slug: textOf(room.slug),
    name: textOf(room.name),
    account_code: textOf(room.account_code),
    domain: textOf(room.domain),
    default: room.default === true,
    added_time: typeof room.added_time === 'number' ? room.added_time : 0,
    source: textOf(room.source),
  };
}
