/** Keys of `dialects.<name>` that the pipeline reads, the same for every dialect: no vendor's settings have them. */
import { z } from 'zod';

/** `admitsFrom`: accounts that people opened at these places are let in here. */
const keysOf = <Place extends z.ZodType<string>>(place: Place) =>
  z.strictObject({ admitsFrom: z.array(place).default([]) });

const frameSettings = keysOf(z.string());

/** The vendor's table with the frame's keys, as an operator may write it. A misspelt place would admit no account. */
export function withFrameKeys(settings: z.ZodType, dialects: readonly string[]): z.ZodType {
  const table = settings instanceof z.ZodPipe ? settings.in : settings;
  if (!(table instanceof z.ZodObject)) return settings;
  return table.extend(keysOf(z.enum(['hosted', ...dialects])).shape);
}

/** The pipeline's keys of `dialects.<name>`, validated, and what is left for the vendor's schema. */
export function splitSettings(raw: unknown): {
  readonly frame: ReturnType<typeof frameSettings.safeParse>;
  readonly own: unknown;
} {
  if (typeof raw !== 'object' || raw === null) return { frame: frameSettings.safeParse({}), own: raw ?? {} };
  const { admitsFrom, ...own }: { admitsFrom?: unknown } = raw;
  return { frame: frameSettings.safeParse({ admitsFrom }), own };
}
