import { expect } from 'chai';
import { deleteAccount } from '../../src/identity/accounts/delete-account.ts';
import { setStatus } from '../../src/identity/accounts/set-status.ts';
import { updateAccount } from '../../src/identity/accounts/update-account.ts';
import { RESET, readLinkToken, sendLinkToken, spendLinkToken } from '../../src/identity/codes/link-token.ts';
import { makeState, spendState } from '../../src/identity/codes/redirect-state.ts';
import { setPassword } from '../../src/identity/self-service/set-password.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import { openWorld, PASSWORD, type World } from './world.ts';

describe('link tokens in links', () => {
  let world: World;
  let account: AccountRecord;
  beforeEach(async () => {
    world = await openWorld();
    account = await world.person({ email: 'a@x.test', password: PASSWORD });
  });
  afterEach(() => world.close());

  const send = async (more: Partial<Parameters<typeof sendLinkToken>[1]> = {}) => {
    await sendLinkToken(world.identity, {
      account,
      purpose: RESET,
      prefix: 'rst_',
      lifetime: 3600,
      link: 'https://id.test/reset?organization={organization}&token={token}',
      email: 'reset-link',
      supersedes: true,
      ...more,
    });
    return new URL(String(world.emails.at(-1)?.data.link)).searchParams.get('token') ?? '';
  };
  const read = (token: string, more = {}) =>
    readLinkToken(world.identity, { token, purpose: RESET, ...more });
  const spend = (token: string) => spendLinkToken(world.identity, { token, purpose: RESET });

  it('W6 hold 256 random bits behind a prefix, and name the organization', async () => {
    expect(await send()).to.match(/^rst_[A-Za-z0-9_-]{43}$/);
    expect(world.emails[0]?.data.link).to.contain('https://id.test/reset?organization=north&token=rst_');
  });

  it('X1 W6 are not in the store', async () => {
    const token = await send();
    expect(world.dump()).not.to.contain(token.slice(4));
  });

  it('X2 go to exactly one of fifty who spend them together; reading spends nothing', async () => {
    const token = await send();
    for (let i = 0; i < 3; i += 1) expect((await read(token))?.account.id).to.equal(account.id);
    const all = await Promise.all(Array.from({ length: 50 }, () => spend(token)));
    expect(all.filter((linkToken) => linkToken !== undefined)).to.have.length(1);
    expect(await read(token)).to.equal(undefined);
  });

  it('X3 W6 end after their hour by our clock', async () => {
    const token = await send();
    world.pass(3599);
    expect(await read(token)).not.to.equal(undefined);
    world.pass(1);
    expect(await read(token)).to.equal(undefined);
    expect(await spend(token)).to.equal(undefined);
  });

  it('are bound to purpose and organization', async () => {
    const token = await send();
    expect(await read(token, { purpose: 'verify' })).to.equal(undefined);
    expect(await read(token, { organization: 'south' })).to.equal(undefined);
    expect(await read(token, { organization: 'north' })).not.to.equal(undefined);
    for (const other of ['', 'rst_', `${token}x`, token.toLowerCase(), `${token}\0`])
      expect(await read(other)).to.equal(undefined);
  });

  it('die with a newer one only where that supersedes', async () => {
    const first = await send();
    const second = await send({ supersedes: false });
    expect(await read(first)).not.to.equal(undefined);
    const third = await send();
    expect(await read(first)).to.equal(undefined);
    expect(await read(second)).to.equal(undefined);
    expect(await read(third)).not.to.equal(undefined);
  });

  it('are dead while the account is not active, and with the address they were sent to', async () => {
    const token = await send();
    await updateAccount(world.identity, account.id, (present) => ({ ...present, status: 'inactive' }));
    expect(await spend(token)).to.equal(undefined);
    await updateAccount(world.identity, account.id, (present) => ({ ...present, status: 'active' }));
    expect(await read(token)).not.to.equal(undefined);
    await updateAccount(world.identity, account.id, (present) => ({ ...present, email: 'b@x.test' }));
    expect(await spend(token)).to.equal(undefined);
  });

  it('S4 die for good when the account is blocked or deleted', async () => {
    const blocked = await send();
    await setStatus(world.identity, { accountId: account.id, status: 'blocked' });
    await setStatus(world.identity, { accountId: account.id, status: 'active' });
    expect(await read(blocked)).to.equal(undefined);
    const deleted = await send();
    await deleteAccount(world.identity, { accountId: account.id });
    expect(await read(deleted)).to.equal(undefined);
  });

  it('W6 a new password ends every other reset link', async () => {
    const first = await send();
    const second = await send({ supersedes: false });
    await spend(first);
    await setPassword(world.identity, {
      accountId: account.id,
      password: 'Copper-Meadow-Falcon-72',
      minimum: 12,
    });
    expect(await read(second)).to.equal(undefined);
  });

  it('prove another address than the account has, and give back what was kept', async () => {
    const token = await send({ purpose: 'new-address', to: 'new@x.test', data: { address: 'new@x.test' } });
    expect(world.emails.at(-1)?.to).to.equal('new@x.test');
    const linkToken = await spendLinkToken(world.identity, { token, purpose: 'new-address' });
    expect(linkToken?.data).to.deep.equal({ address: 'new@x.test' });
  });

  it('past the quota nothing is sent', async () => {
    const quota = { limit: 3, window: 900 };
    for (let i = 0; i < 5; i += 1) await send({ quota });
    expect(world.emails.filter(({ to }) => to !== '')).to.have.length(3);
  });

  it('F6 the state of a redirect is spent once, and carries what was kept, encrypted', async () => {
    const input = {
      purpose: 'upstream:google',
      organization: 'north',
      lifetime: 600,
      data: { next: 'the-secret-plan' },
    };
    const token = await makeState(world.identity, input);
    expect(world.dump()).not.to.contain('the-secret-plan');
    expect(await spendState(world.identity, { purpose: 'upstream:apple', token })).to.equal(undefined);
    const all = await Promise.all(
      Array.from({ length: 20 }, () => spendState(world.identity, { purpose: 'upstream:google', token })),
    );
    expect(all.filter((state) => state !== undefined)).to.deep.equal([
      { organization: 'north', data: input.data },
    ]);
    const late = await makeState(world.identity, input);
    world.pass(600);
    expect(await spendState(world.identity, { purpose: 'upstream:google', token: late })).to.equal(undefined);
  });
});
