/** What this vendor's replies look like: the schemas, for the documentation, beside what fills them. */
import { z } from 'zod';
import type { AccountView } from '../contract/endpoint.ts';
import type { SignedIn } from '../contract/tokens.ts';

export const PersonReply = z.strictObject({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  createdAt: z.iso.datetime(),
});

export const SignedInReply = z.strictObject({
  token: z.string(),
  refreshToken: z.string(),
  expiresIn: z.int(),
  person: PersonReply,
});

export const Failure = z.strictObject({
  error: z.string(),
  fields: z.array(z.strictObject({ field: z.string(), problem: z.string() })).optional(),
});

function nameOf({ claims }: AccountView): string {
  return claims.name ?? [claims.given_name, claims.family_name].filter(Boolean).join(' ');
}

export function personReply(account: AccountView): z.output<typeof PersonReply> {
  return {
    id: account.alias,
    email: account.email ?? '',
    name: nameOf(account),
    createdAt: account.createdAt.toISOString(),
  };
}

export function signedInReply({ account, tokens }: SignedIn): z.output<typeof SignedInReply> {
  return {
    token: tokens.access.value,
    refreshToken: tokens.refresh?.value ?? '',
    expiresIn: tokens.access.expiresAt - tokens.access.issuedAt,
    person: personReply(account),
  };
}
