/** Dialects with their settings, as they run. */
import { z } from 'zod';
import { type Deprecation, deprecationSection } from '../../config/deprecation-section.ts';
import { type LegacySettings, legacySection } from '../../config/legacy-section.ts';
import type { OldClientRule } from '../../identity/factors/app-passwords.ts';
import type { Dialect } from '../contract/dialect.ts';
import type { AnySettings } from '../contract/settings.ts';
import { endpointName } from './match-route.ts';

export interface MountedDialect {
  readonly dialect: Dialect;
  readonly settings: AnySettings;
  readonly clientId: string;
  /** Places at which an account may have been opened to be let in here: 'hosted', or dialects. */
  readonly admitsFrom: readonly string[];
  /** What it does about accounts that need a second factor. */
  readonly factors: OldClientRule;
  /** The system that answered the vendor's API before. */
  readonly legacy?: LegacySettings | undefined;
  /** The end of the API, and the headers that announce it. */
  readonly deprecation?: Deprecation | undefined;
  readonly announced?: Readonly<Record<string, string>> | undefined;
}

/** A dialect with a legacy system. */
export type MigratingDialect = MountedDialect & { readonly legacy: LegacySettings };

/** Keys of `dialects.<name>` that the pipeline reads, the same for every dialect: no vendor's settings have them. */
const frameOf = <Place extends z.ZodType<string>>(place: Place) =>
  z.strictObject({
    admitsFrom: z.array(place).default([]),
    factors: z.enum(['refuse', 'allow', 'app-passwords']).default('refuse'),
    deprecation: deprecationSection.optional(),
    legacy: legacySection.optional(),
  });

const frameSettings = frameOf(z.string());

/** The vendor's table with the frame's keys, as an operator may write it. A misspelt place would admit no account. */
export function withFrameKeys({ settings, legacy }: Dialect, dialects: readonly string[]): z.ZodType {
  const table = settings instanceof z.ZodPipe ? settings.in : settings;
  if (!(table instanceof z.ZodObject)) return settings;
  const { shape } = frameOf(z.enum(['hosted', ...dialects]));
  const { legacy: ofLegacy, ...others } = shape;
  return table.extend(legacy === undefined ? others : { ...others, legacy: ofLegacy });
}

/** The pipeline's keys of `dialects.<name>`, validated, and what is left for the vendor's schema. */
export function splitSettings(raw: unknown): {
  readonly frame: ReturnType<typeof frameSettings.safeParse>;
  readonly own: unknown;
} {
  if (typeof raw !== 'object' || raw === null) return { frame: frameSettings.safeParse({}), own: raw ?? {} };
  const {
    admitsFrom,
    factors,
    deprecation,
    legacy,
    ...own
  }: { [Name in keyof z.input<typeof frameSettings>]: unknown } = raw;
  return { frame: frameSettings.safeParse({ admitsFrom, factors, deprecation, legacy }), own };
}

/** Parses `dialects.<name>`; the issues of all dialects are collected in `issues`. */
export function parseSettings(
  dialects: readonly Dialect[],
  raw: Readonly<Record<string, unknown>>,
  issues: string[] = [],
): MountedDialect[] {
  return dialects.flatMap((dialect) => {
    const { frame, own } = splitSettings(raw[dialect.name]);
    const parsed = dialect.settings.safeParse(own);
    if (parsed.success && frame.success) {
      const settings = parsed.data;
      const { deprecation } = frame.data;
      const announced = deprecation && headersOf(deprecation);
      const mounted = { dialect, settings, announced, clientId: dialect.clientId(settings), ...frame.data };
      issues.push(...unknownEndpoints(mounted));
      return [mounted];
    }
    for (const { path, message } of [...(frame.error?.issues ?? []), ...(parsed.error?.issues ?? [])]) {
      issues.push(`${['dialects', dialect.name, ...path.map(String)].join('.')}: ${message}`);
    }
    return [];
  });
}

/** RFC 9745, RFC 8594. */
function headersOf({ since, sunset, link }: Deprecation): Record<string, string> {
  const relations = sunset === undefined ? ['deprecation'] : ['deprecation', 'sunset'];
  return {
    Deprecation: `@${Math.floor(since.getTime() / 1000)}`,
    ...(sunset !== undefined && { Sunset: sunset.toUTCString() }),
    ...(link !== undefined && { Link: relations.map((rel) => `<${link}>; rel="${rel}"`).join(', ') }),
  };
}

/** Brown-outs that name what is no endpoint where a sign-in begins. */
function unknownEndpoints({ dialect, settings, deprecation }: MountedDialect): string[] {
  const all = dialect.mounts(settings).flatMap(({ endpoints }) => endpoints);
  const names = new Set(all.filter(({ begins }) => begins === 'sign-in').map(endpointName));
  return (deprecation?.brownouts ?? []).flatMap(({ endpoints = [] }, window) =>
    endpoints.flatMap((name, place) => {
      const path = `dialects.${dialect.name}.deprecation.brownouts.${window}.endpoints.${place}`;
      return names.has(name) ? [] : [`${path}: must be one of ${[...names].join(', ')}`];
    }),
  );
}
