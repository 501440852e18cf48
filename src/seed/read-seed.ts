/** Reads a seed file and judges it by itself: its form, and what must not be there twice. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LineCounter, parse, parseDocument } from 'yaml';
import { type Issue, inWords, parsePart, placeOfIssue } from '../config/issues.ts';
import { OperatorError } from '../core/errors.ts';
import { judgeSeed } from './judge-seed.ts';
import { type Seed, seedSchema } from './schema.ts';

export class SeedError extends OperatorError {
  override readonly name = 'SeedError';
  readonly file: string;
  readonly issues: readonly Issue[];

  constructor(file: string, issues: readonly Issue[]) {
    const count = issues.length === 1 ? 'one issue' : `${issues.length} issues`;
    super(
      `${file} has ${count}; nothing was loaded:\n${issues.map((issue) => `  ${inWords(issue)}`).join('\n')}`,
    );
    this.file = file;
    this.issues = issues;
  }
}

export interface SeedFile {
  readonly file: string;
  readonly seed: Seed;
  /** SHA-256 of the content: what makes two files the same. */
  readonly hash: string;
  /** Whether it contains {issuer}. */
  readonly namesIssuer: boolean;
  /** Adds the line to issues that are found later. */
  located(issues: readonly Issue[]): Issue[];
}

/** Throws SeedError with every issue, each with its path and line. Files that end in .json are read as JSON, all others as YAML. */
export function readSeed(file: string): SeedFile {
  const content = contentOf(file);
  const values = valuesOf(file, content);
  const located = (issues: readonly Issue[]) => withLines(content, issues);
  const parsed = parsePart({ schema: seedSchema, value: values, at: [], show: shown });
  const seed = parsed.value;
  if (seed === undefined) throw new SeedError(file, located(parsed.issues.map(named)));
  const issues = judgeSeed(seed);
  if (issues.length > 0) throw new SeedError(file, located(issues));
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
    const message = `cannot be read as ${isJson ? 'JSON' : 'YAML'}${placeOfIssue(error)}`;
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
function named(issue: Issue): Issue {
  return issue.path === '' ? { ...issue, path: 'the file' } : issue;
}

/** Looks the lines up only when something is wrong: it doubles the work of reading. */
function withLines(content: string, issues: readonly Issue[]): Issue[] {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines });
  return issues.map((issue) => {
    const path = issue.path.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    for (let length = path.length; length > 0; length -= 1) {
      const node = document.getIn(path.slice(0, length), true) as { range?: [number] } | undefined;
      if (node?.range) return { ...issue, from: `line ${lines.linePos(node.range[0]).line}` };
    }
    return issue;
  });
}
