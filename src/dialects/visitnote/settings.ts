/** Keys below `dialects.visitnote`. */
import { z } from 'zod';
import { endpointFor } from '../contract/endpoint.ts';
import { commonSettings } from '../contract/presets.ts';
import { duration, jwtSettings } from '../contract/settings.ts';

export const DISCIPLINES = ['PT', 'PTA', 'OT', 'COTA', 'SLP', 'RN', 'LPN', 'MSW', 'OTHER'];

const provider = z.strictObject({ audiences: z.array(z.string().min(1)).optional() }).prefault({});

export const settings = z.strictObject({
  ...commonSettings('visitnote', '/api/therapist/v1'),
  accessToken: jwtSettings(86_400),
  refreshToken: z.never('VisitNote has no refresh tokens: leave refreshToken out').optional(),
  limits: z
    .strictObject({ auth: z.int().positive().default(10), general: z.int().positive().default(60) })
    .prefault({}),
  trialDays: z.int().min(0).default(14),
  disciplines: z.array(z.string().min(1)).default(DISCIPLINES),
  refuseRoles: z.array(z.string()).default(['patient']),
  social: z.strictObject({ google: provider, apple: provider, maxAge: duration.default(600) }).prefault({}),
});

export type VisitNoteSettings = z.output<typeof settings>;

export const endpoint = endpointFor<VisitNoteSettings>();
