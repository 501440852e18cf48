/** A passkey for an account of a test server, as if its person had registered it; and what a page asks with. */
import { secretsFrom } from '../../src/core/crypto.ts';
import { creationOptions } from '../../src/identity/factors/passkeys.ts';
import { judgeRegistration, relyingPartyOf } from '../../src/identity/factors/webauthn.ts';
import { passkeyHolder, passkeysOf } from '../../src/model/factors.ts';
import type { Authenticator } from './authenticator.ts';
import { TEST_KEY, type TestServer } from './server.ts';

/** Browsers have no passkeys at IP addresses, so a server that is to have some is started with this. */
export const AT_A_HOST = { issuer: 'http://localhost:0' } as const;

export async function givePasskey(server: TestServer, accountId: string, device: Authenticator) {
  const { accounts, identities } = server.running.stores;
  const account = await accounts.byId(accountId);
  const { issuer } = server;
  const party = relyingPartyOf({ issuer });
  if (account === undefined || party === undefined) throw new Error('There is no account, or no host.');
  const challenge = 'AAAA';
  const identity = { issuer, secrets: secretsFrom(Buffer.from(TEST_KEY, 'base64')) };
  const options = creationOptions(identity, { challenge, account, rpName: 'Test' });
  const verdict = await judgeRegistration({
    ...{ ...party, challenge },
    text: device.create(JSON.stringify(options)),
  });
  if (!('made' in verdict)) throw new Error(`The passkey is refused: ${verdict.refused}`);
  const { made } = verdict;
  const createdAt = new Date();
  const passkey = { ...made, name: 'Phone', createdAt: createdAt.toISOString() };
  const factors = { ...account.factors, passkeys: [...passkeysOf(account), passkey] };
  await accounts.update({ ...account, factors });
  const holder = passkeyHolder(accountId);
  await identities.link({
    organization: '*',
    issuer: 'passkey',
    subject: made.id,
    accountId: holder,
    createdAt,
  });
}
