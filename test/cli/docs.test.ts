import { expect } from 'chai';
import { openTerminal } from './run-portico.ts';

describe('portico docs', () => {
  const terminal = openTerminal();
  after(() => terminal.close());

  it('finds every generated page up to date (npm run docs writes them)', async function () {
    this.timeout(30_000);
    const { code, stdout, stderr } = await terminal.run(['docs', '--check']);
    expect(stderr).to.equal('');
    expect(code).to.equal(0);
    for (const page of ['docs/configuration.md', 'docs/errors.md', 'docs/openapi/vsee.json']) {
      expect(stdout).to.contain(`${page} is up to date`);
    }
  });
});
