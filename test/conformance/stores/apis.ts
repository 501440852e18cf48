import { expect } from 'chai';
import type { ApiRecord } from '../../../src/model/api.ts';
import { type BackEnd, fresh, hostileNames, type OpenBackEnd } from './back-end.ts';

export function apiStoreSuite(open: OpenBackEnd): void {
  describe('APIs', () => {
    let backEnd: BackEnd;
    const store = () => backEnd.stores.apis;
    before(async () => {
      backEnd = await open();
    });
    after(() => backEnd.close());

    const api = (id: string): ApiRecord => ({
      id,
      identifier: `https://${id}.example`,
      name: { en: 'Records', de: 'Akten' },
      organization: 'clinic',
      scopes: { read: { description: 'Read records' }, 'write.$all': { roles: ['admin'] } },
      format: 'jwt',
      algorithm: 'RS256',
      lifetime: 300,
      claims: { mail: 'email' },
      secretHash: 'hash',
    });

    it('gives back every member as it was stored, by id and by identifier', async () => {
      const stored = api(fresh('api'));
      expect(await store().put(stored)).to.equal('stored');
      expect(await store().byId(stored.id)).to.deep.equal(stored);
      expect(await store().byIdentifier(stored.identifier)).to.deep.equal(stored);
    });

    it('replaces the whole API with the next put, its identifier too', async () => {
      const stored = api(fresh('api'));
      await store().put(stored);
      const { secretHash: _hash, claims: _claims, ...rest } = stored;
      const moved = { ...rest, identifier: `${stored.identifier}/v2` };
      expect(await store().put(moved)).to.equal('stored');
      expect(await store().byId(stored.id)).to.deep.equal(moved);
      expect(await store().byIdentifier(moved.identifier)).to.deep.equal(moved);
      expect(await store().byIdentifier(stored.identifier)).to.equal(undefined);
    });

    it('gives an identifier to one API', async () => {
      const [first, second] = [api(fresh('api')), api(fresh('api'))];
      await store().put(first);
      const same = { ...second, identifier: first.identifier };
      expect(await store().put(same)).to.deep.equal({ taken: 'identifier' });
      expect(await store().byId(second.id)).to.equal(undefined);
      await store().put(second);
      expect(await store().put(same)).to.deep.equal({ taken: 'identifier' });
      expect(await store().byId(second.id)).to.deep.equal(second);
      const rivals = Array.from({ length: 6 }, () => ({ ...api(fresh('api')), identifier: fresh('urn:x') }));
      const wanted = { identifier: fresh('urn:one') };
      const outcomes = await Promise.all(rivals.map((rival) => store().put({ ...rival, ...wanted })));
      expect(outcomes.filter((outcome) => outcome === 'stored')).to.have.length(1);
    });

    it('stores one API that several callers put at once', async () => {
      const stored = api(fresh('api'));
      const outcomes = await Promise.all(Array.from({ length: 6 }, () => store().put(stored)));
      expect(new Set(outcomes)).to.deep.equal(new Set(['stored']));
    });

    it('lists all APIs, and removes one, once', async () => {
      const stored = api(fresh('api'));
      await store().put(stored);
      expect((await store().list()).map(({ id }) => id)).to.include(stored.id);
      expect(await store().remove(stored.id)).to.equal(true);
      expect(await store().remove(stored.id)).to.equal(false);
      expect(await store().byId(stored.id)).to.equal(undefined);
      expect(await store().byIdentifier(stored.identifier)).to.equal(undefined);
    });

    it('X5 keeps APIs apart whose names are hostile', async () => {
      const names = hostileNames();
      for (const name of names) {
        expect(await store().put({ ...api(name), identifier: name })).to.equal('stored');
      }
      for (const name of names) {
        expect((await store().byId(name))?.identifier === name).to.equal(true);
        expect((await store().byIdentifier(name))?.id === name).to.equal(true);
      }
    });
  });
}
