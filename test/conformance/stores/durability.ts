import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Stores } from '../../../src/store/ports/stores.ts';
import { accountRecord, type BackEnd, fresh, type OpenBackEnd, times } from './back-end.ts';
import { startRacers } from './racers.ts';

const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url));

export function durabilitySuite(open: OpenBackEnd): void {
  describe('the store as a whole', () => {
    let backEnd: BackEnd;
    before(async () => {
      backEnd = await open();
    });
    after(() => backEnd.close());

    for (const acknowledgements of [40, 150]) {
      it(`X6 loses nothing it acknowledged when its process is killed after ${acknowledgements} writes`, async () => {
        const prefix = fresh('crash');
        const lines = await killWriterAfter(acknowledgements, backEnd.config, prefix);
        expect(lines.length).to.be.at.least(acknowledgements);
        const lost = [];
        for (const line of lines) if (!(await isThere(backEnd.stores, line))) lost.push(line);
        expect(lost).to.deep.equal([]);
        const after = accountRecord({ organization: prefix });
        expect(await backEnd.stores.accounts.insert(after), 'and goes on working').to.equal('inserted');
      });
    }

    it('migrates again, and from ten callers in two processes at once, without harm', async () => {
      await backEnd.stores.metadata.set('before-migration', 'kept');
      const racers = await startRacers(backEnd);
      try {
        await racers.race(
          'migrate',
          times(10, () => []),
        );
      } finally {
        await racers.close();
      }
      expect(await backEnd.stores.metadata.get('before-migration')).to.equal('kept');
    });

    it('is healthy', async () => {
      const health = await backEnd.stores.health();
      expect(health.length).to.be.at.least(1);
      for (const server of health) expect(server).to.include({ ok: true });
    });

    it('answers the same before and after a sweep, which removes what ended only', async () => {
      const { oidcRecords, linkTokens, codes } = backEnd.stores;
      const now = new Date();
      const live = new Date(now.getTime() + 60_000);
      const past = new Date(now.getTime() - 60_000);
      const names = times(3, () => fresh('swept'));
      for (const id of names) {
        for (const [suffix, expiresAt] of [
          ['live', live],
          ['past', past],
        ] as const) {
          await oidcRecords.put('RefreshToken', `${id}-${suffix}`, {
            payload: '',
            createdAt: past,
            expiresAt,
            durable: true,
          });
          const common = { organization: 'clinic', createdAt: past, expiresAt };
          await linkTokens.put(`${id}-${suffix}`, { ...common, purpose: 'reset', data: '' });
          await codes.put(`${id}-${suffix}`, {
            ...common,
            codeHash: 'right',
            accountId: id,
            asker: '',
            tries: 1,
          });
        }
        await oidcRecords.put('RefreshToken', `${id}-forever`, {
          payload: '',
          createdAt: past,
          durable: true,
        });
      }
      await backEnd.stores.sweep(now);
      for (const id of names) {
        expect(await oidcRecords.byId('RefreshToken', `${id}-live`, now)).not.to.equal(undefined);
        expect(await oidcRecords.byId('RefreshToken', `${id}-forever`, now)).not.to.equal(undefined);
        expect(await oidcRecords.byId('RefreshToken', `${id}-past`, now)).to.equal(undefined);
        expect(await linkTokens.read(`${id}-live`, 'reset', now)).not.to.equal(undefined);
        expect(await codes.attempt(`${id}-live`, '', 'right', now)).to.equal('right');
        expect(await codes.attempt(`${id}-past`, '', 'right', now)).to.equal('dead');
      }
    });
  });
}

/** Resolves with the lines that the writer printed before it died. */
async function killWriterAfter(count: number, config: unknown, prefix: string): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, JSON.stringify(config), prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text.split('\n').length > count) child.kill('SIGKILL');
  });
  await once(child, 'close');
  expect(child.signalCode).to.equal('SIGKILL');
  return text.split('\n').slice(0, -1);
}

async function isThere(stores: Stores, line: string): Promise<boolean> {
  const [what, id = ''] = line.split(' ');
  const now = new Date();
  switch (what) {
    case 'account':
      return (await stores.accounts.byId(id)) !== undefined;
    case 'artifact':
      return (await stores.oidcRecords.byId('RefreshToken', id, now)) !== undefined;
    case 'consumed':
      return (await stores.oidcRecords.byId('RefreshToken', id, now))?.consumedAt !== undefined;
    default:
      return (await stores.linkTokens.read(id, 'reset', now)) !== undefined;
  }
}
