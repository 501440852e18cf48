/** Keys below `dialects.medisync`. */
import { z } from 'zod';
import { endpointFor } from '../contract/endpoint.ts';
import { commonSettings } from '../contract/presets.ts';
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
  ...commonSettings('medisync', '/api'),
  accessToken: jwtSettings(86_400, { rememberLifetime: duration.default(2_592_000) }),
  /** Accepted, without effect: this dialect has no refresh tokens. */
  refreshToken: z.strictObject({ lifetime: duration.optional() }).optional(),
  verification: z.strictObject({ lifetime: duration.default(86_400), url: z.url().optional() }).prefault({}),
  limits: z
    .strictObject({ login: rate('5/15m'), register: rate('3/1h'), resend: rate('5/30m') })
    .prefault({}),
});

/** For a client address, where `rate` is for one address and email, or for one account. */
export const tenfold = ({ limit, window }: { limit: number; window: number }) => ({
  limit: limit * 10,
  window,
});

export type MediSyncSettings = z.output<typeof settings>;

export const endpoint = endpointFor<MediSyncSettings>();
