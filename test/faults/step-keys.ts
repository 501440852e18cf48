/** The rotation of signing keys as the calendar makes it, in two steps of two seconds instead of months. */
import { createLog } from '../../src/observe/log.ts';
import { openForOperator } from '../../src/server/server.ts';
import type { Nodes } from '../support/nodes.ts';
import { testConfig } from '../support/server.ts';

/**
 * Takes the step that is due: publishes the next key at the first call, lets it sign at a call two seconds
 * later. Nodes notice within a minute, or when they start.
 */
export async function stepKeys({ issuer, stores, key }: Nodes): Promise<void> {
  const { mongo, redis, database } = stores;
  const config = testConfig({
    issuer,
    store: { kind: 'distributed', mongo: { url: mongo, database }, redis: { url: redis } },
    keys: { encryption: key, rotation: 3, overlap: 2 },
  });
  const tools = await openForOperator(config, { log: createLog({ level: 'silent' }) });
  try {
    await tools.oidc.rotateKeys();
  } finally {
    await tools.close();
  }
}
