/** What an account confirms a sign-in with besides its password: apps and recovery codes, without HTTP. */
import { expect } from 'chai';
import { Secret } from 'otpauth';
import { addApp, newAppSalt, stepOf } from '../../../src/identity/factors/authenticator-app.ts';
import { changeFactors, renewRecoveryCodes } from '../../../src/identity/factors/change-factors.ts';
import { proveAppCode, proveRecoveryCode } from '../../../src/identity/sign-in/with-second-factor.ts';
import { giveApp } from '../../support/authenticator-app.ts';
import { from, openWorld, refusal, type World } from '../world.ts';

describe('an authenticator app', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  /** An account with an app. */
  async function withApp(email = 'mara@clinic.test') {
    const { id } = await world.person({ email });
    const { secret, salt, code, recoveryCodes: codes } = await giveApp(world.identity, id);
    const prove = async (sent: string, address?: string) => {
      const account = await world.identity.stores.accounts.byId(id);
      if (account === undefined) throw new Error('gone');
      return proveAppCode(world.identity, { account, code: sent, context: from(address) });
    };
    return { id, salt, secret, code, prove, codes };
  }

  it('N4 knows the codes of RFC 6238, appendix B, for SHA-1', () => {
    const secret = Buffer.from('12345678901234567890');
    // The appendix has eight digits; an app shows the last six.
    const vectors: [seconds: number, code: string][] = [
      [59, '94287082'],
      [1_111_111_109, '07081804'],
      [1_111_111_111, '14050471'],
      [1_234_567_890, '89005924'],
      [2_000_000_000, '69279037'],
      [20_000_000_000, '65353130'],
    ];
    for (const [seconds, code] of vectors) {
      const now = new Date(seconds * 1000);
      expect(stepOf(secret, code.slice(2), now), code).to.equal(Math.floor(seconds / 30));
      expect(stepOf(secret, ` ${code.slice(2, 5)} ${code.slice(5)}`, now), code).to.equal(
        Math.floor(seconds / 30),
      );
      expect(stepOf(secret, code, now), code).to.equal(undefined);
    }
  });

  it('N4 may be one step early or late, no more, and each step is good once, in order', async () => {
    const { prove, code } = await withApp();
    // The step that confirmed the set-up is used.
    expect(await prove(code())).to.equal(false);
    world.pass(300);
    expect(await prove(code(-2)), 'two late').to.equal(false);
    expect(await prove(code(2)), 'two early').to.equal(false);
    expect(await prove(code(-1)), 'one late').to.equal(true);
    expect(await prove(code(-1)), 'again').to.equal(false);
    expect(await prove(code(1)), 'one early').to.equal(true);
    expect(await prove(code()), 'before a used one').to.equal(false);
    world.pass(60);
    expect(await prove(code())).to.equal(true);
    const [first, second] = await Promise.all([1, 2].map(() => prove(code(1))));
    expect([first, second].filter(Boolean), 'one of two at once').to.have.length(1);
  });

  it('N4 of another account, or of a set-up that was given up, opens nothing', async () => {
    const mara = await withApp();
    const noor = await withApp('noor@clinic.test');
    world.pass(60);
    expect(await mara.prove(noor.code())).to.equal(false);
    const { id } = mara;
    const none = { accountId: id, context: from(), change: () => ({}) };
    await changeFactors(world.identity, { ...none, event: 'factor.remove', factor: 'app' });
    expect(await mara.prove(mara.code())).to.equal(false);
    const salt = newAppSalt();
    const other = { accountId: id, salt, code: mara.code(), context: from() };
    expect(await addApp(world.identity, other)).to.equal('wrong');
  });

  it('N5 of two hundred guesses at once at most five are judged, wherever they come from, and the owner is told', async () => {
    const { id, prove, code } = await withApp();
    world.pass(60);
    const account = await world.identity.stores.accounts.byId(id);
    // The owner's own address has no exception: a guesser has the password.
    await (
      await world.identity.attempts.begin({ organization: 'north', accountId: id, name: id, address: '1' })
    ).succeeded(id);
    const guesses = Array.from({ length: 200 }, (_, i) => (i === 199 ? code() : `00000${i % 10}`));
    const answers = await Promise.all(
      guesses.map((guess, i) =>
        prove(guess, i % 2 === 0 ? '1' : `192.0.2.${i}`).then(
          (right) => String(right),
          (error: { reason?: string }) => error.reason,
        ),
      ),
    );
    expect(answers.filter((answer) => answer === 'false')).to.have.length(5);
    expect(answers.filter((answer) => answer === 'too-many-requests')).to.have.length(195);
    expect(world.emails.map(({ name }) => name)).to.include('wrong-factors');
    // Recovery codes are of the same budget, and a right password gives no new tries.
    if (account === undefined) throw new Error('gone');
    const recovery = { account, code: 'aaaaa-aaaaa', context: from('192.0.2.250') };
    expect(await refusal(proveRecoveryCode(world.identity, recovery))).to.equal('too-many-requests');
    const password = { organization: 'north', accountId: id, name: id, address: '192.0.2.251' };
    await (await world.identity.attempts.begin(password)).succeeded(id);
    expect(await refusal(prove(code(), '192.0.2.251'))).to.equal('too-many-requests');
    world.pass(901);
    expect(await prove(code())).to.equal(true);
  });

  it('C1 N5 wrong codes of an app and wrong passwords fill one budget', async () => {
    const { id, prove } = await withApp();
    for (let i = 0; i < 4; i += 1) expect(await prove('000000', '192.0.2.9')).to.equal(false);
    const password = { organization: 'north', accountId: id, name: id, address: '192.0.2.9' };
    for (let i = 0; i < 6; i += 1) await (await world.identity.attempts.begin(password)).failed();
    expect(await refusal(prove('000000', '192.0.2.9'))).to.equal('too-many-requests');
    expect(await refusal(world.identity.attempts.begin(password))).to.equal('too-many-requests');
    expect(await prove('000000', '192.0.2.10')).to.equal(false);
  });

  it('N5 a right code ends the row of wrong ones', async () => {
    const { prove, code } = await withApp();
    for (let round = 0; round < 3; round += 1) {
      world.pass(60);
      for (let i = 0; i < 4; i += 1) expect(await prove('000000')).to.equal(false);
      expect(await prove(code())).to.equal(true);
    }
  });

  it('N6 comes with ten recovery codes, each good once, and the owner is told at three', async () => {
    const { id, codes } = await withApp();
    expect(codes).to.have.length(10);
    for (const text of codes) expect(text).to.match(/^[a-hj-km-np-z2-9]{5}-[a-hj-km-np-z2-9]{5}$/);
    const prove = async (code: string) => {
      const account = await world.identity.stores.accounts.byId(id);
      if (account === undefined) throw new Error('gone');
      return proveRecoveryCode(world.identity, { account, code, context: from() });
    };
    const told = () => world.emails.filter(({ name }) => name === 'recovery-codes-few').length;
    const [first = '', second = '', ...others] = codes;
    expect(await prove(` ${first.toUpperCase().replace('-', ' ')} `)).to.equal(true);
    expect(await prove(first)).to.equal(false);
    const both = await Promise.all([prove(second), prove(second)]);
    expect(both.filter(Boolean)).to.have.length(1);
    for (const [index, code] of others.slice(0, 6).entries()) {
      expect(await prove(code)).to.equal(true);
      expect(told(), String(index)).to.equal(index < 4 ? 0 : 1);
    }
    const renewed = await renewRecoveryCodes(world.identity, { accountId: id, context: from() });
    expect(await prove(others[7] ?? '')).to.equal(false);
    expect(await prove(renewed?.recoveryCodes?.[0] ?? '')).to.equal(true);
  });

  it('N9 a change is told to the owner and audited; what rests on a factor goes with the last one', async () => {
    const { id } = await withApp();
    const device = { hash: 'h', name: 'Browser', createdAt: 'now', until: 'then' };
    const input = { accountId: id, context: from() };
    await changeFactors(world.identity, {
      ...{ ...input, event: 'factor.add', factor: 'device' },
      change: (factors) => ({ ...factors, devices: [device] }),
    });
    await changeFactors(world.identity, {
      ...{ ...input, event: 'factor.remove', factor: 'app' },
      change: ({ app: _, ...factors }) => factors,
    });
    expect((await world.identity.stores.accounts.byId(id))?.factors).to.equal(undefined);
    const unchanged = { ...input, event: 'factor.remove', factor: 'app', change: () => null } as const;
    expect(await changeFactors(world.identity, unchanged)).to.equal(undefined);
    await changeFactors(world.identity, { ...input, event: 'factor.reset', change: () => ({}) });
    const events = world.audit.filter(({ event }) => event.startsWith('factor.'));
    expect(events.map(({ event, detail }) => `${event} ${detail?.factor ?? ''}`)).to.deep.equal([
      'factor.add app',
      'factor.add device',
      'factor.remove app',
      'factor.reset ',
    ]);
    expect(world.emails.map(({ name, data }) => [name, data.factor])).to.deep.equal([
      ['factor-added', 'app'],
      ['factor-removed', 'app'],
      ['factors-reset', undefined],
    ]);
  });

  it('O5 N9 changes that go on and on do not flood the mailbox, and are all audited', async () => {
    const { id } = await withApp();
    for (let i = 0; i < 25; i += 1)
      await renewRecoveryCodes(world.identity, { accountId: id, context: from() });
    expect(world.emails.filter(({ name }) => name === 'factor-added')).to.have.length(20);
    expect(world.audit.filter(({ event }) => event === 'factor.add')).to.have.length(26);
  });

  it('N13 leaves no secret and no recovery code in the store', async () => {
    const { secret, codes, salt } = await withApp();
    const dump = world.dump();
    expect(dump).to.contain(salt);
    const bytes = Buffer.from(Secret.fromBase32(secret).bytes);
    for (const form of [secret, bytes.toString('latin1'), bytes.toString('hex'), bytes.toString('base64url')])
      expect(dump).to.not.contain(form);
    for (const code of codes)
      for (const form of [code, code.replace('-', '')]) expect(dump).to.not.contain(form);
  });
});
