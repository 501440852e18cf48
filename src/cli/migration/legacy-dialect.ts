/** The dialects of which a migration command may speak: those with a legacy system. */
import type { MigratingDialect } from '../../dialects/runtime/mounted.ts';
import type { CommandContext } from '../context.ts';
import { CommandRefused } from '../output.ts';

export async function migratingDialects(context: CommandContext): Promise<MigratingDialect[]> {
  const mounted = await mountedDialects(context);
  return mounted.flatMap((at) => (at.legacy === undefined ? [] : [{ ...at, legacy: at.legacy }]));
}

/** Those that are switched on. */
export async function mountedDialects({ config }: CommandContext) {
  const [{ loadEnabledDialects }, { parseSettings }] = await Promise.all([
    import('../../dialects/registry.ts'),
    import('../../dialects/runtime/mounted.ts'),
  ]);
  return parseSettings(await loadEnabledDialects(config.dialects), config.dialects);
}

/** CommandRefused when there is no such dialect, or it has no legacy system. */
export async function migratingDialect(context: CommandContext, name: string): Promise<MigratingDialect> {
  const all = await migratingDialects(context);
  const result = all.find(({ dialect }) => dialect.name === name);
  if (result !== undefined) return result;
  const names = all.map(({ dialect }) => dialect.name).join(', ') || 'none';
  throw new CommandRefused(
    `${name} has no legacy system (dialects.${name}.legacy), or is not switched on. Dialects with one: ${names}.`,
  );
}

/** 'GET /me' of each endpoint of the dialect. */
export function endpointsOf({ dialect, settings }: MigratingDialect): string[] {
  const all = dialect.mounts(settings).flatMap(({ endpoints }) => endpoints);
  return [...new Set(all.map(({ method, path }) => `${method} ${path}`))];
}
