/**
 * What a client knows: every token that the server said it has given, line by line (a line is one sign-in
 * with all its rotations), and every end that it said it has made. After a run the audit asks the server
 * about all of it. What was acknowledged and does not work is *lost*; a line with two living refresh tokens
 * is *doubled*; a token of an ended line that still works is *undead*.
 */
export interface Known {
  readonly access: string;
  readonly refresh: string;
}

export interface Line {
  readonly name: string;
  /** The newest tokens that were acknowledged. */
  readonly last: Known;
  /** The server acknowledged this pair. */
  input(pair: Known): void;
  /** The server acknowledged the end of the line. */
  ended(): void;
}

export interface Ledger {
  readonly lines: readonly Line[];
  open(name: string, first: Known): Line;
  audit(asked: Audited): Promise<Findings>;
}

export interface Audited {
  /** RFC 7662's `active`, asked of the server. Called for one token at a time per line. */
  active(token: string, line: Line): Promise<boolean>;
  /** Uses the line's newest refresh token, as an honest client does; the new pair, or undefined when it is refused. */
  refresh(line: Line): Promise<Known | undefined>;
}

export interface Findings {
  readonly lines: number;
  /** Tokens that were acknowledged. */
  readonly tokens: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly undead: readonly string[];
}

interface Entry {
  readonly line: Line;
  readonly pairs: Known[];
  ended: boolean;
}

/** Lines that are asked about at a time. */
const WIDTH = 8;

export function openLedger(): Ledger {
  const entries: Entry[] = [];
  return {
    get lines() {
      return entries.map(({ line }) => line);
    },
    open(name, first) {
      const pairs = [first];
      const line: Line = {
        name,
        get last() {
          return pairs.at(-1) ?? first;
        },
        input: (pair) => void pairs.push(pair),
        ended: () => {
          entry.ended = true;
        },
      };
      const entry: Entry = { line, pairs, ended: false };
      entries.push(entry);
      return line;
    },
    async audit(asked) {
      const findings = { lost: [] as string[], doubled: [] as string[], undead: [] as string[] };
      const waiting = [...entries];
      const worker = async () => {
        for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
          if (entry.ended) await auditEnded(entry, asked, findings);
          else await auditLiving(entry, asked, findings);
        }
      };
      await Promise.all(Array.from({ length: WIDTH }, worker));
      const tokens = entries.reduce((sum, { pairs }) => sum + distinct(pairs).length, 0);
      return { lines: entries.length, tokens, ...findings };
    },
  };
}

interface Lists {
  readonly lost: string[];
  readonly doubled: string[];
  readonly undead: string[];
}

async function auditEnded({ line, pairs }: Entry, asked: Audited, findings: Lists): Promise<void> {
  for (const token of distinct(pairs)) {
    if (await asked.active(token, line)) findings.undead.push(line.name);
  }
}

async function auditLiving({ line, pairs }: Entry, asked: Audited, findings: Lists): Promise<void> {
  if (!(await asked.active(line.last.access, line))) findings.lost.push(`${line.name}: access token`);
  const next = await asked.refresh(line);
  if (next === undefined) {
    findings.lost.push(`${line.name}: refresh token`);
    return;
  }
  if (!(await asked.active(next.access, line)))
    findings.lost.push(`${line.name}: access token after refresh`);
  // Its successor lives now; any other one that lives is a second line.
  const refreshTokens = new Set([...pairs, next].map(({ refresh }) => refresh));
  let living = 0;
  for (const token of refreshTokens) if (await asked.active(token, line)) living += 1;
  if (living !== 1) findings.doubled.push(`${line.name}: ${living} refresh tokens live`);
}

function distinct(pairs: readonly Known[]): string[] {
  return [...new Set(pairs.flatMap(({ access, refresh }) => [access, refresh]))];
}
