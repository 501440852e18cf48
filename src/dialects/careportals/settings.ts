/** Keys below `dialects.careportals`. */
import { z } from 'zod';
import { endpointFor } from '../contract/endpoint.ts';
import { duration, jwtSettings } from '../contract/settings.ts';

const path = z.string().regex(/^(\/[\w.-]+)+$/, 'must be a path such as /patient');

/** Judged with its places filled in. */
const resetLink = z
  .string()
  .refine((link) => link.includes('{token}'), 'must contain {token}')
  .refine(
    (link) => /^https?:\/\//i.test(link) && URL.canParse(link.replaceAll(/\{(token|organization)\}/g, 'x')),
    'must be an http(s) URL',
  );

export const settings = z.strictObject({
  enabled: z.boolean().default(false),
  base: z.union([path.transform((one) => [one]), z.array(path).min(1)]).default(['/patient']),
  hosts: z.array(z.string().toLowerCase()).default([]),
  orgBase: z.union([path, z.literal('')]).default('/org'),
  organization: z.string().min(1).optional(),
  organizations: z.array(z.string().min(1)).optional(),
  clientId: z.string().min(1).default('careportals-legacy'),
  accessToken: jwtSettings(2_592_000, { personalData: z.boolean().default(false) }),
  refreshToken: z.never('CarePortals has no refresh tokens: leave refreshToken out').optional(),
  password: z.strictObject({ minLength: z.int().min(1).max(128).default(8) }).prefault({}),
  resetLink: resetLink.optional(),
  resetToken: z
    .strictObject({
      lifetime: duration.refine((seconds) => seconds <= 3600, 'must be at most 1h').default(3600),
    })
    .prefault({}),
  phoneCountryCode: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'must be a country calling code such as "1"')
    .default('1'),
  corsOrigins: z.union([z.literal('any'), z.array(z.url())]).default('any'),
});

export type CarePortalsSettings = z.output<typeof settings>;

export const endpoint = endpointFor<CarePortalsSettings>();

/** Whether this dialect serves the organization; others count as unknown. */
export const mayReach = (organization: string, { organizations }: CarePortalsSettings) =>
  organizations?.includes(organization) ?? true;
