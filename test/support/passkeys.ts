/** A passkey for an account of a test server, as if its person had registered it. */
import { creationOptions, passkeyChallenge, registerPasskey } from '../../src/identity/factors/passkeys.ts';
import type { Authenticator } from './authenticator.ts';
import type { TestServer } from './server.ts';

/** Browsers have no passkeys at IP addresses, so a server that is to have some is started with this. */
export const AT_A_HOST = { issuer: 'http://localhost:0' } as const;

/** Resolves with the recovery codes that come with the account's first factor. */
export async function givePasskey(
  server: TestServer,
  accountId: string,
  device: Authenticator,
): Promise<readonly string[]> {
  const { identity, stores } = server.running;
  const account = await stores.accounts.byId(accountId);
  if (account === undefined) throw new Error('There is no such account.');
  const challenge = passkeyChallenge(identity, 'test');
  const options = creationOptions(identity, { challenge, account, rpName: 'Test' });
  const response = device.create(JSON.stringify(options));
  const context = { address: '192.0.2.1', requestId: 'r', clientId: 'c', channel: 'hosted' };
  const added = await registerPasskey(identity, { account, response, challenge, name: 'Phone', context });
  if ('refused' in added) throw new Error(`The passkey is refused: ${added.refused}`);
  return added.recoveryCodes ?? [];
}
