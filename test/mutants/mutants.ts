/**
 * The patches: what is wrong with one that no longer fits the project, and how one is applied. They lie in
 * patches/, one file for each chapter of the requirements; CONTRIBUTING.md says how to add one.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const PROJECT = path.join(import.meta.dirname, '../..');
const PATCHES = path.join(import.meta.dirname, 'patches');

const Mutants = z
  .array(
    z.strictObject({
      /** What the patched server does, for people. */
      what: z.string().min(1),
      /** Requirements that it breaks: for each of them a test must turn red. */
      ids: z.array(z.string().regex(/^[A-Z]{1,4}\d{1,2}$/)).min(1),
      file: z.string().regex(/^(?:src|bin|views|deploy)\//),
      /** Stands once in the file. */
      find: z.string().min(1),
      replace: z.string(),
      /** Where the tests of these ids are. */
      tests: z.array(z.string().endsWith('.test.ts')).min(1),
    }),
  )
  .min(1);

export type Mutant = z.output<typeof Mutants>[number];

export function readMutants(): Mutant[] {
  const files = readdirSync(PATCHES).sort();
  return files.flatMap((file) => Mutants.parse(parse(readFileSync(path.join(PATCHES, file), 'utf8'))));
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
