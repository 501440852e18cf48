/** What every call on a server has in common, whichever server it is. */
import type { StoreHealth } from './stores.ts';

export type Guard = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** The port with each of its methods under `guard`. */
export function underGuard<Port extends object>(port: Port, guard: Guard): Port {
  const methods = Object.entries(port).map(([name, method]) => [
    name,
    (...values: unknown[]) => guard(() => method(...values)),
  ]);
  return Object.fromEntries(methods) as Port;
}

/** Rejects with `late` when the work takes longer than `limit` milliseconds. */
export async function within<Result>(
  limit: number,
  late: () => Error,
  work: () => Promise<Result>,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), limit);
  });
  try {
    return await Promise.race([work(), end]);
  } finally {
    clearTimeout(timer);
  }
}

/** `look` writes and reads back. */
export async function healthOf(name: string, look: () => Promise<void>): Promise<StoreHealth[]> {
  try {
    await look();
    return [{ name, ok: true }];
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return [{ name, ok: false, detail: cause instanceof Error ? cause.message : String(cause) }];
  }
}
