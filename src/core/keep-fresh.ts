import type { Clock } from './clock.ts';

/** Milliseconds for which a record is not read again: the provider asks for it several times a request. */
const FRESH = 5_000;
/** So that unknown names cannot fill the memory: only known records are kept, and not more than this. */
const CAPACITY = 1_000;

/** The look-up, which answers from memory for a moment. */
export function keepFresh<Kept>(clock: Clock, find: (name: string) => Promise<Kept | undefined>) {
  const known = new Map<string, { at: number; record: Kept }>();
  const look = async (name: string): Promise<Kept | undefined> => {
    const now = clock.now().getTime();
    const cached = known.get(name);
    if (cached && Math.abs(now - cached.at) < FRESH) return cached.record;
    const record = await find(name);
    known.delete(name);
    if (record) {
      if (known.size >= CAPACITY) known.clear();
      known.set(name, { at: now, record });
    }
    return record;
  };
  let forgotten = 0;
  return Object.assign(look, {
    forget(name: string) {
      known.delete(name);
      forgotten += 1;
    },
    /** How often `forget` was called: what rests on these records is stale once the number changes. */
    forgotten: () => forgotten,
  });
}
