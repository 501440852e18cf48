/** What most vendors have alike; a dialect spreads it into its settings or its definition. */
import { z } from 'zod';
import type { BodyRules, Credential } from './dialect.ts';
import type { RequestView } from './endpoint.ts';

/** Keys of a dialect of one organization. */
export function commonSettings(name: string, base: string) {
  return {
    enabled: z.boolean().default(false),
    base: z
      .string()
      .regex(/^(\/[\w.-]+)+$/, `must be a path such as ${base}`)
      .default(base),
    organization: z.string().min(1).default('default'),
    clientId: z.string().min(1).default(`${name}-legacy`),
  };
}

/** `Authorization: Bearer <token>`; any other scheme counts as no credential. */
export function bearerCredential(request: RequestView): Credential | undefined {
  const token = /^bearer +(\S+) *$/i.exec(request.header('authorization') ?? '')?.[1];
  return token === undefined ? undefined : { kind: 'token', token };
}

/** A dialect of the settings above, with a bearer token. */
export const oneOrganization = {
  clientId: ({ clientId }: { clientId: string }) => clientId,
  credential: bearerCredential,
  organization: async ({ settings }: { settings: { organization: string } }) => settings.organization,
  admitsOrganization: ({ id }: { id: string }, { organization }: { organization: string }) =>
    id === organization,
};

interface JwtSettings {
  readonly accessToken: {
    readonly lifetime: number;
    readonly audience?: string | undefined;
    readonly secret?: string | undefined;
  };
}

/** Tokens by `jwtSettings`. */
export const jwtTokens = {
  access: 'jwt',
  accessLifetime: ({ accessToken }: JwtSettings) => accessToken.lifetime,
  audience: ({ accessToken, base }: JwtSettings & { base: string }, issuer: string) =>
    accessToken.audience ?? issuer + base,
  sharedSecret: ({ accessToken }: JwtSettings) => accessToken.secret,
} as const;

/** JSON objects of at most 64 KiB; everything else is refused. */
export const jsonBodies: BodyRules = {
  accepts: ['json'],
  limit: 65_536,
  forms: 'flat',
  absent: 'refuse',
  untyped: 'refuse',
  unreadable: 'refuse',
};
