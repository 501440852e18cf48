/** Keys below `dialects.vsee`. */
import { z } from 'zod';
import { endpointFor } from '../contract/endpoint.ts';
import { commonSettings } from '../contract/presets.ts';
import { duration } from '../contract/settings.ts';

const webAddress = z
  .string()
  .refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text), 'must be an http or https URL');

/** '5/1h': so many requests in any stretch of that time. */
const requests = z
  .string()
  .regex(/^[1-9]\d{0,6}\/[1-9]\d{0,8}[smhd]?$/, "must be a number and a duration, such as '5/1h'")
  .transform((text) => {
    const [limit = '', window = ''] = text.split('/');
    return {
      limit: Number(limit),
      /** Seconds. */
      window: duration.parse(/\d$/.test(window) ? Number(window) : window),
    };
  });

export const settings = z.strictObject({
  /** Organization: where no account code is given. The `/vc/{env}` form follows the base. */
  ...commonSettings('vsee', '/api_v3'),
  authPath: z
    .string()
    .regex(/^(\/[\w.-]+)+$/, 'must be a path such as /auth')
    .default('/auth'),
  accessToken: z
    .strictObject({ lifetime: duration.default(86_400), audience: z.string().min(1).optional() })
    .prefault({}),
  refreshToken: z
    .strictObject({
      lifetime: duration.default(2_592_000),
      absoluteLifetime: duration.default(15_552_000),
      leeway: duration.default(10),
    })
    .prefault({}),
  /** Characters. */
  passwordMinimum: z.int().min(1).max(128).default(8),
  emailToken: z.strictObject({ lifetime: duration.default(86_400) }).prefault({}),
  limits: z.strictObject({ letters: requests.prefault('5/1h') }).prefault({}),
  registration: z.enum(['open', 'off']).default('open'),
  requireApiSecret: z.boolean().default(false),
  ssoTicket: z.enum(['reusable', 'strict']).default('reusable'),
  /** For organizations without one of their own; the issuer's origin when absent. */
  portal: webAddress.optional(),
  /** What a photo's file id is put behind. */
  filesBase: webAddress.optional(),
});

export type VSeeSettings = z.output<typeof settings>;

export const endpoint = endpointFor<VSeeSettings>();
