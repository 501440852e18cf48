import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { DecryptionFailed, secretsFrom } from '../../src/core/crypto.ts';
import type { Pass } from '../../src/keys/key-record.ts';
import { KeysRefused } from '../../src/keys/server-keys.ts';
import { openTerminal } from '../cli/run-portico.ts';
import { mara, oidcAgain, oidcSignIn, refreshOidc, send } from '../nodes/calls.ts';
import { webApp } from '../support/clients.ts';
import { relyingParty } from '../support/relying-party.ts';
import { startTestServer } from '../support/server.ts';
import { openWebSession, type Page } from '../support/web-session.ts';
import { fill } from './filled.ts';
import {
  bytesOf,
  type Encrypted,
  encryptedIn,
  endLeases,
  FIRST,
  keyRecordIn,
  newKey,
  openRotating,
} from './rotating-server.ts';

describe('the server key, when it is changed', function () {
  this.timeout(60_000);

  const subjectOf = async (at: string, token: string): Promise<unknown> => {
    const reply = await send(`${at}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    return (reply.json() as { sub?: string }).sub;
  };

  /** What a thief of a store's file and of a key can read. */
  const opened = (file: string, key: string): Encrypted[] => {
    const secrets = secretsFrom(bytesOf(key));
    return encryptedIn(file).filter(({ text, context }) => secrets.keyOf(text, context) !== undefined);
  };

  const refusal = async (start: Promise<unknown>): Promise<Error> =>
    start.then(
      () => expect.fail('It should have been refused.'),
      (error: Error) => error,
    );

  /** The re-encryption as the store tells it, when it is as wanted. */
  const passOf = async (
    file: string,
    wanted: (pass: Pass | undefined) => boolean,
  ): Promise<Pass | undefined> => {
    const deadline = performance.now() + 20_000;
    for (;;) {
      const { pass } = keyRecordIn(file);
      if (wanted(pass)) return pass;
      if (performance.now() > deadline) expect.fail(`The pass stands at ${JSON.stringify(pass)}.`);
      await sleep(2);
    }
  };

  it('KEY2 signs no browser out, ends no token and changes no subject, and leaves nothing under the old key', async () => {
    const second = newKey();
    const rotating = await openRotating();
    await rotating.restart({ encryption: FIRST });
    const { issuer } = rotating;
    const line = await oidcSignIn(issuer);
    const subject = await subjectOf(issuer, line.access);
    expect(subject).to.be.a('string');
    // A sign-in page that waits while everything happens.
    const waiting = openWebSession();
    const party = await relyingParty(issuer, webApp);
    const started = await party.begin();
    const page = (await waiting.open(started.url)) as Page;
    let { refresh } = line;
    const proveAll = async (what: string) => {
      expect(await subjectOf(issuer, line.access), `${what}: the token of before`).to.equal(subject);
      const refreshed = await refreshOidc(issuer, refresh);
      expect(refreshed.status, `${what}: the refresh token`).to.equal(200);
      ({ refresh_token: refresh } = refreshed.json() as { refresh_token: string });
      const again = await oidcAgain(line);
      expect(await subjectOf(issuer, again.access), `${what}: the browser’s session`).to.equal(subject);
    };

    await rotating.restart({ encryption: FIRST, decryption: [second] });
    await proveAll('both known');
    await rotating.restart({ encryption: second, decryption: [FIRST] });
    await proveAll('the new one encrypts');
    await rotating.emptied();
    await proveAll('after the re-encryption');
    const next = await waiting.submit(page, mara, { until: [webApp.redirectUri] });
    expect(typeof next === 'string' ? 200 : next.status, 'the page of before').to.equal(200);

    await rotating.stop();
    const left = opened(rotating.file, FIRST);
    expect(left.filter(({ until }) => until === undefined)).to.deep.equal([]);
    // Replies of rotations and link tokens end by themselves.
    for (const { until = 0 } of left) expect(until).to.be.lessThan(Date.now() + 3_600_000);
    expect(opened(rotating.file, second)).to.have.length.above(5);

    await rotating.restart({ encryption: second });
    expect((await rotating.record()).server.map(({ emptySince }) => emptySince !== undefined)).to.deep.equal([
      true,
      false,
    ]);
    await proveAll('without the old key');
    await rotating.close();
  });

  it('KEY3 starts on no store whose records it cannot read, and says what to do', async () => {
    const second = newKey();
    const rotating = await openRotating();
    await rotating.restart({ encryption: FIRST, decryption: [second] });
    await oidcSignIn(rotating.issuer);
    await rotating.stop();
    const [firstId] = secretsFrom(bytesOf(FIRST)).ids;
    const lost = await refusal(rotating.restart({ encryption: second }));
    expect(lost).to.be.instanceOf(KeysRefused);
    expect(lost.message).to.contain(firstId).and.contain('keys.decryption');
    await rotating.restart({ encryption: second, decryption: [FIRST] });
    await rotating.emptied();
    await rotating.stop();
    // The old configuration would write what the others no longer read, and could not read what they wrote.
    expect(await refusal(rotating.restart({ encryption: FIRST }))).to.be.instanceOf(KeysRefused);
    // Back to the old key is a rotation as any other.
    await rotating.restart({ encryption: FIRST, decryption: [second] });
    await rotating.emptied();
    await rotating.restart({ encryption: FIRST });
    await rotating.close();
    rmSync(rotating.file, { force: true });
  });

  it('KEY4 keeps the texts of a store that knew one key as they are, and opens each under the key that it names', () => {
    const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const alone = secretsFrom(one);
    // As the version before made them.
    expect(alone.hmac('api-key', 'value')).to.equal('kmW1mEIYjnpOVdp9aQvResl8yuWp9C7ogeOwoi-2oU8');
    expect(alone.sign('form', 'text')).to.equal('2ZAwlmmg5dKtMQTydQR6571Dbn0A7WGiWddh88_Ww0Q');
    expect(alone.cookieKeys).to.deep.equal(['G8tqrcCaYCTbSttIO_U4aycYeEPbIvPEkQFm13JmGEk']);
    const old = 'Gzke5FA4cI3FmMpw1Fjd1_2_K0RbWfhenogTmyIG7AA';
    expect(alone.decrypt(old, 'context')).to.equal('text');
    expect(alone.encrypt('text', 'context'), 'without an id').to.match(/^[\w-]+$/);
    const both = secretsFrom(two, { others: [one] });
    expect(both.decrypt(old, 'context')).to.equal('text');
    expect(() => both.decrypt(old, 'another')).to.throw(DecryptionFailed);
    const fresh = both.encrypt('text', 'context');
    expect(fresh).to.match(/^[\da-f]{8}\.[\w-]+$/);
    expect(secretsFrom(one, { others: [two] }).decrypt(fresh, 'context')).to.equal('text');
    expect(secretsFrom(two).decrypt(fresh, 'context')).to.equal('text');
    expect(() => alone.decrypt(fresh, 'context')).to.throw(DecryptionFailed);
    const renewed = both.renew(old, 'context') ?? '';
    expect(secretsFrom(two).decrypt(renewed, 'context')).to.equal('text');
    expect(both.renew(renewed, 'context')).to.equal(undefined);
    expect(
      both.renew(secretsFrom(two).encrypt('x', 'c'), 'c'),
      'under the first key, without its id',
    ).to.equal(undefined);
    // What a browser brings back is signed under the key of the day, and forged with none that has left.
    const signature = alone.sign('form', 'text');
    expect(both.verify('form', 'text', signature)).to.equal(true);
    expect(both.sign('form', 'text')).to.not.equal(signature);
    expect(secretsFrom(two).verify('form', 'text', signature)).to.equal(false);
    expect(both.verify('way-back', 'text', signature)).to.equal(false);
  });

  it('KEY5 goes on where a process was killed that encrypted everything anew', async () => {
    const second = newKey();
    const rotating = await openRotating();
    await rotating.restart({ encryption: FIRST });
    await fill(rotating.server.running.stores, { key: FIRST, count: 20_000 });
    await rotating.stop();
    const [, to = ''] = secretsFrom(bytesOf(FIRST), { others: [bytesOf(second)] }).ids;
    const terminal = openTerminal({
      store: { embedded: { file: rotating.file } },
      keys: { encryption: second, decryption: [FIRST] },
    });
    const killed = terminal.spawn(['keys', 're-encrypt']);
    const passed = await passOf(rotating.file, (pass) => pass !== undefined && pass.read > 0);
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    const left = await passOf(rotating.file, (pass) => pass !== undefined);
    expect(left?.to).to.equal(to);
    expect(left?.finishedAt, 'finished before it was killed').to.equal(undefined);
    expect(left?.read)
      .to.be.at.least(passed?.read ?? 0)
      .and.below(20_000);

    // The lease of the killed one ends by itself in fifteen seconds.
    endLeases(rotating.file);
    const ran = await terminal.run(['keys', 're-encrypt']);
    expect(ran.stdout).to.contain('Everything is under the server key that encrypts.');
    const finished = await passOf(rotating.file, (pass) => pass?.finishedAt !== undefined);
    // The same pass: what was passed before is not read again, but for what was not noted yet.
    expect(finished?.startedAt).to.equal(left?.startedAt);
    expect(finished?.read).to.be.at.least(20_000).and.below(30_000);
    expect(opened(rotating.file, FIRST).filter(({ until }) => until === undefined)).to.deep.equal([]);
    expect(opened(rotating.file, second)).to.have.length.above(20_000);
    terminal.close();
    rmSync(rotating.file, { force: true });
  });

  it('KEY8 two cookie keys at once: browsers stay signed in while the first one is exchanged, and not without it', async () => {
    const [one, two] = [newKey(), newKey()];
    const rotating = await openRotating();
    await rotating.restart({ encryption: FIRST, cookies: [one] });
    const line = await oidcSignIn(rotating.issuer);
    const other = await oidcSignIn(rotating.issuer);
    await rotating.restart({ encryption: FIRST, cookies: [one, two] });
    await oidcAgain(line);
    await rotating.restart({ encryption: FIRST, cookies: [two, one] });
    await oidcAgain(line);
    const [first, second] = (await rotating.record()).cookies.slice(-2);
    expect(first?.usedSince).to.be.a('string');
    expect(second?.usedUntil?.localeCompare(first?.usedUntil ?? '')).to.equal(1);
    await rotating.restart({ encryption: FIRST, cookies: [two] });
    await oidcAgain(line);
    // This browser did not come back while both keys were there.
    const failed = await oidcAgain(other).catch((error: Error) => error.message);
    expect(failed).to.contain('A page was shown');
    await rotating.close();
  });

  it('KEY3 starts beside no node that could not read what it would write, or verify what it would sign', async () => {
    const rotating = await openRotating();
    const [cookie, second] = [newKey(), newKey()];
    await rotating.restart({ encryption: FIRST, cookies: [cookie] });
    const beside = (keys: Parameters<typeof rotating.restart>[0]) =>
      refusal(startTestServer({ folder: rotating.server.folder, config: { keys } }));
    const unknown = await beside({ encryption: second, decryption: [FIRST], cookies: [cookie] });
    expect(unknown).to.be.instanceOf(KeysRefused);
    expect(unknown.message).to.contain('do not know the server key').and.contain('keys.decryption');
    const unsigned = await beside({ encryption: FIRST, cookies: [second, cookie] });
    expect(unsigned).to.be.instanceOf(KeysRefused);
    expect(unsigned.message).to.contain('do not know the cookie key').and.contain('keys.cookies');
    // A node that stopped is none any more; one that was killed would be for three minutes.
    await rotating.restart({ encryption: second, decryption: [FIRST], cookies: [second, cookie] });
    await rotating.close();
  });

  it('KEY9 knows every place that encrypts: what is not walked through ends by itself', () => {
    const src = path.join(import.meta.dirname, '../../src');
    const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
      .filter(
        (file) => file.endsWith('.ts') && /\.encrypt\(/.test(readFileSync(path.join(src, file), 'utf8')),
      )
      .sort();
    expect(files).to.deep.equal([
      // A page's address and a browser's cookie, for minutes.
      'dialects/capabilities/upstream.ts',
      // An OIDC record, as those of oidc/persistence.
      'identity/accounts/gone-people.ts',
      // Link tokens.
      'identity/codes/encrypted-record.ts',
      // An OIDC record, as those of oidc/persistence.
      'identity/codes/upstream-token.ts',
      // What a legacy system said once, for a quarter of an hour.
      'identity/legacy/kept-yes.ts',
      // The password of a registration that waits for its code.
      'identity/self-service/register.ts',
      // The look-up key: re-encryption.ts writes it anew, as the two in oidc/persistence.
      'keys/server-keys.ts',
      'oidc/persistence/records.ts',
      'oidc/persistence/signing-keys.ts',
      // Replies of rotations, for seconds.
      'oidc/tokens/refresh-rotation.ts',
      'pages/account/address.ts',
    ]);
  });
});
