/**
 * Mocha's spec reporter, and behind it one line that says how many tests passed, failed and were skipped,
 * which .ci/run prints again as its last. With the reporter option `output` that line also goes to a file.
 */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

export default class SpecWithCounts extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const output: unknown = options.reporterOptions?.output;
    runner.once('end', () => {
      // Base prints its own summary at the same event, and was registered before this listener.
      const { passes, failures, pending } = this.stats;
      const skipped = pending > 0 ? `, ${pending} skipped` : '';
      const line = `${passes} passed, ${failures} failed${skipped}`;
      console.log(line);
      if (typeof output === 'string') writeFileSync(output, `${line}\n`);
    });
  }
}
