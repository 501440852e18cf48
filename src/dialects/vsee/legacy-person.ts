/** What VSee's own server says of a person, by which account it becomes here. */
import { z } from 'zod';
import { foldName } from '../contract/dialect.ts';
import type { Confirmed } from '../contract/legacy-api.ts';
import { said } from '../fields/legacy-replies.ts';
import { address } from './users/address.ts';

/** What the shapes of a user say, each some of it; their own schemas have judged the rest. */
export const User = z
  .object({
    id: z.string(),
    code: z.string(),
    username: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    name: z.string(),
    full_name: z.string(),
    email: z.string(),
    phone: z.string(),
    street_addr: z.string(),
    city: z.string(),
    state: z.string(),
    zip: z.string(),
    timezone: z.string(),
    nationality: z.string(),
    pcp_name: z.string(),
    pcp_phone: z.string(),
    subtype: z.string(),
    type: z.int(),
    created: z.int(),
    dob: z.string().nullable(),
    photo: z.string().nullable(),
    gender: z.union([z.int(), z.string()]),
    active: z.boolean(),
    tos: z.boolean(),
    email_verified: z.boolean(),
    extra: z.json(),
    rooms: z.json(),
  })
  .partial()
  .required({ id: true });

type Shown = z.output<typeof User>;

const GENDERS = new Map<unknown, string>([
  [1, 'male'],
  [2, 'female'],
  ['Male', 'male'],
  ['Female', 'female'],
]);

/** Where the name holds an `@` it can only be the person's own address. */
function usernameOf({ username = '', email = '' }: Shown): string {
  return username.includes('@') && foldName(username) !== foldName(email) ? '' : username;
}

function claimsOf(shown: Shown) {
  const { first_name = '', last_name = '', street_addr, city, state, zip } = shown;
  const full = first_name === '' && last_name === '' ? (shown.full_name ?? shown.name) : '';
  return said({
    name: full,
    given_name: first_name,
    family_name: last_name,
    birthdate: shown.dob,
    gender: GENDERS.get(shown.gender),
    picture: shown.photo,
    phone_number: shown.phone,
    zoneinfo: shown.timezone,
    address: address(said({ street_addr, city, state, zip })),
  });
}

/** `own`: what the place shows beside the user. */
export function personOf(
  shown: Shown,
  own: { type?: number; code?: string; sso_code?: string } = {},
): Confirmed {
  const { id, email, active, created, email_verified, ...rest } = shown;
  const { type, code, subtype, tos, nationality, pcp_name, pcp_phone, extra, rooms } = rest;
  return {
    vendorId: id,
    account: {
      ...said({ email, username: usernameOf(shown) }),
      ...(active !== undefined && { status: active ? 'active' : 'inactive' }),
      claims: claimsOf(shown),
      vendor: said({ type, code, subtype, tos, nationality, pcp_name, pcp_phone, extra, rooms, ...own }),
    },
    ...said({ addressVerified: email_verified }),
    ...(created !== undefined && { createdAt: new Date(created * 1000) }),
  };
}
