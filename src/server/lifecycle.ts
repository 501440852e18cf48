/**
 * Graceful shutdown: readiness off first, so that a balancer sends nothing more; then phase by phase, in
 * the order of PHASES, what was opened is closed. Within a phase everything closes at once. A part that fails
 * to close is logged and does not keep the others open.
 */
import type { Log } from '../observe/log.ts';

/** listening: no new requests, those in flight are answered. work: timers, emails. stores: what all others write to. */
const PHASES = ['listening', 'work', 'audit', 'stores'] as const;
export type Phase = (typeof PHASES)[number];

export interface Lifecycle {
  /** Whether the server takes requests: from ready() to close(). */
  readonly accepting: () => boolean;
  ready(): void;
  onClose(phase: Phase, name: string, close: () => Promise<unknown>): void;
  /** Never rejects; a second call waits for the first. */
  close(): Promise<void>;
}

export function createLifecycle({ log }: { log: Log }): Lifecycle {
  const deps: { phase: Phase; name: string; close: () => Promise<unknown> }[] = [];
  let accepting = false;
  let closed: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    for (const phase of PHASES) {
      const due = deps.filter((part) => part.phase === phase);
      await Promise.all(
        due.map(({ name, close }) =>
          close().catch((error: unknown) => log.error({ err: error }, `${name} did not close`)),
        ),
      );
    }
  }

  return {
    accepting: () => accepting,
    ready() {
      accepting = closed === undefined;
    },
    onClose(phase, name, close) {
      deps.push({ phase, name, close });
    },
    close() {
      accepting = false;
      closed ??= closeAll();
      return closed;
    },
  };
}

/** Runs in the background until the server stops; a failure is logged and tried again the next time. */
export function repeat(
  lifecycle: Lifecycle,
  name: string,
  every: number,
  log: Log,
  work: () => Promise<unknown>,
): void {
  let running: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    running = work().catch((error: unknown) => log.warn({ err: error }, `${name} failed; it is tried again`));
  }, every);
  timer.unref();
  lifecycle.onClose('work', name, async () => {
    clearInterval(timer);
    await running;
  });
}
