/**
 * Replays every conversation of test/scenarios against a server that was started for it. A dialect that is
 * registered is held to its whole file; one that is not is named on standard error.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { dialectNames } from '../src/dialects/registry.ts';
import { type OpenApiContract, openApiContract } from './support/openapi-contract.ts';
import { replay } from './support/replay.ts';
import { readScenarios, type Scenario } from './support/scenario-format.ts';
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

/** Conversations that run at once. Each has a server of its own, and most of their time is waiting. */
const AT_ONCE = 6;

/** Every so many conversations are held again through stage proxy; `npm run test:proxy` holds all of them. */
const THROUGH_PROXY = Number(process.env.PROXY_EVERY ?? 16);
/** Portico takes 64 KiB in, and answers what is longer itself: a limit that the legacy system charges is not charged. */
const NOT_PASSED = [
  'a body over 64 KiB is 413 on every endpoint that reads one, is charged, and changes nothing',
  'every outcome of the auth tier is charged to one counter',
];

type Server = Awaited<ReturnType<typeof startTestServer>>;

async function converse(scenario: Scenario, contract: OpenApiContract, front?: Front): Promise<void> {
  const admitting = Object.entries(scenario.admits_from ?? {}).map(([name, admitsFrom]) => [
    name,
    { admitsFrom },
  ]);
  const config = { dialects: Object.fromEntries(admitting) };
  const server = await startTestServer({ seeds: [PEOPLE], config });
  try {
    const { url, issuer, mail, upstream } = server;
    const before = await front?.(server);
    try {
      await replay(scenario, {
        ...{ url: before?.url ?? url, standardUrl: url, issuer, mail, upstream, people: PEOPLE },
        alsoJudge: contract.issues,
      });
    } finally {
      await before?.close();
    }
  } finally {
    await server.close();
  }
}

/** Starts what stands between the clients and the server. */
type Front = (server: Server) => Promise<Server>;

/** A second Portico, in stage proxy at all vendors, to which the first is the legacy system. */
const proxying: Front = ({ url }) => {
  const legacy = { url, stage: 'proxy', learn: [], timeout: '30s' };
  return startTestServer({
    seeds: [],
    config: { dialects: Object.fromEntries(dialectNames.map((name) => [name, { legacy }])) },
  });
};

/** Asking for one conversation starts the next ones too; each is reported under its own name, when its turn comes. */
function ahead(
  scenarios: readonly Scenario[],
  contract: OpenApiContract,
  front?: Front,
): (index: number) => Promise<void> {
  const running = new Map<number, Promise<void>>();
  return (index) => {
    for (let next = index; next < Math.min(index + AT_ONCE, scenarios.length); next += 1) {
      const scenario = scenarios[next];
      if (scenario === undefined || running.has(next)) continue;
      const conversation = converse(scenario, contract, front);
      conversation.catch(() => undefined);
      running.set(next, conversation);
    }
    return running.get(index) ?? Promise.reject(new RangeError(`There is no scenario ${index}.`));
  };
}

describe('scenarios', () => {
  it('exist for every dialect that is registered', () => {
    expect(dialectNames.filter((name) => !vendors.includes(name))).to.deep.equal([]);
  });

  for (const vendor of vendors.filter((name) => dialectNames.includes(name))) {
    describe(vendor, () => {
      const own = files.filter((file) => vendorOf(file) === vendor).map((file) => path.join(folder, file));
      const scenarios = own.flatMap(readScenarios);
      const run = ahead(scenarios, openApiContract(vendor));
      for (const [index, { scenario }] of scenarios.entries()) {
        it(scenario, async function () {
          this.timeout(120_000);
          await run(index);
        });
      }
      const passed = scenarios
        .filter(({ scenario }) => !NOT_PASSED.includes(scenario))
        .filter((_, index) => index % THROUGH_PROXY === 0);
      const runPassed = ahead(passed, openApiContract(vendor), proxying);
      for (const [index, { scenario }] of passed.entries()) {
        it(`M22 through stage proxy: ${scenario}`, async function () {
          this.timeout(120_000);
          await runPassed(index);
        });
      }
    });
  }
});
