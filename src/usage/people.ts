/**
 * How many people, without a name: hashes under the server's key, each once. Exact up to a thousand;
 * beyond that a sketch (HyperLogLog) of one size, which is right within some percent.
 */

/** As it is stored. A register is its number times SPAN, and its rank. */
export type StoredPeople = { readonly hashes: readonly number[] } | { readonly registers: readonly number[] };

export interface People {
  /** `hash`: of 48 bits. */
  add(hash: number): void;
  addAll(stored: StoredPeople): void;
  count(): number;
  stored(): StoredPeople;
}

/** Hashes that are kept. */
const MOST = 1000;
const REGISTERS = 1024;
const SPAN = 64;

/** Which register a hash is for, and the zeros at its end. */
function rankOf(hash: number): readonly [register: number, rank: number] {
  let rest = Math.floor(hash / REGISTERS);
  let rank = 1;
  for (; rest % 2 === 0 && rank < 39; rank += 1) rest /= 2;
  return [hash % REGISTERS, rank];
}

export function createPeople(): People {
  const hashes = new Set<number>();
  const registers = new Map<number, number>();
  let isSketch = false;
  const raise = (register: number, rank: number) =>
    registers.set(register, Math.max(rank, registers.get(register) ?? 0));
  const sketch = () => {
    isSketch = true;
    for (const hash of hashes) raise(...rankOf(hash));
    hashes.clear();
  };
  const add = (hash: number) => {
    if (isSketch) return void raise(...rankOf(hash));
    hashes.add(hash);
    if (hashes.size > MOST) sketch();
  };
  return {
    add,
    addAll(stored) {
      if ('hashes' in stored) return stored.hashes.forEach(add);
      if (!isSketch) sketch();
      for (const one of stored.registers) raise(Math.floor(one / SPAN), one % SPAN);
    },
    count: () => (isSketch ? estimate(registers) : hashes.size),
    stored: () =>
      isSketch
        ? { registers: [...registers].map(([register, rank]) => register * SPAN + rank) }
        : { hashes: [...hashes] },
  };
}

/** Flajolet, Fusy, Gandouet, Meunier: HyperLogLog (2007). */
function estimate(registers: ReadonlyMap<number, number>): number {
  const empty = REGISTERS - registers.size;
  const sum = [...registers.values()].reduce((total, rank) => total + 2 ** -rank, empty);
  const raw = ((0.7213 / (1 + 1.079 / REGISTERS)) * REGISTERS ** 2) / sum;
  const isSmall = raw <= 2.5 * REGISTERS && empty > 0;
  return Math.round(isSmall ? REGISTERS * Math.log(REGISTERS / empty) : raw);
}
