import { InvalidArgumentError, Option } from 'commander';
import type { Clock } from '../core/clock.ts';
import type { Secrets } from '../core/crypto.ts';
import type { Counts, Progress } from '../store/copy/copy-options.ts';
import type { StoreDump } from '../store/ports/dump.ts';
import type { Stores } from '../store/ports/stores.ts';
import { command, group } from './command.ts';
import { required } from './options.ts';
import { CommandRefused, type JsonOption, note, say, sayJson, sayTable } from './output.ts';

interface Options extends JsonOption {
  readonly from: string;
  readonly to: string;
  readonly dryRun?: boolean;
  readonly sample: number;
}

export const storeCommand = group('store', 'where everything is kept', [
  command({
    name: 'copy',
    about: 'move everything to MongoDB and Redis; every session stays signed in',
    options: [
      required('--from <kind>', 'embedded: the file that store.embedded.file names'),
      required('--to <kind>', 'distributed: the servers that store.mongo and store.redis name'),
      ['--dry-run', 'print what would be copied, and change nothing'],
      new Option('--sample <n>', 'read back one record of n, for large stores').argParser(whole).default(1),
      ['--json', 'print the figures as JSON'],
    ],
    help: `
Stop the server first: the file is locked while it is read. The target must be empty, or hold the beginning
of this copy: one that broke off goes on where it stopped. Keep the server key (keys.encryption) and the
issuer. When it is done, start the servers with store.kind: distributed.

Examples:
  portico store copy --from embedded --to distributed --dry-run
  portico store copy --from embedded --to distributed`,
    run,
  }),
]);

function whole(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('must be a whole number above 0');
  return Number(text);
}

async function run({ from, to, dryRun, sample, json }: Options): Promise<void> {
  if (from !== 'embedded' || to !== 'distributed') {
    throw new CommandRefused('Only --from embedded --to distributed can be copied.');
  }
  await betweenStores(async ({ source, target, ...tools }) => {
    const { copyStore, planCopy } = await import('../store/copy/copy-store.ts');
    if (dryRun) {
      const { counts, resumes } = await planCopy({ source, target, ...tools });
      if (json) sayJson({ counts, resumes });
      else tell(counts, resumes ? 'A copy that broke off would go on:' : 'This would be copied:');
      return;
    }
    const { counts, compared, resumed } = await copyStore({
      source,
      target,
      ...tools,
      sample,
      progress: shown(),
    });
    await target.audit.append({ at: tools.clock.now(), event: 'store.copy', outcome: 'success' });
    if (json) return sayJson({ counts, compared, resumed });
    tell(counts, resumed ? 'The copy that broke off is finished:' : 'This was copied:');
    say(
      `\n${compared} records were read back and are the same. Start the servers with store.kind: distributed.`,
    );
  });
}

async function betweenStores(work: (between: Between) => Promise<void>): Promise<void> {
  const [
    { loadConfiguration },
    { createLog },
    { openStores, openStoreDump },
    { secretsFrom },
    { serverKeys },
  ] = await Promise.all([
    import('../server/configuration.ts'),
    import('../observe/log.ts'),
    import('../store/open-stores.ts'),
    import('../core/crypto.ts'),
    import('../config/server-key.ts'),
  ]);
  const { systemClock } = await import('../core/clock.ts');
  const config = await loadConfiguration();
  const log = createLog({ level: 'warn', destination: process.stderr });
  const [first, ...others] = serverKeys(config);
  const secrets = secretsFrom(first, { others });
  const source = await openStoreDump(config.store, { log });
  try {
    const target = await openStores({ ...config.store, kind: 'distributed' }, { log });
    try {
      await target.migrate();
      await work({ source, target, secrets, clock: systemClock });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

interface Between {
  readonly source: StoreDump;
  readonly target: Stores;
  readonly secrets: Secrets;
  readonly clock: Clock;
}

/** A line for each subject that takes a while, and each time another 5,000 records are done. */
function shown(): (progress: Progress) => void {
  return ({ step, subject, done, all }) => {
    if (done % 5000 !== 0 && done !== all) return;
    note(`${step === 'copy' ? 'copied' : 'compared'} ${done} of ${all} ${subject}`);
  };
}

function tell(counts: Counts, words: string): void {
  say(words);
  sayTable(
    Object.entries(counts).map(([what, records]) => ({ what, records })),
    'nothing',
  );
}
