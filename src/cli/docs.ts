import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { command } from './command.ts';
import { CommandRefused, say } from './output.ts';

const PROJECT = join(import.meta.dirname, '../..');

export const docsCommand = command({
  name: 'docs',
  about: 'write the documentation that is made from the source',
  options: [['--check', 'write nothing; fail when a file is stale']],
  help: 'Examples:\n  npm run docs\n  portico docs --check',
  async run({ check = false }: { check?: boolean }) {
    for (const [file, text] of await pages()) await keep({ file: join(PROJECT, file), text, check });
  },
});

/** Each page with its text. */
async function pages(): Promise<[file: string, text: string][]> {
  const [
    { describeConfiguration },
    { plugInShapes },
    { openApiDocuments },
    { describeErrors },
    { describeCommonErrors },
  ] = await Promise.all([
    import('../config/document.ts'),
    import('../server/configuration.ts'),
    import('../dialects/docs/openapi.ts'),
    import('../dialects/docs/errors-document.ts'),
    import('../oidc/provider/common-errors.ts'),
  ]);
  const documents = await openApiDocuments();
  return [
    ['docs/configuration.md', describeConfiguration(await plugInShapes())],
    ['docs/errors.md', await describeErrors(describeCommonErrors())],
    ...documents.map(([file, text]): [string, string] => [`docs/openapi/${file}`, text]),
  ];
}

async function keep({ file, text, check }: { file: string; text: string; check: boolean }): Promise<void> {
  const name = relative(PROJECT, file);
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present === text) return say(`${name} is up to date`);
  if (check) throw new CommandRefused(`${name} is stale. Write it anew: npm run docs`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  say(`${name} was written`);
}
