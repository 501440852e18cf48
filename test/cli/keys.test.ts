import { expect } from 'chai';
import { secretsFrom } from '../../src/core/crypto.ts';
import { bytesOf, newKey } from '../keys/rotating-server.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

describe('portico keys', function () {
  this.timeout(60_000);
  let terminal: Terminal;
  const [first, second] = [newKey(), newKey()];
  const [one = '', two = ''] = [first, second].map((key) => secretsFrom(bytesOf(key)).ids[0]);
  before(() => {
    terminal = openTerminal();
  });
  after(() => terminal.close());

  const run = (words: string, encryption: string, ...others: string[]) =>
    terminal.run(words.split(' '), {
      env: {
        PORTICO_KEYS__ENCRYPTION: encryption,
        ...(others.length > 0 && { PORTICO_KEYS__DECRYPTION: others.join(',') }),
      },
    });

  interface Status {
    serverKeys: { id: string; place: string; next: string; emptySince?: string }[];
    cookieKeys: { place: string; next: string }[];
    signingKeys: { state: string; until: string }[];
    reEncryption?: { percent: number; finishedAt?: string };
    counted?: { byKey: Record<string, number>; unreadable: number };
  }
  const status = async (words: string, ...keys: [string, ...string[]]): Promise<Status> => {
    const ran = await run(`keys status --json ${words}`.trim(), ...keys);
    expect(ran.stderr).to.equal('');
    return JSON.parse(ran.stdout);
  };

  it('KEY7 leads an operator from the old server key to the new one, and says when the old one may go', async () => {
    expect((await run('keys list', first)).code).to.equal(0);
    const before = await status('', first);
    expect(before.serverKeys.map(({ id, place }) => [id, place])).to.deep.equal([[one, 'first']]);
    expect(before.signingKeys.map(({ state }) => state)).to.deep.equal(['current', 'current']);
    expect(before.reEncryption).to.equal(undefined);

    // The new key alone is refused, with what to do.
    const early = await run('keys status', second);
    expect(early.code).to.equal(1);
    expect(early.stderr).to.contain(one).and.contain('keys.decryption');

    const known = await status('', first, second);
    expect(known.serverKeys.map(({ next }) => next)[1]).to.equal('new: it was never used');

    const exchanged = await status('--count', second, first);
    expect(exchanged.serverKeys.map(({ id, place }) => [id, place])).to.deep.equal([
      [two, 'first'],
      [one, 'other'],
    ]);
    expect(exchanged.serverKeys[1]?.next).to.contain('needed: records are under it');
    expect(exchanged.counted?.byKey[one]).to.be.at.least(2);
    expect(exchanged.cookieKeys[1]?.next).to.match(/^verifies; remove it after \d{4}-/);

    const done = await run('keys re-encrypt', second, first);
    expect(done.stdout).to.contain('Everything is under the server key that encrypts.');
    const after = await status('--count', second, first);
    expect(after.counted).to.deep.equal({ byKey: { [two]: 2, [one]: 0 }, unreadable: 0 });
    expect(after.reEncryption?.percent).to.equal(100);
    expect(after.serverKeys[1]?.next).to.match(
      /^nothing is under it; cookies and links of before are good until \d{4}-/,
    );

    // As a table, with no key in it.
    const table = await run('keys status', second);
    expect(table.stdout).to.contain(`${two}`).and.contain('encrypts everything that is written');
    expect(table.stdout).to.contain('Re-encryption: finished at').and.contain('signs until');
    for (const key of [first, second]) expect(table.stdout).to.not.contain(key.slice(0, 20));
  });
});
