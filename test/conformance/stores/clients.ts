import { expect } from 'chai';
import type { ClientRecord } from '../../../src/model/client.ts';
import { type BackEnd, fresh, hostileNames, type OpenBackEnd } from './back-end.ts';

export function clientStoreSuite(open: OpenBackEnd): void {
  describe('clients', () => {
    let backEnd: BackEnd;
    const store = () => backEnd.stores.clients;
    before(async () => {
      backEnd = await open();
    });
    after(() => backEnd.close());

    const client = (clientId: string): ClientRecord => ({
      clientId,
      organization: 'clinic',
      secretHash: 'hash',
      oldSecret: { hash: 'former', until: '2030-01-15T09:00:00.000Z' },
      allOrganizations: false,
      firstParty: true,
      introspects: ['a', 'b'],
      revokes: [],
      dialect: 'vsee',
      metadata: { redirect_uris: ['https://app.example/cb'], 'x.y': { $z: null } },
    });

    it('gives back every member as it was stored', async () => {
      const stored = client(fresh('client'));
      await store().put(stored);
      expect(await store().byId(stored.clientId)).to.deep.equal(stored);
    });

    it('replaces the whole client with the next put', async () => {
      const stored = client(fresh('client'));
      await store().put(stored);
      const { secretHash: _hash, dialect: _dialect, ...rest } = stored;
      await store().put({ ...rest, metadata: {} });
      expect(await store().byId(stored.clientId)).to.deep.equal({ ...rest, metadata: {} });
    });

    it('lists all clients, and removes one, once', async () => {
      const stored = client(fresh('client'));
      await store().put(stored);
      expect((await store().list()).map((one) => one.clientId)).to.include(stored.clientId);
      expect(await store().remove(stored.clientId)).to.equal(true);
      expect(await store().remove(stored.clientId)).to.equal(false);
      expect(await store().byId(stored.clientId)).to.equal(undefined);
    });

    it('gives back copies', async () => {
      const stored = client(fresh('client'));
      await store().put(stored);
      (await store().byId(stored.clientId))?.introspects.push('changed');
      stored.revokes.push('changed');
      const again = await store().byId(stored.clientId);
      expect(again?.introspects).to.deep.equal(['a', 'b']);
      expect(again?.revokes).to.deep.equal([]);
    });

    it('X5 keeps clients apart whose ids are hostile', async () => {
      const names = hostileNames();
      for (const name of names) await store().put({ ...client(name), organization: name });
      for (const name of names) expect((await store().byId(name))?.organization === name).to.equal(true);
    });
  });
}
