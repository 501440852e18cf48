/**
 * Mocha's reporter for run.ts: writes which tests passed, which failed and how into the file of the reporter
 * option `output`. It writes at the end only: without the file, the tests did not get that far.
 */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

export interface Failure {
  /** With the names of the describes around it. */
  readonly test: string;
  /** The first line of what was thrown. */
  readonly message: string;
  /** assertion: a test looked and saw something else. hook: nobody looked yet. timeout: nobody knows. */
  readonly kind: 'assertion' | 'error' | 'hook' | 'timeout';
}

export interface Report {
  readonly passed: readonly string[];
  readonly skipped: readonly string[];
  readonly failed: readonly Failure[];
}

function kindOf(runnable: Mocha.Runnable, error: NodeJS.ErrnoException): Failure['kind'] {
  if (runnable instanceof Mocha.Hook) return 'hook';
  if (error.code === 'ERR_MOCHA_TIMEOUT') return 'timeout';
  return error.name === 'AssertionError' || error.code === 'ERR_ASSERTION' ? 'assertion' : 'error';
}

export default class Verdicts extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const passed: string[] = [];
    const skipped: string[] = [];
    const failed: Failure[] = [];
    runner.on('pass', (test) => passed.push(test.fullTitle()));
    runner.on('pending', (test) => skipped.push(test.fullTitle()));
    runner.on('fail', (test, error: NodeJS.ErrnoException) => {
      const [message = ''] = String(error.message).split('\n');
      failed.push({ test: test.fullTitle(), message, kind: kindOf(test, error) });
    });
    runner.once('end', () => {
      const report: Report = { passed, skipped, failed };
      writeFileSync(String(options.reporterOptions?.output), JSON.stringify(report));
    });
  }
}
