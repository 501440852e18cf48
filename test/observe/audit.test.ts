import { expect } from 'chai';
import type { AuditEntry, AuditRecord } from '../../src/model/audit-event.ts';
import { createAudit } from '../../src/observe/audit.ts';
import { createLog } from '../../src/observe/log.ts';
import type { AuditStore } from '../../src/store/ports/audit.ts';

const at = new Date('2030-01-15T09:00:00.000Z');
let passed = 0;
const clock = { now: () => new Date(at.getTime() + passed) };

function setUp(append: AuditStore['append'], toLog = true) {
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const audit = createAudit({
    store: {
      append,
      latest: async () => [],
      page: async () => ({ records: [] }),
      removeBefore: async () => 0,
    },
    clock,
    log,
    toLog,
  });
  return { audit, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

const event = {
  event: 'sign-in',
  outcome: 'success',
  organization: 'default',
  subject: 'acc_1',
  clientId: 'web-app',
  address: '192.0.2.1',
  requestId: 'r1',
} as const;

describe('The audit trail', () => {
  beforeEach(() => {
    passed = 0;
  });

  it('B4 has one record a minute for what one address is refused at one channel for one reason', async () => {
    const stored: AuditRecord[] = [];
    const { audit } = setUp(async (record) => void stored.push(record));
    const refused = { ...event, outcome: 'refused', detail: { channel: 'hosted', why: 'wrong' } } as const;
    const counts = () => stored.map(({ detail }) => detail?.count ?? 'itself');
    for (let tries = 0; tries < 5000; tries += 1) audit.write({ ...refused, subject: `acc_${tries % 7}` });
    expect(counts(), 'the first is written at once').to.deep.equal(['itself']);
    audit.closeMinutes();
    expect(counts(), 'before the minute is over').to.deep.equal(['itself']);
    passed = 60_000;
    audit.closeMinutes();
    expect(counts()).to.deep.equal(['itself', 4999]);
    expect(stored[1], 'of several people it names none').not.to.have.property('subject');
    expect(stored[1]).to.deep.include({ address: refused.address, event: 'sign-in', outcome: 'refused' });
    expect(stored[1]?.detail).to.include({ why: 'wrong', since: at.toISOString() });
    audit.write(refused);
    audit.write(refused);
    await audit.flush();
    expect(counts(), 'what is counted when the server stops is not lost').to.deep.equal(['itself', 4999, 2]);
    expect(stored[2], 'of one person it names them').to.have.property('subject', refused.subject);
  });

  it('B4 folds neither what succeeds, nor another address, channel or reason, nor a stolen token', async () => {
    const stored: AuditRecord[] = [];
    const { audit } = setUp(async (record) => void stored.push(record));
    const refused = { ...event, outcome: 'refused', detail: { channel: 'hosted', why: 'wrong' } } as const;
    const each: AuditEntry[] = [
      event,
      event,
      refused,
      { ...refused, address: '192.0.2.2' },
      { ...refused, detail: { channel: 'vsee', why: 'wrong' } },
      { ...refused, detail: { channel: 'hosted', why: 'too-many-requests' } },
      { ...refused, event: 'token.reused' },
      { ...refused, event: 'token.reused', subject: 'acc_2' },
    ];
    for (const record of each) audit.write(record);
    await audit.flush();
    expect(stored).to.deep.equal(each.map((record) => ({ ...record, at })));
  });

  it('B4 counts on without addresses when there are too many of them', async () => {
    const stored: AuditRecord[] = [];
    const { audit } = setUp(async (record) => void stored.push(record), false);
    for (let host = 0; host < 12_000; host += 1) {
      audit.write({ ...event, outcome: 'refused', address: `2001:db8:${host.toString(16)}::/64` });
    }
    await audit.flush();
    expect(stored).to.have.lengthOf(10_002);
    expect(stored.at(-1)?.detail).to.include({ count: 1999 });
    expect(stored.at(-1)).not.to.have.property('address');
  });

  it('L1 stores each event with its time, and writes it to the log', async () => {
    const stored: AuditRecord[] = [];
    const { audit, parsed } = setUp(async (record) => void stored.push(record));
    audit.write({ ...event, detail: { amr: ['pwd'] } });
    await audit.flush();
    expect(stored).to.deep.equal([{ ...event, detail: { amr: ['pwd'] }, at }]);
    expect(parsed()[0].audit).to.include({ ...event, at: at.toISOString() });
  });

  it('is not written to the log where the configuration says so', async () => {
    const { audit, lines } = setUp(async () => {}, false);
    audit.write(event);
    await audit.flush();
    expect(lines).to.deep.equal([]);
  });

  it('L2 holds no secret, whatever the detail is called', async () => {
    const stored: AuditRecord[] = [];
    const { audit, lines } = setUp(async (record) => void stored.push(record));
    audit.write({ ...event, detail: { refreshToken: 'Wanted-Secret', url: '/cb?code=Wanted-Secret' } });
    await audit.flush();
    expect(JSON.stringify(stored) + lines.join('')).not.to.contain('Wanted-Secret');
  });

  it('never fails the request: a store that is down costs a log line', async () => {
    for (const fail of [
      async () => Promise.reject(new Error('down')),
      () => {
        throw new Error('down at once');
      },
    ]) {
      const { audit, parsed } = setUp(fail);
      audit.write(event);
      await audit.flush();
      expect(parsed().map(({ level }) => level)).to.deep.equal(['info', 'error']);
    }
  });

  it('is waited for before the store closes', async () => {
    let done = false;
    const { audit } = setUp(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      done = true;
    });
    audit.write(event);
    await audit.flush();
    expect(done).to.equal(true);
  });
});
