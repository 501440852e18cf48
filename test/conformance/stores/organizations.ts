import { expect } from 'chai';
import { type BackEnd, CALLS, countOf, fresh, hostileNames, type OpenBackEnd, times } from './back-end.ts';
import { type Racers, startRacers } from './racers.ts';

export function organizationStoreSuite(open: OpenBackEnd): void {
  describe('organizations', () => {
    let backEnd: BackEnd;
    let racers: Racers;
    const store = () => backEnd.stores.organizations;
    before(async () => {
      backEnd = await open();
      racers = await startRacers(backEnd);
    });
    after(async () => {
      await racers.close();
      await backEnd.close();
    });

    it('gives back every member as it was stored, and replaces it with the next put', async () => {
      const id = fresh('clinic');
      const host = `${id}.example`;
      const organization = {
        id,
        name: 'Clinic "North"\0',
        hosts: [host, `www.${host}`],
        branding: { colour: '#123' },
        vendor: { vsee: { 'a.b': [1, null], $c: true } },
      };
      expect(await store().put(organization)).to.equal('stored');
      expect(await store().byId(id)).to.deep.equal(organization);
      expect(await store().byHost(`www.${host}`)).to.deep.equal(organization);
      expect(await store().byHost(host.toUpperCase())).to.deep.equal(organization);
      const next = { id, name: 'North', hosts: [host], vendor: {} };
      expect(await store().put(next)).to.equal('stored');
      expect(await store().byId(id)).to.deep.equal(next);
      expect(await store().byHost(`www.${host}`)).to.equal(undefined);
    });

    it('refuses a host that another organization has, and changes nothing', async () => {
      const [one, two] = [fresh('one'), fresh('two')];
      await store().put({ id: one, name: 'One', hosts: [`${one}.example`], vendor: {} });
      await store().put({ id: two, name: 'Two', hosts: [`${two}.example`], vendor: {} });
      const greedy = { id: two, name: 'Greedy', hosts: [`new.${two}.example`, `${one}.example`], vendor: {} };
      expect(await store().put(greedy)).to.deep.equal({ taken: `host:${one}.example` });
      expect((await store().byId(two))?.name).to.equal('Two');
      expect((await store().byHost(`${one}.example`))?.id).to.equal(one);
      expect((await store().byHost(`${two}.example`))?.id).to.equal(two);
      expect(await store().byHost(`new.${two}.example`)).to.equal(undefined);
    });

    it('ORG2 gives an email domain to one organization, and tells it from a host of the same name', async () => {
      const [one, two] = [fresh('one'), fresh('two')];
      const domain = `${one}.example`;
      const first = { id: one, name: 'One', hosts: [], emailDomains: [domain], vendor: {} };
      expect(await store().put(first)).to.equal('stored');
      expect(await store().byEmailDomain(domain)).to.deep.equal(first);
      expect(await store().byHost(domain)).to.equal(undefined);
      const second = { id: two, name: 'Two', hosts: [domain], emailDomains: [], vendor: {} };
      expect(await store().put(second)).to.equal('stored');
      expect((await store().byHost(domain))?.id).to.equal(two);
      const greedy = { ...second, emailDomains: [`new.${two}.example`, domain] };
      expect(await store().put(greedy)).to.deep.equal({ taken: `email-domain:${domain}` });
      expect(await store().byId(two)).to.deep.equal(second);
      expect((await store().byEmailDomain(domain))?.id).to.equal(one);
      expect(await store().byEmailDomain(`new.${two}.example`)).to.equal(undefined);
      expect(await store().put({ ...first, emailDomains: [] })).to.equal('stored');
      expect(await store().byEmailDomain(domain)).to.equal(undefined);
      expect(await store().put(greedy)).to.equal('stored');
      expect((await store().byEmailDomain(domain))?.id).to.equal(two);
    });

    it(`X4 gives a host to one of ${CALLS} organizations that ask at once`, async () => {
      const host = `${fresh('host')}.example`;
      const ids = times(CALLS, (index) => fresh(`clinic-${index}`));
      const outcomes = await racers.race(
        'organizations.put',
        ids.map((id) => [{ id, name: id, hosts: [host], vendor: {} }]),
      );
      expect(countOf(outcomes, 'stored')).to.equal(1);
      expect((await store().byHost(host))?.id).to.equal(ids[outcomes.indexOf('stored')]);
    });

    it('lists all, and any number of them without a host', async () => {
      const ids = [fresh('a'), fresh('b')];
      for (const id of ids) await store().put({ id, name: id, hosts: [], vendor: {} });
      expect((await store().list()).map((organization) => organization.id)).to.include.members(ids);
    });

    it('X5 keeps organizations apart whose ids are hostile', async () => {
      const names = hostileNames();
      for (const name of names) await store().put({ id: name, name, hosts: [], vendor: {} });
      for (const name of names) expect((await store().byId(name))?.name === name).to.equal(true);
    });
  });
}
