/**
 * Writes one record after the other, and prints a line for each that the store acknowledged, until it is
 * killed.
 *   node writer.ts '<config.store as JSON>' <prefix>
 */
import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { openStores } from '../../../src/store/open-stores.ts';
import { accountRecord, later, oidcRecordRecord } from './back-end.ts';

const stores = await openStores(JSON.parse(process.argv[2] ?? '{}'), { log: pino({ level: 'silent' }) });
const prefix = process.argv[3] ?? '';
const expiresAt = later(new Date(), 3_600_000);

async function acknowledge(line: string, write: Promise<unknown>): Promise<void> {
  await write;
  writeSync(1, `${line}\n`);
}

for (let number = 0; ; number += 1) {
  const id = `${prefix}-${number}`;
  // Three at once, so that the kill finds writes of several ports under way.
  await Promise.all([
    acknowledge(`account ${id}`, stores.accounts.insert(accountRecord({ id, organization: prefix }))),
    acknowledge(
      `artifact ${id}`,
      stores.oidcRecords.put(
        'RefreshToken',
        id,
        oidcRecordRecord({ durable: true, expiresAt, grantId: prefix }),
      ),
    ),
    acknowledge(
      `ticket ${id}`,
      stores.linkTokens.put(id, {
        purpose: 'reset',
        organization: prefix,
        data: id,
        createdAt: new Date(),
        expiresAt,
      }),
    ),
  ]);
  if (number % 2 === 1) {
    await acknowledge(`consumed ${id}`, stores.oidcRecords.consume('RefreshToken', id, new Date()));
  }
}
