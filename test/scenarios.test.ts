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
const vendors = readdirSync(folder)
  .filter((file) => file.endsWith(SUFFIX))
  .map((file) => file.slice(0, -SUFFIX.length));
/** `vsee-more` continues `vsee`. */
const dialectOf = (vendor: string) => vendor.replace(/-more$/, '');
const served = vendors.filter((vendor) => dialectNames.includes(dialectOf(vendor)));

for (const vendor of vendors.filter((name) => !served.includes(name))) {
  console.error(
    `NOT REPLAYED: ${vendor}${SUFFIX} - src/dialects/registry.ts has no dialect "${dialectOf(vendor)}".`,
  );
}

describe('scenarios', () => {
  it('exist for every dialect that is registered', () => {
    expect(dialectNames.filter((name) => !vendors.includes(name))).to.deep.equal([]);
  });

  for (const vendor of served) {
    describe(vendor, () => {
      for (const scenario of readScenarios(path.join(folder, `${vendor}${SUFFIX}`))) {
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
