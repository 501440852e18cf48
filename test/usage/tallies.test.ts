import { hash } from 'node:crypto';
import { expect } from 'chai';
import type { AnsweredRequest } from '../../src/dialects/runtime/answered-request.ts';
import { createPeople } from '../../src/usage/people.ts';
import { createTallies, OTHER, type UsageRow } from '../../src/usage/tallies.ts';
import { createUsage } from '../../src/usage/usage.ts';

const at = Date.parse('2026-11-29T12:00:00Z');
const row = (over: Partial<UsageRow> = {}): UsageRow => ({
  ...{ client: 'OldApp/1.2', organization: 'default', endpoint: 'POST /sign-in', stage: 'none' },
  ...{ answeredBy: 'portico', outcome: 'ok', count: 1, firstAt: at, lastAt: at },
  ...over,
});
const total = (rows: readonly UsageRow[]) => rows.reduce((sum, { count }) => sum + count, 0);
const named = (rows: readonly UsageRow[]) =>
  new Set(rows.map(({ client }) => client).filter((client) => client !== OTHER));

/** As an HMAC spreads them. */
const hashes = (count: number) =>
  Array.from({ length: count }, (_, n) => hash('sha256', `person ${n}`, 'buffer').readUIntBE(0, 6));

describe('tallies', () => {
  it('M26 name 300 clients of a day, whatever a stranger sends, and count every request', () => {
    const node = createTallies();
    node.count(row());
    for (let n = 0; n < 10_000; n += 1)
      node.count(row({ client: n === 7 ? '__proto__/1' : `Stranger/${n}`, outcome: 'refused' }));
    expect(named(node.rows()).size).to.equal(300);
    expect(node.rows()).to.have.length(301);
    expect(total(node.rows())).to.equal(10_001);
    // A client that is answered well is named all the same.
    node.count(row({ client: 'LateApp/1' }));
    expect([...named(node.rows())]).to.include.members(['OldApp/1.2', 'LateApp/1']);
    expect(named(node.rows()).size).to.equal(300);
    expect(total(node.rows())).to.equal(10_002);
    const all = createTallies();
    for (const text of [node.text(), node.text().replaceAll('Stranger', 'Other')]) all.addAll(text);
    expect(named(all.rows()).size).to.equal(300);
    expect(total(all.rows())).to.equal(20_004);
  });

  it('M26 stay bounded where organizations, endpoints and clients are many', () => {
    const tallies = createTallies();
    for (let client = 0; client < 300; client += 1)
      for (let organization = 0; organization < 100; organization += 1)
        tallies.count(row({ client: `App/${client}`, organization: `clinic ${organization}` }));
    expect(tallies.rows()).to.have.length(5001);
    expect(total(tallies.rows())).to.equal(30_000);
  });

  it('M26 add up, with the first and the last time, in any order', () => {
    const nodes = [3, 1, 2].map((hour) => {
      const node = createTallies();
      node.count(row({ count: hour, firstAt: at + hour, lastAt: at + hour }));
      for (const person of hashes(hour * 100)) node.person('default', person);
      return node;
    });
    const all = createTallies();
    for (const node of nodes) all.addAll(node.text());
    expect(all.rows()).to.deep.equal([row({ count: 6, firstAt: at + 1, lastAt: at + 3 })]);
    expect(all.people().get('default')?.count()).to.equal(300);
  });

  it('M26 count people each once: exactly up to a thousand, then within a tenth', () => {
    for (const size of [0, 1, 1000, 1001, 5000, 50_000]) {
      const [one, other] = [createPeople(), createPeople()];
      for (const person of hashes(size)) {
        one.add(person);
        one.add(person);
        other.add(person);
      }
      one.addAll(other.stored());
      if (size <= 1000) expect(one.count()).to.equal(size);
      else expect(one.count()).to.be.within(size * 0.9, size * 1.1);
      expect(JSON.stringify(one.stored()).length).to.be.below(20_000);
    }
  });

  it('M26 are kept while the store is away, and added once it is back', async () => {
    const written: string[] = [];
    let isAway = true;
    const usage = createUsage({
      store: {
        async change(_day, _dialect, next) {
          if (isAway) throw new Error('away');
          written.push(next(written.at(-1)));
        },
      },
      clock: { now: () => new Date(at) },
      secrets: { hmac: (_purpose, text) => Buffer.from(text.padEnd(32)).toString('base64url') },
      metric: () => {},
    });
    const request: AnsweredRequest = {
      ...{ dialect: 'visitnote', endpoint: 'POST /sign-in', organization: 'default', stage: undefined },
      ...{ userAgent: 'OldApp/1.2', answeredBy: 'portico', status: 200 },
    };
    usage.count(request);
    expect(await usage.flush().catch(() => 'refused')).to.equal('refused');
    usage.count(request);
    isAway = false;
    await usage.flush();
    await usage.flush();
    expect(written).to.have.length(1);
    expect(JSON.parse(written[0] ?? '').rows).to.deep.equal([row({ count: 2 })]);
  });
});
