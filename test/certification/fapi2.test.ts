/** As certification.test.ts, for the plan "fapi2-final". */
import { keyPair, openFapiClient } from '../oidc/fapi2-client.ts';
import { openWorld } from '../oidc/support.ts';
import { type Bank, MODULES } from './fapi2.ts';

describe('certification: fapi2-final', () => {
  let bank: Bank;

  before(async () => {
    const world = await openWorld();
    const keys = await keyPair('RS256');
    const { alg: _any, ...jwk } = keys.jwk;
    bank = {
      world,
      bank: await openFapiClient(world, 'bank'),
      other: await openFapiClient(world, 'other-bank'),
      rsaBank: await openFapiClient(world, 'rsa-bank', { keys, metadata: { jwks: { keys: [jwk] } } }),
    };
  });
  after(() => bank.world.close());

  for (const [title, check] of MODULES) it(title, () => check(bank));
});
