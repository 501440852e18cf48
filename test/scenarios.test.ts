/**
 * Replays every conversation of test/scenarios against a server that was started for it. A dialect that is
 * registered is held to its whole file; one that is not is named on standard error.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { dialectNames } from '../src/dialects/registry.ts';
import { replay } from './support/replay.ts';
import { readScenarios } from './support/scenario-format.ts';
import { PEOPLE, startTestServer } from './support/server.ts';

const folder = path.join(import.meta.dirname, 'scenarios');
const SUFFIX = '.scenarios.yaml';
const files = readdirSync(folder).filter((file) => file.endsWith(SUFFIX));
/** `vsee.scenarios.yaml` is VSee's, and so is `vsee-more.scenarios.yaml`. */
const vendorOf = (file: string) => file.slice(0, -SUFFIX.length).split('-')[0] ?? '';
const vendors = [...new Set(files.map(vendorOf))];

for (const file of files.filter((name) => !dialectNames.includes(vendorOf(name)))) {
  console.error(`NOT REPLAYED: ${file} - src/dialects/registry.ts has no dialect "${vendorOf(file)}".`);
}

describe('scenarios', () => {
  it('exist for every dialect that is registered', () => {
    expect(dialectNames.filter((name) => !vendors.includes(name))).to.deep.equal([]);
  });

  for (const vendor of vendors.filter((name) => dialectNames.includes(name))) {
    describe(vendor, () => {
      const own = files.filter((file) => vendorOf(file) === vendor).map((file) => path.join(folder, file));
      for (const scenario of own.flatMap(readScenarios)) {
        it(scenario.scenario, async function () {
          this.timeout(90_000);
          const server = await startTestServer({ seeds: [PEOPLE] });
          try {
            const { url, issuer, mail, upstream } = server;
            await replay(scenario, { url, issuer, mail, upstream, people: PEOPLE });
          } finally {
            await server.close();
          }
        });
      }
    });
  }
});
