/** Keys below `dialects.example`. */
import { z } from 'zod';
import { endpointFor } from '../contract/endpoint.ts';
import { commonSettings } from '../contract/presets.ts';
import { duration, jwtSettings } from '../contract/settings.ts';

export const settings = z.strictObject({
  ...commonSettings('example', '/example/v1'),
  accessToken: jwtSettings(3600),
  refreshToken: z
    .strictObject({ lifetime: duration.default(2_592_000), leeway: duration.default(10) })
    .prefault({}),
  limits: z.strictObject({ register: z.int().positive().default(20) }).prefault({}),
});

export type ExampleSettings = z.output<typeof settings>;

export const endpoint = endpointFor<ExampleSettings>();
