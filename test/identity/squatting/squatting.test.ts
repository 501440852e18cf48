/** B3: whoever proves an address has the account alone, however the proof came and whatever was there before. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { PROOFS } from './proofs.ts';
import { open, SQUATS } from './ways-to-squat.ts';
import { openSquattedChannel } from './world.ts';

describe('a verified address', () => {
  it('B3 F5 comes from reclaimAccount, from an account that is new, or from an operator', () => {
    const src = path.join(import.meta.dirname, '../../../src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' });
    const writers = files.filter((file) => {
      // What an upstream says is a claim, until identity/upstream has judged it.
      if (!file.endsWith('.ts') || /^(seed|cli|federation)\//.test(file)) return false;
      return /emailVerified: (?!false|boolean|account\.|claims\.)/.test(
        readFileSync(path.join(src, file), 'utf8'),
      );
    });
    expect(writers.sort()).to.deep.equal([
      'dialects/avycenna/google.ts',
      'dialects/capabilities/accounts.ts',
      'identity/accounts/create-account.ts',
      'identity/accounts/reclaim-account.ts',
      // A new account, whose address the legacy system proved.
      'identity/legacy/take-over.ts',
      'identity/self-service/change-email.ts',
      'identity/self-service/register.ts',
      'identity/upstream/link-identity.ts',
      // A view of no account, which `portico migration check` holds against a token.
      'legacy/check-sign-in.ts',
    ]);
  });
});

describe('a squatted address', () => {
  let world: Awaited<ReturnType<typeof openSquattedChannel>>;
  before(async () => {
    world = await openSquattedChannel();
  });
  after(() => world.close());

  for (const [index, [proof, prove]] of Object.entries(PROOFS).entries()) {
    it(`B3 F5 ${proof} leaves the owner alone with the account`, async function () {
      this.timeout(60_000);
      const outcome: Record<string, [before: boolean, after: boolean]> = {};
      for (const kind of ['registered', "a clinic's"] as const) {
        const there = world.at(`squat-${index}-${kind === 'registered' ? 'r' : 'c'}@gmail.com`);
        await open(there, kind);
        const methods = SQUATS.filter(({ account }) => account === kind);
        const opens = await Promise.all(
          methods.map(async (method) => ({ way: method, still: await method.make(there) })),
        );
        const before = await Promise.all(opens.map(({ still }) => still()));
        await prove(there);
        for (const [i, { way: method, still }] of opens.entries()) {
          outcome[method.name] = [before[i] === true, await still()];
        }
        expect((await world.channel.account(there.email))?.emailVerified).to.equal(true);
      }
      const expected = Object.fromEntries(SQUATS.map(({ name }) => [name, [true, false]]));
      expect(outcome).to.deep.equal(expected);
    });
  }
});
