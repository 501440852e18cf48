import type { Dialect } from '../contract/dialect.ts';
import { splitSettings } from './frame-settings.ts';
import type { MountedDialect } from './mounted.ts';

/** Parses `dialects.<name>`; the issues of all dialects are collected in `problems`. */
export function parseSettings(
  dialects: readonly Dialect[],
  raw: Readonly<Record<string, unknown>>,
  issues: string[],
): MountedDialect[] {
  const mounted: MountedDialect[] = [];
  for (const dialect of dialects) {
    const { frame, own } = splitSettings(raw[dialect.name]);
    const parsed = dialect.settings.safeParse(own);
    if (parsed.success && frame.success) {
      const settings = parsed.data;
      const { admitsFrom } = frame.data;
      mounted.push({ dialect, settings, clientId: dialect.clientId(settings), admitsFrom });
      continue;
    }
    for (const issue of [...(frame.error?.issues ?? []), ...(parsed.error?.issues ?? [])]) {
      const path = ['dialects', dialect.name, ...issue.path.map(String)].join('.');
      issues.push(`${path}: ${issue.message}`);
    }
  }
  return mounted;
}
