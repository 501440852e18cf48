/** How AVYCENNA shows an account, a sign-in and an API key. Bare JSON, whole seconds, nulls present. */
import { z } from 'zod';
import type { Json } from '../contract/dialect.ts';
import type { AccountView } from '../contract/endpoint.ts';
import type { IssuedTokens, SignedIn } from '../contract/tokens.ts';
import type { ApiKeyView } from '../contract/use.ts';
import type { AvycennaSettings } from './settings.ts';

/** The roles that this vendor knows. */
export const ROLES: readonly string[] = ['doctor', 'patient', 'admin'];

/** Cut off, not rounded. */
const seconds = (time: Date) => `${time.toISOString().slice(0, 19)}Z`;

export const textOrNull = (value: Json | undefined) => (typeof value === 'string' ? value : null);

export function roleOf(account: Pick<AccountView, 'vendor' | 'roles'>, settings: AvycennaSettings): string {
  const { role } = account.vendor;
  if (typeof role === 'string') return role;
  return account.roles.find((known) => ROLES.includes(known)) ?? settings.defaultRole;
}

function nameOf({ claims, email }: AccountView): string | null {
  if (claims.name !== undefined) return claims.name;
  const names = [claims.given_name, claims.family_name].filter((name) => name !== undefined);
  return names.length > 0 ? names.join(' ') : (email ?? null);
}

function user(account: AccountView, settings: AvycennaSettings) {
  return {
    id: account.alias,
    email: account.email ?? null,
    name: nameOf(account),
    role: roleOf(account, settings),
  };
}

export function tokensReply({ access, refresh }: IssuedTokens) {
  return {
    access_token: access.value,
    refresh_token: refresh?.value,
    token_type: 'bearer',
    expires_in: access.expiresAt - access.issuedAt,
  };
}

export function signedInReply({ account, tokens }: SignedIn, settings: AvycennaSettings) {
  return { ...tokensReply(tokens), user: user(account, settings) };
}

export function meReply(account: AccountView, settings: AvycennaSettings) {
  const { vendor, claims } = account;
  return {
    user: { ...user(account, settings), created_at: seconds(account.createdAt) },
    profile: {
      specialty: textOrNull(vendor.specialty),
      institution: textOrNull(vendor.institution),
      phone: vendor.phone === undefined ? (claims.phone_number ?? null) : textOrNull(vendor.phone),
    },
  };
}

export function apiKeyReply(key: ApiKeyView) {
  return {
    id: key.id,
    name: key.name,
    scopes: [...key.scopes],
    created_at: seconds(key.createdAt),
    last_used_at: key.lastUsedAt === undefined ? null : seconds(key.lastUsedAt),
  };
}

export const TokensReply = z.strictObject({
  access_token: z.string(),
  refresh_token: z.string(),
  token_type: z.literal('bearer'),
  expires_in: z.int(),
});

const User = z.strictObject({
  id: z.string(),
  email: z.string().nullable(),
  name: z.string().nullable(),
  role: z.string(),
});

export const SignedInReply = TokensReply.extend({ user: User });

export const MeReply = z.strictObject({
  user: User.extend({ created_at: z.string() }),
  profile: z.strictObject({
    specialty: z.string().nullable(),
    institution: z.string().nullable(),
    phone: z.string().nullable(),
  }),
});

export const ApiKeyReply = z.strictObject({
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
});

export const MadeApiKeyReply = ApiKeyReply.extend({ key: z.string() });
export const MessageReply = z.strictObject({ message: z.string() });
export const CodeSentReply = MessageReply.extend({ expires_in_minutes: z.int() });
export const Failure = z.strictObject({ detail: z.string() });
export const InvalidFields = z.strictObject({
  detail: z.array(
    z.strictObject({
      loc: z.array(z.union([z.string(), z.int()])),
      msg: z.string(),
      type: z.string(),
    }),
  ),
});
