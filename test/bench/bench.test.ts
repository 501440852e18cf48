/** `npm run bench` on Portico alone and without wrk, so that it runs wherever the tests do. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect } from 'chai';

const program = path.join(import.meta.dirname, '../../bench/bench.ts');

function bench(...values: string[]) {
  // Without the folders where wrk could be.
  return spawnSync(process.execPath, [program, ...values], { encoding: 'utf8', env: { PATH: '/nowhere' } });
}

describe('the bench', () => {
  it('measures Portico, tells its options, and names what is missing', function () {
    this.timeout(120_000);
    const help = bench('--help');
    expect(help.status).to.equal(0);
    expect(help.stdout).to.include('--rounds').and.to.include('sign-in vsee');
    const missing = bench('--servers', 'portico', '--cases', 'jwks');
    expect(missing.status).to.equal(1);
    expect(missing.stderr).to.equal('There is no wrk. It makes the load; Debian: apt-get install wrk.\n');
    const unknown = bench('--cases', 'nothing');
    expect(unknown.stderr).to.include("'nothing' begins none of discovery, jwks");
    const run = bench('--servers', 'portico', '--cases', 'code verify', '--rounds', '1', '--seconds', '1');
    expect(run.status, run.stderr).to.equal(0);
    expect(run.stdout)
      .to.match(/\| code verify \| [\d.,]+ \([\d.,]+ to [\d.,]+\) \|/)
      .and.not.to.include('FAILED');
  });
});
