import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { SUBJECTS } from '../../../src/store/copy/copy-store.ts';
import { carry } from '../../../src/store/copy/record-writers.ts';
import { openStoreDump, openStores } from '../../../src/store/open-stores.ts';
import type { DumpedRecords, DumpSubject, StoreDump } from '../../../src/store/ports/dump.ts';
import { embeddedConfig } from '../../store/embedded-config.ts';
import { type BackEnd, later, type OpenBackEnd } from './back-end.ts';
import { type Filled, fillStore } from './filled-store.ts';

const log = pino({ level: 'silent' });
const LIMIT = { limit: 10, window: 3_600_000 };

/** What a dump of another store holds, written through this one's ports, is there as it was. */
export function copyingSuite(open: OpenBackEnd): void {
  describe('the copy of another store', () => {
    let backEnd: BackEnd;
    let folder: string;
    let dump: StoreDump;
    let filled: Filled;
    const now = new Date();
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'portico-copied-'));
      const config = embeddedConfig(join(folder, 'portico.db'));
      const source = await openStores(config, { log });
      await source.migrate();
      filled = await fillStore(source, now);
      await source.close();
      dump = await openStoreDump(config, { log });
      backEnd = await open();
      // Twice: a copy that broke off writes some of its records again. The audit trail only grows.
      for (const subject of SUBJECTS) {
        await carryAll(subject);
        if (subject !== 'audit') await carryAll(subject);
      }
    });
    after(async () => {
      await dump?.close();
      await backEnd?.close();
      await rm(folder, { recursive: true });
    });

    async function carryAll<Subject extends DumpSubject>(subject: Subject): Promise<void> {
      // The store under test has a keyring of its own, which other suites use.
      if (subject === 'keyring') return;
      const { records } = await dump.read(subject, { limit: 100, now });
      for (const record of records) await carry[subject].write(backEnd.stores, record, now);
    }

    for (const subject of SUBJECTS) {
      if (carry[subject].compare === undefined || subject === 'keyring') continue;
      it(`has the same ${subject}`, async () => {
        const records = (filled[subject] ?? []) as DumpedRecords[typeof subject][];
        expect(records.length).to.be.greaterThan(0);
        for (const record of records) {
          const [result, input] =
            (await carry[subject].compare?.(backEnd.stores, record as never, now)) ?? [];
          expect(result).to.deep.equal(input);
        }
      });
    }

    it('finds records by every name that they have', async () => {
      const { accounts, oidcRecords, organizations, apiKeys } = backEnd.stores;
      const [anna] = filled.accounts ?? [];
      const organization = anna?.organization ?? '';
      expect(await accounts.byEmail(organization, anna?.email?.toUpperCase() ?? '')).to.deep.equal(anna);
      expect(await accounts.byUsername(organization, anna?.username ?? '')).to.deep.equal(anna);
      expect(await accounts.byAlias('vsee', anna?.aliases.vsee ?? '')).to.deep.equal(anna);
      expect(await organizations.byHost(filled.organizations?.[0]?.hosts[0] ?? '')).to.include({
        id: organization,
      });
      expect(await apiKeys.listByAccount(anna?.id ?? '')).to.deep.equal(filled.apiKeys);
      const session = filled.oidcRecords?.find(({ kind }) => kind === 'Session');
      expect(await oidcRecords.byUid('Session', session?.uid ?? '', now)).to.include({ id: session?.id });
      const device = filled.oidcRecords?.find(({ kind }) => kind === 'DeviceCode');
      expect(await oidcRecords.byUserCode('DeviceCode', device?.userCode ?? '', now)).to.include({
        id: device?.id,
      });
      expect(await oidcRecords.listByAccount('RefreshToken', anna?.id ?? '', now)).to.have.length(2);
    });

    it('keeps what was used used, and the tries of a code', async () => {
      const { oidcRecords, codes } = backEnd.stores;
      const used = filled.oidcRecords?.find(({ kind, consumedAt }) => kind === 'RefreshToken' && consumedAt);
      expect(await oidcRecords.consume('RefreshToken', used?.id ?? '', later(now, 1))).to.equal(false);
      const [code] = filled.codes ?? [];
      expect(await codes.attempt(code?.key ?? '', code?.asker ?? '', 'wrong', now)).to.equal('wrong');
      expect(await codes.attempt(code?.key ?? '', code?.asker ?? '', 'wrong', now)).to.equal('wrong');
      expect(await codes.attempt(code?.key ?? '', code?.asker ?? '', code?.codeHash ?? '', now)).to.equal(
        'dead',
      );
    });

    it('goes on counting where counting stood', async () => {
      const { rateLimits } = backEnd.stores;
      const [event] = filled.attempts ?? [];
      expect((await rateLimits.peek(event?.key ?? '', LIMIT, now)).count).to.equal(3);
      const [window] = filled.windows ?? [];
      const taken = await rateLimits.takeInWindow(window?.key ?? '', LIMIT, later(now, 1000));
      expect(taken).to.include({ count: 5, retryAfter: LIMIT.window - 1000 });
    });

    it('ends what the grant held when the grant is revoked', async () => {
      const { oidcRecords } = backEnd.stores;
      const grantId = filled.oidcRecords?.find(({ kind }) => kind === 'Grant')?.id ?? '';
      const held = filled.oidcRecords?.filter((oidcRecord) => oidcRecord.grantId === grantId) ?? [];
      expect(await oidcRecords.removeByGrant(undefined, grantId)).to.equal(held.length);
    });
  });
}
