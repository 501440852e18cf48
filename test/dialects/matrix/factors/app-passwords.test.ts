/** N11: app passwords, which old clients take in place of a second factor. */
import { expect } from 'chai';
import {
  appPasswordsOf,
  makeAppPassword,
  revokeAppPassword,
} from '../../../../src/identity/factors/app-passwords.ts';
import type { AccountRecord } from '../../../../src/model/account.ts';
import { visitnote } from '../../vendors.ts';
import { inDefault } from '../channels.ts';
import { pointed, type World } from '../world.ts';
import { ago, app, change, now, openWith, setPolicy } from './factor-world.ts';

describe('app passwords', () => {
  let world: World;
  before(async function () {
    this.timeout(60_000);
    world = await openWith('app-passwords');
    await setPolicy(world, { require: 'required', since: ago(20) });
  });
  after(() => world.close());

  const context = { address: '192.0.2.7', requestId: 'r', clientId: 'account', channel: 'hosted' };
  const withFactor = async () => {
    const { id } = await world.person({ organization: 'default' });
    return change(world, id, { factors: app() });
  };
  const make = async (account: AccountRecord, dialect: string) => {
    const input = { accountId: account.id, dialect, name: 'My phone', context };
    return (await makeAppPassword(world.server.running.identity, input)) ?? '';
  };
  const present = async ({ id }: AccountRecord) => {
    const account = await world.server.running.stores.accounts.byId(id);
    if (account === undefined) throw new Error('There is no such account.');
    return account;
  };

  it('N11 one signs in at its own dialect alone, goes on by refresh, and ends with all its sign-ins', async function () {
    this.timeout(30_000);
    for (const vendor of inDefault) {
      const { name } = vendor.dialect;
      const account = await withFactor();
      const login = account.email ?? '';
      const password = await make(account, name);
      for (const other of inDefault) {
        const typed = other === vendor ? password.replaceAll('-', ' ').toUpperCase() : password;
        const reply = await world.signIn(other, login, { password: typed });
        const status = other === vendor ? vendor.signIn.status : other.refused.status;
        expect(reply.status, `of ${name} at ${other.dialect.name}`).to.equal(status);
      }
      const signedIn = (await world.signIn(vendor, login, { password })).json();
      const access = String(pointed(signedIn, vendor.signIn.token));
      const pathOf: Record<string, string> = {
        avycenna: '/api/v1/auth/refresh',
        vsee: '/api_v3/tokens/refresh',
      };
      const path = pathOf[name];
      const refresh = (token: unknown) =>
        world.send({ method: 'POST', path: path ?? '', json: { refresh_token: token } });
      const renewed = path && (await refresh(pointed(signedIn, vendor.signIn.refreshToken ?? '')));
      const tokens = [access, ...(renewed ? [String(pointed(renewed.json(), vendor.signIn.token))] : [])];
      for (const token of tokens) expect((await world.me(vendor, token)).status, name).to.equal(200);
      expect((await world.introspect(access)).active, name).to.equal(true);

      const [stored] = appPasswordsOf(await present(account), name);
      expect(stored?.lastUsedAt).to.equal(now.toISOString());
      const { identity } = world.server.running;
      await revokeAppPassword(identity, { accountId: account.id, id: stored?.id ?? '', context });
      for (const token of tokens) {
        const dead = await world.me(vendor, token);
        expect([dead.status, dead.json()], name).to.deep.equal([
          vendor.deadToken.status,
          vendor.deadToken.json,
        ]);
        expect((await world.introspect(token)).active, name).to.equal(false);
      }
      expect((await world.signIn(vendor, login, { password })).status, name).to.equal(vendor.refused.status);
    }
  });

  it('N11 N13 ten at most, only beside a factor, and no text of one is stored or logged', async () => {
    const bare = await world.person({ organization: 'default' });
    expect(await make(bare, 'vsee')).to.equal('');
    const account = await withFactor();
    const made = [];
    for (let i = 0; i < 12; i += 1) made.push(await make(account, 'vsee'));
    expect(made.filter((text) => text !== '')).to.have.lengthOf(10);
    expect(new Set(made.slice(0, 10)).size).to.equal(10);
    const stored = JSON.stringify(await present(account)) + world.server.logText();
    for (const text of made.slice(0, 10)) {
      expect(text).to.match(/^[a-z2-9]{4}(-[a-z2-9]{4}){4}$/);
      expect(stored).to.not.include(text).and.not.include(text.replaceAll('-', ''));
    }
  });

  it('N11 one counts only while the account has the factor that it stands beside', async () => {
    const account = await withFactor();
    const password = await make(account, 'medisync');
    const medisync = inDefault.find(({ dialect }) => dialect.name === 'medisync');
    if (medisync === undefined) throw new Error('There is no MediSync.');
    const status = async () => (await world.signIn(medisync, account.email ?? '', { password })).status;
    expect(await status()).to.equal(200);
    const { factors } = await present(account);
    const { app: _, ...others } = factors ?? {};
    await change(world, account.id, { factors: others, createdAt: new Date(ago(40)) });
    expect(await status()).to.equal(401);
  });

  it('N11 C1 wrong ones count with wrong passwords, and lock the account at that address', async () => {
    const account = await withFactor();
    const password = await make(account, 'visitnote');
    const from = '203.0.113.77';
    const sent = (text: string) => world.signIn(visitnote, account.email ?? '', { password: text, from });
    const wrong = await Promise.all(
      Array.from({ length: 30 }, (_, i) => sent(`abcd-efgh-ijkm-npqr-${i}aaa`)),
    );
    expect(wrong.filter(({ status }) => status === 401)).to.have.lengthOf(10);
    expect((await sent(password)).status).to.equal(429);
  });
});
