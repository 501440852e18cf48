/** Reads a seed file and judges it by itself: its form, and what must not be there twice. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LineCounter, parse, parseDocument } from 'yaml';
import type { Mistake } from '../config/mistakes.ts';
import { inWords, parsePart, placeOfFault } from '../config/mistakes.ts';
import { judgeSeed } from './judge-seed.ts';
import type { Seed } from './schema.ts';
import { seedSchema } from './schema.ts';

export class SeedError extends Error {
  override readonly name = 'SeedError';
  readonly file: string;
  readonly mistakes: readonly Mistake[];

  constructor(file: string, mistakes: readonly Mistake[]) {
    const count = mistakes.length === 1 ? 'one mistake' : `${mistakes.length} mistakes`;
    super(
      `${file} has ${count}; nothing was loaded:\n${mistakes.map((mistake) => `  ${inWords(mistake)}`).join('\n')}`,
    );
    this.file = file;
    this.mistakes = mistakes;
  }
}

export interface SeedFile {
  readonly file: string;
  readonly seed: Seed;
  /** SHA-256 of the content: what makes two files the same. */
  readonly hash: string;
  /** Whether it contains {issuer}. */
  readonly namesIssuer: boolean;
  /** Adds the line to mistakes that are found later. */
  located(mistakes: readonly Mistake[]): Mistake[];
}

/** Throws SeedError with every mistake, each with its path and line. Files that end in .json are read as JSON, all others as YAML. */
export function readSeed(file: string): SeedFile {
  const content = contentOf(file);
  const values = valuesOf(file, content);
  const located = (mistakes: readonly Mistake[]) => withLines(content, mistakes);
  const parsed = parsePart({ schema: seedSchema, value: values, at: [], from: () => undefined, show: shown });
  if (parsed.mistakes.length > 0) throw new SeedError(file, located(parsed.mistakes.map(named)));
  const seed = parsed.value as Seed;
  const mistakes = judgeSeed(seed);
  if (mistakes.length > 0) throw new SeedError(file, located(mistakes));
  const hash = createHash('sha256').update(content).digest('base64url');
  return { file, seed, hash, namesIssuer: content.includes('{issuer}'), located };
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : `cannot be read: ${error}`;
    throw new SeedError(file, [{ path: file, message: reason }]);
  }
}

function valuesOf(file: string, content: string): unknown {
  const isJson = file.endsWith('.json');
  try {
    return (isJson ? JSON.parse(content) : parse(content)) ?? {};
  } catch (error) {
    const message = `cannot be read as ${isJson ? 'JSON' : 'YAML'}${placeOfFault(error)}`;
    throw new SeedError(file, [{ path: file, message }]);
  }
}

/** A wrong value, if it is no secret. */
function shown(value: unknown, path: readonly string[]): string {
  if (path.some((step) => /password|secret|^key$/.test(step))) return '(hidden)';
  const text =
    typeof value === 'object' ? (Array.isArray(value) ? 'a list' : 'a table') : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** An empty path is the file as a whole. */
function named(mistake: Mistake): Mistake {
  return mistake.path === '' ? { ...mistake, path: 'the file' } : mistake;
}

/** Looks the lines up only when something is wrong: it doubles the work of reading. */
function withLines(content: string, mistakes: readonly Mistake[]): Mistake[] {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines });
  return mistakes.map((mistake) => {
    const path = mistake.path.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    for (let length = path.length; length > 0; length -= 1) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number] } | undefined;
      if (node?.range) return { ...mistake, from: `line ${lines.linePos(node.range[0]).line}` };
    }
    return mistake;
  });
}
