import { rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { mock } from 'node:test';
import { expect } from 'chai';
import { startTestServer, type TestServer } from '../support/server.ts';

const DAY = 86_400_000;
const START = Date.parse('2030-01-15T09:00:00.000Z');

/** Minutes pass when the test says so. A server that closes waits for the work that a minute began. */
describe('What a server clears away every minute', () => {
  let server: TestServer;
  let now: number;
  beforeEach(() => {
    now = START;
    mock.timers.enable({ apis: ['setInterval'] });
  });
  afterEach(() => {
    mock.timers.reset();
    rmSync(server.folder, { recursive: true, force: true });
  });

  async function begin(retention?: string | null): Promise<void> {
    server = await startTestServer({
      clock: { now: () => new Date(now) },
      ...(retention !== undefined && { config: { audit: { retention } } }),
    });
    const { audit, leases } = server.running.stores;
    for (const age of [0, 30 * DAY, 30 * DAY + 1, 4000 * DAY]) {
      await audit.append({ at: new Date(START - age), event: 'of-old', outcome: 'success' });
    }
    await leases.acquire('short', 'somebody', new Date(START), new Date(START + 1000));
    await leases.acquire('long', 'somebody', new Date(START), new Date(START + DAY));
  }

  async function minuteLater(): Promise<{ ages: number[]; claims: string[] }> {
    now += 60_000;
    mock.timers.tick(60_000);
    await server.close({ keepStore: true });
    const database = new DatabaseSync(path.join(server.folder, 'portico.db'), { readOnly: true });
    const records = database
      .prepare("SELECT at FROM audit WHERE record LIKE '%of-old%' ORDER BY at DESC")
      .all();
    const claims = database.prepare('SELECT key FROM leases ORDER BY key').all();
    database.close();
    return {
      ages: records.map(({ at }) => START - Number(at)),
      claims: claims.map(({ key }) => String(key)).filter((key) => /short|long/.test(key)),
    };
  }

  it('is what has expired, and of the audit trail what is older than its retention', async () => {
    await begin('30d');
    now -= 60_000;
    expect(await minuteLater()).to.deep.equal({ ages: [0, 30 * DAY], claims: ['long', 'short'] });
  });

  it('B4 is what is older than 400 days where the configuration says nothing, and the log says so at the start', async () => {
    await begin();
    expect(await minuteLater()).to.have.deep.property('ages', [0, 30 * DAY, 30 * DAY + 1]);
    const said = server.logged.filter(({ msg }) => String(msg).includes('audit.retention'));
    expect(said.map(({ days }) => days)).to.deep.equal([400]);
  });

  it('is nothing of the audit trail, where it is to be kept for ever', async () => {
    await begin(null);
    expect(await minuteLater()).to.deep.equal({
      ages: [0, 30 * DAY, 30 * DAY + 1, 4000 * DAY],
      claims: ['long'],
    });
  });
});
