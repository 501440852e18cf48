/** Who may open an account while people of a legacy system have not come yet, by what its roster says. */
import { expect } from 'chai';
import { registrationOf } from '../../src/identity/legacy/ask-registration.ts';
import { declareComplete } from '../../src/identity/legacy/complete-rosters.ts';
import { fakeLegacy, together } from './legacy-fake.ts';
import { openWorld, refusal } from './world.ts';

describe('registration by a roster', () => {
  it('M9 is closed until the roster of each legacy system is complete', async () => {
    const systems = ['visitnote', 'vsee'].map((dialect) => fakeLegacy(dialect, { registration: 'roster' }));
    const world = await openWorld({ legacy: together(...systems) });
    try {
      const { metadata } = world.identity.stores;
      const at = new Date('2030-01-01');
      const register = () =>
        registrationOf(world.identity, { organization: 'north', email: 'new@north.example' });
      expect(await refusal(register())).to.equal('unavailable');
      await declareComplete(metadata, { organization: 'north', dialect: 'visitnote', file: 'x', at });
      await declareComplete(metadata, { organization: 'south', dialect: 'vsee', file: 'x', at });
      expect(await refusal(register())).to.equal('unavailable');
      await declareComplete(metadata, { organization: 'north', dialect: 'vsee', file: 'x', at });
      expect(await register()).to.equal('open');
    } finally {
      await world.close();
    }
  });
});
