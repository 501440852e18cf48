/** Keys below `dialects.medisync`. */
import { z } from 'zod';
import { endpointFor } from '../contract/endpoint.ts';
import { duration, jwtSettings } from '../contract/settings.ts';

/** So many in so long: '5/15m'. */
function rate(byDefault: string) {
  return z
    .string()
    .regex(/^[1-9]\d{0,5}\/[1-9]\d{0,5}[smhd]$/, "must be a number and a duration, such as '5/15m'")
    .default(byDefault)
    .transform((text) => {
      const [limit, window] = text.split('/');
      return { limit: Number(limit), window: duration.parse(window) };
    });
}

export const settings = z.strictObject({
  enabled: z.boolean().default(false),
  base: z
    .string()
    .regex(/^(\/[\w.-]+)+$/, 'must be a path such as /api')
    .default('/api'),
  organization: z.string().min(1).default('default'),
  clientId: z.string().min(1).default('medisync-legacy'),
  accessToken: jwtSettings(86_400, { rememberLifetime: duration.default(2_592_000) }),
  /** Accepted, without effect: this dialect has no refresh tokens. */
  refreshToken: z.strictObject({ lifetime: duration.optional() }).optional(),
  verification: z.strictObject({ lifetime: duration.default(86_400), url: z.url().optional() }).prefault({}),
  limits: z
    .strictObject({ login: rate('5/15m'), register: rate('3/1h'), resend: rate('5/30m') })
    .prefault({}),
});

export type MediSyncSettings = z.output<typeof settings>;

export const endpoint = endpointFor<MediSyncSettings>();
