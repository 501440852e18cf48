/**
 * What a file's earlier rows have: a person who comes twice in one file is refused, or each import would write one
 * row over the other. Eight bytes of a digest stand for a name: a million people take 50 MB.
 */
import { hash } from 'node:crypto';
import { normalizeEmail } from '../core/text.ts';
import type { PersonRow } from './row.ts';

export interface Twins {
  /** The member that an earlier row has too. Notes those of this one. */
  note(row: PersonRow, line: number): Twin | undefined;
}

interface Twin {
  readonly member: string;
  /** The line of the earlier row. */
  readonly first: number;
  /** Whether that row has all names of this one. */
  readonly isWhole: boolean;
}

export function openTwins(): Twins {
  // Many small ones: while one grows it is there twice.
  const tables = Array.from({ length: 64 }, lineTable);
  return {
    note(row, line) {
      const names = Array.from(namesOf(row), ([member, text]) => {
        const digest = hash('sha256', `${member}\0${text}`, 'buffer');
        return { member, first: tables[digest.readUInt8(8) % tables.length]?.note(digest, line) ?? line };
      });
      const twin = names.find(({ first }) => first !== line);
      return twin && { ...twin, isWhole: names.every(({ first }) => first === twin.first) };
    },
  };
}

/** The line of each digest that it has been told: open addressing, at most three quarters full. */
function lineTable() {
  let [high, low, lines] = columns(1 << 8);
  let filled = 0;
  const slotOf = (one: number, two: number) => {
    let slot = one & (lines.length - 1);
    while (lines[slot] !== 0 && (high[slot] !== one || low[slot] !== two))
      slot = (slot + 1) & (lines.length - 1);
    return slot;
  };
  const put = (slot: number, one: number, two: number, line: number) => {
    high[slot] = one;
    low[slot] = two;
    lines[slot] = line;
  };
  const grow = () => {
    const [oldHigh, oldLow, oldLines] = [high, low, lines];
    [high, low, lines] = columns(2 * oldLines.length);
    for (const [at, line] of oldLines.entries()) {
      const [one = 0, two = 0] = [oldHigh[at], oldLow[at]];
      if (line !== 0) put(slotOf(one, two), one, two, line);
    }
  };
  return {
    /** The line that the digest came from first: this one, where it is new. */
    note(digest: Buffer, line: number): number {
      const [one, two] = [digest.readUInt32LE(0), digest.readUInt32LE(4)];
      const slot = slotOf(one, two);
      const first = lines[slot] ?? 0;
      if (first !== 0) return first;
      put(slot, one, two, line);
      filled += 1;
      if (filled > 0.75 * lines.length) grow();
      return line;
    },
  };
}

function columns(length: number): [Uint32Array, Uint32Array, Uint32Array] {
  return [new Uint32Array(length), new Uint32Array(length), new Uint32Array(length)];
}

/** What only one person has, the vendor's id first. */
function* namesOf(row: PersonRow): Generator<readonly [string, string]> {
  const { vendor_id: vendorId, email, username, identities = [], aliases = {}, api_keys: keys = [] } = row;
  if (vendorId !== undefined) yield ['vendor_id', vendorId];
  for (const [name, value] of Object.entries(aliases)) yield ['aliases', JSON.stringify([name, value])];
  for (const { issuer, subject } of identities) yield ['identities', JSON.stringify([issuer, subject])];
  if (email !== undefined) yield ['email', normalizeEmail(email)];
  if (username !== undefined) yield ['username', normalizeEmail(username)];
  for (const { sha256 } of keys) yield ['api_keys', sha256.toLowerCase()];
}
