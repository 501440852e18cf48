import { createHash } from 'node:crypto';
import { expect } from 'chai';
import {
  authenticateApiKey,
  createApiKey,
  deleteApiKey,
  hashOfDigest,
  listApiKeys,
} from '../../src/identity/accounts/api-keys.ts';
import { updateAccount } from '../../src/identity/accounts/update-account.ts';
import { openWorld, refusal, type World } from './world.ts';

describe('API keys', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  const create = (accountId: string | undefined, more: Partial<Parameters<typeof createApiKey>[1]> = {}) =>
    createApiKey(world.identity, {
      organization: 'north',
      vendor: 'avycenna',
      name: 'Ward sync',
      scopes: ['read:users'],
      id: { prefix: 'key_', alphabet: 'abcdefgh', length: 8 },
      key: { prefix: 'avk_', alphabet: '0123456789abcdef', length: 64 },
      ...(accountId === undefined ? {} : { accountId }),
      ...more,
    });

  it('K1 X1 are shown once and stored as a keyed hash', async () => {
    const { id } = await world.person({ email: 'a@x.test' });
    const { key, record } = await create(id);
    expect(key).to.match(/^avk_[0-9a-f]{64}$/);
    expect(world.dump()).not.to.contain(key.slice(4));
    expect(JSON.stringify([record, await listApiKeys(world.identity, { accountId: id })])).not.to.contain(
      key,
    );
  });

  it('K1 are known by a SHA-256 that another system had, which is no key itself', async () => {
    const { id: accountId } = await world.person({ email: 'a@x.test' });
    const key = 'avk_of-another-system';
    const digest = createHash('sha256').update(key).digest('hex');
    const { record } = await create(accountId);
    await world.identity.stores.apiKeys.insert({
      ...{ ...record, id: 'key_theirs', keyHash: hashOfDigest(world.identity, digest.toUpperCase()) },
    });
    const known = await authenticateApiKey(world.identity, { key, vendor: 'avycenna' });
    expect(known?.record.id).to.equal('key_theirs');
    for (const other of [digest, `sha256:${digest}`, 'avk_other'])
      expect(await authenticateApiKey(world.identity, { key: other }), other).to.equal(undefined);
  });

  it('name their owner, and note a use at once and then once a minute', async () => {
    const { id } = await world.person({ email: 'a@x.test' });
    const { key } = await create(id);
    const used = async () => (await listApiKeys(world.identity, { accountId: id }))[0]?.lastUsedAt?.getTime();
    const start = world.identity.clock.now().getTime();
    expect((await authenticateApiKey(world.identity, { key, vendor: 'avycenna' }))?.account?.id).to.equal(id);
    expect(await used()).to.equal(start);
    world.pass(30);
    await authenticateApiKey(world.identity, { key });
    expect(await used()).to.equal(start);
    world.pass(30);
    await authenticateApiKey(world.identity, { key });
    expect(await used()).to.equal(start + 60_000);
  });

  it('K2 K3 that are unknown, expired, of another vendor or of somebody not active are alike', async () => {
    const { id } = await world.person({ email: 'a@x.test' });
    const { key } = await create(id);
    const expiring = await create(id, { expiresAt: new Date(world.identity.clock.now().getTime() + 60_000) });
    world.pass(60);
    expect(await authenticateApiKey(world.identity, { key: expiring.key })).to.equal(undefined);
    expect(await authenticateApiKey(world.identity, { key, vendor: 'vsee' })).to.equal(undefined);
    expect(await authenticateApiKey(world.identity, { key: `${key}0` })).to.equal(undefined);
    await updateAccount(world.identity, id, (account) => ({ ...account, status: 'inactive' }));
    expect(await authenticateApiKey(world.identity, { key })).to.equal(undefined);
  });

  it('K3 are deleted by their owner alone', async () => {
    const owner = await world.person({ email: 'a@x.test' });
    const other = await world.person({ email: 'b@x.test' });
    const { key, record } = await create(owner.id);
    const remove = (accountId: string, keyId = record.id) =>
      deleteApiKey(world.identity, { accountId, keyId });
    expect(await refusal(remove(other.id))).to.equal('api-key-not-found');
    expect(await refusal(remove(owner.id, 'key_nowhere'))).to.equal('api-key-not-found');
    await remove(owner.id);
    expect(await refusal(remove(owner.id))).to.equal('api-key-not-found');
    expect(await authenticateApiKey(world.identity, { key })).to.equal(undefined);
  });

  it('are limited per account, of twenty made together too', async () => {
    const { id } = await world.person({ email: 'a@x.test' });
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => create(id, { limit: 5 })));
    expect(all.filter(({ status }) => status === 'fulfilled')).to.have.length(5);
    expect(await refusal(create(id, { limit: 5 }))).to.equal('too-many-api-keys');
  });

  it('K3 of an organization may have a secret, which must be right when sent', async () => {
    const { identity } = world;
    const { key, secret } = { key: 'a'.repeat(32), secret: 'b'.repeat(32) };
    await identity.stores.apiKeys.insert({
      id: 'k1',
      organization: 'north',
      vendor: 'vsee',
      name: 'demo',
      scopes: [],
      keyHash: identity.secrets.hmac('api-key', key),
      secretHash: identity.secrets.hmac('api-secret', secret),
      createdAt: identity.clock.now(),
    });
    const good = async (more: { secret?: string; requireSecret?: boolean }) =>
      (await authenticateApiKey(identity, { key, vendor: 'vsee', ...more })) !== undefined;
    expect(await good({})).to.equal(true);
    expect(await good({ secret })).to.equal(true);
    expect(await good({ secret: 'wrong' })).to.equal(false);
    expect(await good({ requireSecret: true })).to.equal(false);
    expect(await good({ secret, requireSecret: true })).to.equal(true);
    const { key: plain } = await create(undefined);
    expect(await authenticateApiKey(identity, { key: plain, secret: '' })).to.equal(undefined);
  });
});
