import { z } from 'zod';

/**
 * Settings of a dialect that is one of many. Each dialect reads its own settings only, so a list of them
 * needs a type that fits every one, in and out; no other type does both.
 */
// biome-ignore lint/suspicious/noExplicitAny: the only type that is at once every dialect's settings.
export type AnySettings = any;

export const SECONDS = { s: 1, m: 60, h: 3600, d: 86400 } as const;

/** A duration in the configuration: whole seconds, or '10s', '5m', '24h', '30d'. Read as seconds. */
export const duration = z.union([
  z.int().positive(),
  z
    .string()
    .regex(/^[1-9]\d{0,8}[smhd]$/, "must be whole seconds, or a number with s, m, h or d, such as '24h'")
    .transform((text) => Number(text.slice(0, -1)) * SECONDS[text.at(-1) as keyof typeof SECONDS]),
]);

/**
 * `accessToken` of a dialect whose tokens are JWTs. The configuration loader puts the content of the file
 * that `secret_file` names into `secret`.
 */
export function jwtSettings<Extra extends z.ZodRawShape = Record<never, never>>(
  lifetime: number,
  /** Keys that this dialect has besides. */
  extra = {} as Extra,
) {
  return z
    .strictObject({
      lifetime: duration.default(lifetime),
      signing: z.enum(['ES256', 'HS256']).default('ES256'),
      secret: z
        .string()
        .refine((text) => new TextEncoder().encode(text).byteLength >= 32, 'must be 32 bytes or more')
        .optional(),
      audience: z.string().min(1).optional(),
      ...extra,
    })
    .refine(
      (settings: { signing?: unknown; secret?: unknown }) =>
        (settings.signing === 'HS256') === (settings.secret !== undefined),
      {
        message: 'HS256 needs accessToken.secret_file, and only HS256 may have it',
        path: ['secret_file'],
      },
    )
    .prefault({} as never);
}
