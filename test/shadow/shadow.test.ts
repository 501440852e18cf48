/** Stage shadow: what differs is found, what does not is not, and nothing of it stays but places and forms. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { vendors } from '../dialects/vendors.ts';
import { PEOPLE, startTestServer } from '../support/server.ts';
import { client, dayOf, sentences, startInShadow } from './world.ts';

/** Calls over all vendors; the whole run is SHADOW_CALLS=10000. */
const CALLS = Number(process.env.SHADOW_CALLS ?? 150);

/** Of every table, without what the comparison itself stores. */
function digestOf(folder: string): string {
  const database = new DatabaseSync(path.join(folder, 'portico.db'), { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
  const hash = createHash('sha256');
  for (const { name } of tables) {
    const rows = database.prepare(`SELECT * FROM "${String(name)}"`).all();
    const kept = rows
      .map((row) => JSON.stringify(row))
      .filter((row) => !/"(?:shadow|migration-tallies):/.test(row));
    hash.update(JSON.stringify([name, kept.sort()]));
  }
  database.close();
  return hash.digest('hex');
}

describe('stage shadow', function () {
  this.timeout(CALLS * 100 + 60_000);

  it('M23 leaves the store as it is, to the last row, and answers with the bytes of the legacy system', async () => {
    const old = await startTestServer({ seeds: [PEOPLE] });
    const front = await startInShadow(old.url, { legacy: { learn: [] } });
    try {
      const before = digestOf(front.server.folder);
      const own = client(front.server.url, '10.9.9.9');
      for (const vendor of vendors) await dayOf(vendor, own);
      const figures = await front.judged(own.sent);
      expect(figures).to.match(
        /portico_shadow_total\{dialect="visitnote",endpoint="POST \/register",outcome="same"\} 1/,
      );
      // No token is learned, so none is known.
      expect(figures).to.match(/dialect="vsee",endpoint="GET \/me",outcome="not-comparable"\} [1-9]/);
      expect(digestOf(front.server.folder)).to.equal(before);
      await front.found();
      expect(front.server.mail.emails).to.deep.equal([]);
    } finally {
      await old.close();
      await front.server.close();
    }
  });

  it(`M23 finds no difference in ${CALLS} calls to a second Portico, of all vendors' clients`, async () => {
    const old = await startTestServer({ seeds: [PEOPLE] });
    const front = await startInShadow(old.url);
    let calls = 0;
    try {
      for (let day = 0; calls < CALLS; day += 1) {
        const sent = vendors.map(async (vendor, index) => {
          const from = `10.${index}.${Math.floor(day / 200) % 200}.${day % 200}`;
          const own = client(front.server.url, from);
          await dayOf(vendor, own);
          return own.sent;
        });
        calls += (await Promise.all(sent)).reduce((sum, count) => sum + count, 0);
      }
      await front.judged(calls);
    } finally {
      await old.close();
    }
    const found = await front.found();
    expect(sentences(found)).to.deep.equal([]);
    for (const [name, { compared }] of found) {
      const counts = Object.values(compared);
      const same = counts.reduce((sum, { same: own = 0 }) => sum + own, 0);
      const all = counts.reduce(
        (sum, { last: _, ...own }) => sum + Object.values(own).reduce((a, b) => a + b, 0),
        0,
      );
      expect(same / all, `${name} ${JSON.stringify(compared)}`).to.be.above(0.45);
    }
  });
});
