/** Keys below `dialects.avycenna`. */
import { z } from 'zod';
import { endpointFor } from '../contract/endpoint.ts';
import { commonSettings } from '../contract/presets.ts';
import { duration, jwtSettings } from '../contract/settings.ts';

/** Schemes that would run or show something in the person's browser instead of reaching an app. */
const HOSTILE_SCHEMES = ['javascript:', 'data:', 'file:', 'blob:', 'vbscript:'];

const nativeRedirectUri = z.string().superRefine((uri, context) => {
  const issue = (message: string) => context.addIssue({ code: 'custom', message });
  if (!URL.canParse(uri)) return issue('must be a URI');
  if (uri.includes('#')) return issue('must not have a fragment: the tokens travel there');
  if (HOSTILE_SCHEMES.includes(new URL(uri).protocol)) issue('must not have this scheme');
});

export const settings = z
  .strictObject({
    ...commonSettings('avycenna', '/api/v1'),
    accessToken: jwtSettings(900),
    refreshToken: z
      .strictObject({
        lifetime: duration.default(2_592_000),
        absoluteLifetime: duration.default(31_536_000),
        leeway: duration.default(10),
      })
      .prefault({}),
    defaultRole: z.enum(['doctor', 'patient'], 'must be doctor or patient').default('doctor'),
    googleProvider: z.string().min(1).default('google'),
    dashboardUrl: z
      .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
      .default('https://web.avycenna.com/dashboard'),
    cookieDomain: z
      .string()
      .regex(/^\.?[a-z0-9-]+(\.[a-z0-9-]+)*$/i, 'must be a domain such as avycenna.com')
      .optional(),
    nativeRedirectUris: z.array(nativeRedirectUri).default([]),
    origins: z
      .array(z.url({ protocol: /^https?$/, error: 'must be an origin such as https://web.avycenna.com' }))
      .optional(),
  })
  .transform((input) => ({ ...input, origins: input.origins ?? [new URL(input.dashboardUrl).origin] }));

export type AvycennaSettings = z.output<typeof settings>;

export const endpoint = endpointFor<AvycennaSettings>();
