import { expect } from 'chai';
import { createAudit } from '../../src/observe/audit.ts';
import { createLog } from '../../src/observe/log.ts';
import type { AuditRecord, AuditStore } from '../../src/store/ports.ts';

const at = new Date('2030-01-15T09:00:00.000Z');
const clock = { now: () => at };

function setUp(append: AuditStore['append'], toLog = true) {
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const audit = createAudit({
    store: { append, latest: async () => [], removeBefore: async () => 0 },
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
