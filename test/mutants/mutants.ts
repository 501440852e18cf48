/** The patches of mutants.yaml, and what is wrong with one that no longer fits the project. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const PROJECT = path.join(import.meta.dirname, '../..');

const Mutants = z
  .array(
    z.strictObject({
      /** What the patched server does, for people. */
      what: z.string().min(1),
      ids: z.array(z.string().regex(/^[A-Z]\d{1,2}$/)).min(1),
      file: z.string().startsWith('src/'),
      find: z.string().min(1),
      replace: z.string(),
      tests: z.array(z.string().endsWith('.test.ts')).min(1),
    }),
  )
  .min(1);

export type Mutant = z.output<typeof Mutants>[number];

export function readMutants(): Mutant[] {
  return Mutants.parse(parse(readFileSync(path.join(import.meta.dirname, 'mutants.yaml'), 'utf8')));
}

/** The file with the patch. Throws when what is to be replaced is not there exactly once. */
export function patched(mutant: Mutant, source: string): string {
  const [before, after, ...more] = source.split(mutant.find);
  if (before === undefined || after === undefined || more.length > 0) {
    const times = source.split(mutant.find).length - 1;
    throw new Error(`${mutant.file} has ${JSON.stringify(mutant.find)} ${times} times, not once.`);
  }
  return before + mutant.replace + after;
}

/** Tests that carry one of the ids in their name. */
export function grepFor({ ids }: Mutant): string {
  return `\\b(?:${ids.join('|')})\\b`;
}

/** Undefined: it still fits. */
export function misfit(mutant: Mutant): string | undefined {
  const missing = mutant.tests.find((file) => !existsSync(path.join(PROJECT, file)));
  if (missing !== undefined) return `There is no ${missing}.`;
  const file = path.join(PROJECT, mutant.file);
  if (!existsSync(file)) return `There is no ${mutant.file}.`;
  const source = readFileSync(file, 'utf8');
  try {
    return patched(mutant, source) === source ? `The patch changes nothing in ${mutant.file}.` : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
