/**
 * A process of its own that makes calls on a store when it is told to.
 *   node racer.ts '<config.store as JSON>'
 * The parent sends a Task over IPC; all calls of it start in one turn of the event loop, at `startAt`.
 */
import { pino } from 'pino';
import { openStores } from '../../../src/store/open-stores.ts';
import { procedures } from './procedures.ts';

export interface Task {
  readonly id: number;
  /** 'oidcRecords.consume', or a name of procedures.ts. */
  readonly call: string;
  readonly calls: readonly (readonly unknown[])[];
  /** Milliseconds since 1970. */
  readonly startAt: number;
}

export interface TaskDone {
  readonly id: number;
  readonly results: readonly { readonly value?: unknown; readonly error?: string }[];
}

type Callable = (...values: readonly unknown[]) => Promise<unknown>;

const stores = await openStores(JSON.parse(process.argv[2] ?? '{}'), { log: pino({ level: 'silent' }) });

function callable(name: string): Callable {
  const [port, method] = name.split('.');
  if (method === undefined) {
    const procedure = Reflect.get(procedures, name) as Callable;
    return (...values) => procedure(stores, ...values);
  }
  const target = Reflect.get(stores, port ?? '') as object;
  const result = Reflect.get(target, method) as Callable;
  return (...values) => result.apply(target, [...values]);
}

process.on('message', async (task: Task) => {
  const call = callable(task.call);
  await new Promise((start) => setTimeout(start, Math.max(0, task.startAt - Date.now())));
  const settled = await Promise.allSettled(task.calls.map((values) => call(...values)));
  const results = settled.map((one) =>
    one.status === 'fulfilled' ? { value: one.value } : { error: String(one.reason?.stack ?? one.reason) },
  );
  process.send?.({ id: task.id, results } satisfies TaskDone);
});
process.on('disconnect', async () => {
  await stores.close();
  process.exit(0);
});
process.send?.('ready');
