import { expect } from 'chai';
import { authenticateApiKey, createApiKey } from '../../src/identity/accounts/api-keys.ts';
import { registerAccount } from '../../src/identity/accounts/create-account.ts';
import { deleteAccount } from '../../src/identity/accounts/delete-account.ts';
import { accountBatches, findAccount } from '../../src/identity/accounts/find-account.ts';
import { findOrCreateByKey } from '../../src/identity/accounts/find-or-create-by-external-id.ts';
import { heartbeat } from '../../src/identity/accounts/presence.ts';
import { setStatus } from '../../src/identity/accounts/set-status.ts';
import { updateAccount } from '../../src/identity/accounts/update-account.ts';
import { ensureAlias } from '../../src/identity/accounts/vendor-ids.ts';
import { beginRegistration, finishRegistration } from '../../src/identity/self-service/register.ts';
import { linkIdentity } from '../../src/identity/upstream/link-identity.ts';
import { from, openWorld, PASSWORD, refusal, signInByPassword, type World } from './world.ts';

const HEX = { alphabet: '0123456789abcdef', length: 32 };

describe('accounts', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  it('X4 fifty registrations of one address together, in any spelling, make one account', async () => {
    const spellings = ['Ada@X.test', ' ada@x.test', 'ADA@x.TEST '];
    const all = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => world.person({ email: spellings[i % 3] ?? '' })),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
    expect(await world.identity.stores.accounts.page('north', { limit: 10 })).to.have.length(1);
    expect(await world.person({ email: 'ada@x.test' }, 'south')).to.have.property('email', 'ada@x.test');
  });

  it('somebody else’s address is no sign-in name', async () => {
    const input = { email: 'mallory@x.test', username: 'Victim@X.test' };
    expect(await refusal(world.person(input))).to.equal('invalid-fields');
    expect(await refusal(world.person({ username: 'victim@x.test' }))).to.equal('invalid-fields');
    expect(await world.person({ email: 'own@x.test', username: 'Own@x.test' })).to.have.property(
      'username',
      'Own@x.test',
    );
  });

  it('a username that is the address follows it, so that an address given up is nobody’s name', async () => {
    const { id } = await world.person({ email: 'old@x.test', username: 'old@x.test' });
    const moved = await updateAccount(world.identity, id, (account) => ({ ...account, email: 'New@x.test' }));
    expect(moved).to.include({ email: 'new@x.test', username: 'new@x.test' });
    await world.person({ email: 'old@x.test', username: 'old@x.test' });
  });

  it('registration judges the password by the channel’s minimum', async () => {
    const register = (password: string, passwordMinimum?: number) =>
      registerAccount(world.identity, {
        organization: 'north',
        account: { email: `${password}@x.test`, password },
        ...(passwordMinimum === undefined ? {} : { passwordMinimum }),
      });
    expect(await refusal(register('Vd7kqpzw'))).to.equal('password-too-short');
    await register('Vd7kqpzw', 8);
    expect(await refusal(register('password', 8))).to.equal('password-too-common');
  });

  it('changes made together are all kept, and updatedAt moves only when something changed', async () => {
    const { id, updatedAt } = await world.person({ email: 'a@x.test' });
    world.pass(10);
    const roles = Array.from({ length: 10 }, (_, i) => `r${i}`);
    await Promise.all(
      roles.map((role) =>
        updateAccount(world.identity, id, (account) => ({ ...account, roles: [...account.roles, role] })),
      ),
    );
    const after = await findAccount(world.identity, { id });
    expect(after?.roles.toSorted()).to.deep.equal(roles);
    expect(after?.updatedAt.getTime()).to.equal(updatedAt.getTime() + 10_000);
    world.pass(10);
    await updateAccount(world.identity, id, (account) => ({ ...account, roles: [...account.roles] }));
    await updateAccount(world.identity, id, () => null);
    expect((await findAccount(world.identity, { id }))?.updatedAt).to.deep.equal(after?.updatedAt);
  });

  it('of another organization do not exist, and a taken name is refused on change too', async () => {
    const { id } = await world.person({ email: 'a@x.test' });
    await world.person({ email: 'b@x.test' });
    expect(await findAccount(world.identity, { id, organization: 'south' })).to.equal(undefined);
    expect(
      await refusal(updateAccount(world.identity, id, (account) => ({ ...account, email: 'B@x.test' }))),
    ).to.equal('account-exists');
    expect(await refusal(updateAccount(world.identity, 'ghost', (account) => account))).to.equal(
      'account-not-found',
    );
  });

  it('B4 one that is opened at the pages counts at the client address, before its code is spent', async () => {
    const small = await openWorld({ strangers: { accounts: { limit: 1, window: 3600 } } });
    const begin = async (name: string) => {
      const input = { organization: 'north', request: name, context: from() };
      const registration = await beginRegistration(small.identity, {
        ...{ ...input, email: `${name}@x.test`, password: PASSWORD, claims: {}, minimum: 12 },
      });
      const code = String(small.emails.at(-1)?.data.code);
      return (address?: string) =>
        finishRegistration(small.identity, { ...input, registration, code, context: from(address) });
    };
    const first = await begin('first');
    const second = await begin('second');
    expect((await first())?.email).to.equal('first@x.test');
    expect(await refusal(second())).to.equal('too-many-requests');
    expect((await second('192.0.2.9'))?.email, 'from elsewhere, with the same code').to.equal(
      'second@x.test',
    );
    await small.close();
  });

  it('are read in batches, each once', async () => {
    for (let i = 0; i < 101; i += 1) await world.person({ email: `p${i}@x.test` });
    const batches: string[][] = [];
    for await (const batch of accountBatches(world.identity, 'north'))
      batches.push(batch.map(({ id }) => id));
    expect(batches.map(({ length }) => length)).to.deep.equal([50, 50, 1]);
    expect(new Set(batches.flat()).size).to.equal(101);
  });

  it('L3 deletion leaves nothing of the person but the audit’s pseudonym', async () => {
    const account = await world.person({
      email: 'erase@x.test',
      username: 'eraseme',
      password: PASSWORD,
      claims: { name: 'Erna Rase' },
    });
    await heartbeat(world.identity, { accountId: account.id, seconds: 300 });
    await createApiKey(world.identity, {
      organization: 'north',
      vendor: 'v',
      accountId: account.id,
      name: 'k',
      scopes: [],
      id: HEX,
      key: HEX,
    });
    const idp = { issuer: 'https://idp.test', subject: 'erna' };
    await linkIdentity(world.identity, { accountId: account.id, ...idp });
    await deleteAccount(world.identity, { accountId: account.id, context: from() });
    const { stores, clock } = world.identity;
    expect(await stores.identities.listByAccount(account.id)).to.deep.equal([]);
    expect(await stores.identities.find('north', idp.issuer, idp.subject)).to.equal(undefined);
    expect(await stores.accounts.byEmail('north', 'erase@x.test')).to.equal(undefined);
    expect(await stores.apiKeys.listByAccount(account.id)).to.deep.equal([]);
    expect(await stores.presence.read(account.id, clock.now())).to.equal(undefined);
    expect(world.ended.map(({ accountId }) => accountId)).to.include(account.id);
    expect(world.audit.at(-1)).to.include({ event: 'account.delete', subject: account.id });
    expect(JSON.stringify(world.audit)).not.to.match(/erase@x|Erna|eraseme/);
    await deleteAccount(world.identity, { accountId: account.id });
    expect(await world.person({ email: 'erase@x.test', username: 'eraseme' })).to.have.property(
      'email',
      'erase@x.test',
    );
  });

  it('S4 blocking ends grants, sessions and keys', async () => {
    const account = await world.person({ email: 'a@x.test', password: PASSWORD });
    const { key } = await createApiKey(world.identity, {
      organization: 'north',
      vendor: 'v',
      accountId: account.id,
      name: 'k',
      scopes: [],
      id: HEX,
      key: HEX,
    });
    await setStatus(world.identity, { accountId: account.id, status: 'blocked', context: from() });
    expect(world.ended).to.deep.equal([{ accountId: account.id, keep: undefined }]);
    expect(await authenticateApiKey(world.identity, { key })).to.equal(undefined);
    const tried = signInByPassword(world.identity, {
      organization: 'north',
      login: 'a@x.test',
      password: PASSWORD,
      by: ['email'],
      context: from(),
    });
    expect(await refusal(tried)).to.equal('sign-in-refused');
  });
});

describe('vendor ids', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  const form = { prefix: 'usr_', alphabet: '0123456789abcdef', length: 8 };

  it('are made when first needed, the same for all who ask together, and kept, without moving updatedAt', async () => {
    const account = await world.person({ email: 'a@x.test' });
    world.pass(60);
    const input = { name: 'avycenna', form, mints: { code: HEX } };
    const all = await Promise.all(
      Array.from({ length: 10 }, () => ensureAlias(world.identity, account, input)),
    );
    expect(new Set(all.map(({ aliases }) => aliases.avycenna)).size).to.equal(1);
    expect(new Set(all.map(({ vendor }) => vendor.avycenna?.code)).size).to.equal(1);
    expect(all[0]?.aliases.avycenna).to.match(/^usr_[0-9a-f]{8}$/);
    expect(all[0]?.updatedAt).to.deep.equal(account.updatedAt);
    const again = await ensureAlias(world.identity, account, input);
    expect(again.aliases).to.deep.equal(all[0]?.aliases);
  });

  it('are drawn again when another account has the value', async () => {
    const narrow = { alphabet: 'ab', length: 2 };
    const drawn = new Set<string | undefined>();
    for (const email of ['a@x.test', 'b@x.test', 'c@x.test']) {
      const account = await world.person({ email });
      drawn.add(
        (await ensureAlias(world.identity, account, { name: 'narrow', form: narrow })).aliases.narrow,
      );
    }
    expect(drawn.size).to.equal(3);
  });

  it('may be UUIDs', async () => {
    const account = await world.person({ email: 'a@x.test' });
    const { aliases } = await ensureAlias(world.identity, account, { name: 'visitnote', form: 'uuid' });
    expect(aliases.visitnote).to.match(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});

describe('single sign-on by a clinic’s own key', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  const arrive = (key: string, organization = 'north', email?: string) =>
    findOrCreateByKey(world.identity, {
      organization,
      dialect: 'vsee',
      key,
      fresh: async () => ({ ...(email === undefined ? {} : { email }), username: crypto.randomUUID() }),
    });

  it('of twenty first calls together makes one account, and finds it later', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => arrive('person-17')));
    expect(new Set(all.map(({ account }) => account.id)).size).to.equal(1);
    expect(all.filter(({ created }) => created)).to.have.length(1);
    expect((await arrive('person-17')).created).to.equal(false);
  });

  it('is exact, and apart for each organization', async () => {
    const ids = [await arrive('k'), await arrive('K'), await arrive('k '), await arrive('k', 'south')].map(
      ({ account }) => account.id,
    );
    expect(new Set(ids).size).to.equal(4);
  });

  it('links by nothing else: a taken address is refused', async () => {
    await world.person({ email: 'pat@x.test' });
    expect(await refusal(arrive('person-18', 'north', 'pat@x.test'))).to.equal('account-exists');
  });

  it('makes a new account after a deletion', async () => {
    const first = await arrive('person-17');
    await deleteAccount(world.identity, { accountId: first.account.id });
    const second = await arrive('person-17');
    expect(second.created).to.equal(true);
    expect(second.account.id).not.to.equal(first.account.id);
  });
});
