import { expect } from 'chai';
import {
  changeStageRecord,
  readStageRecord,
  type Stage,
  type StagePlace,
  withStage,
} from '../../src/migration/stage-record.ts';
import { openStages } from '../../src/migration/stages.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

describe('M1 the stage of a dialect', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.close());

  const metadata = () => server.running.stores.metadata;
  let now = new Date('2026-06-01T00:00:00Z');
  const open = (configured: Parameters<typeof openStages>[0]['configured']) =>
    openStages({ metadata: metadata(), clock: { now: () => now }, configured });
  const set = (dialect: string, place: StagePlace, stage: Stage | undefined) =>
    changeStageRecord(metadata(), dialect, (record) => withStage(record, place, stage));

  it('is the configuration’s until the first command, and then the most specific one', async () => {
    const stages = await open(new Map([['vendor', { stage: 'proxy' }]]));
    const pilot = { organization: 'pilot', endpoint: 'GET /me' };
    const other = { organization: 'other', endpoint: 'GET /me' };
    expect(stages.of('vendor')).to.equal('proxy');
    expect(stages.differByOrganization('vendor')).to.equal(false);
    const steps: [StagePlace, Stage | undefined, Stage, Stage][] = [
      [{}, 'shadow', 'shadow', 'shadow'],
      [{ endpoint: 'GET /me' }, 'primary', 'primary', 'primary'],
      [{ organization: 'pilot' }, 'standalone', 'standalone', 'primary'],
      [pilot, 'proxy', 'proxy', 'primary'],
      [pilot, undefined, 'standalone', 'primary'],
      [{ organization: 'pilot' }, undefined, 'primary', 'primary'],
      [{ endpoint: 'GET /me' }, undefined, 'shadow', 'shadow'],
      [{}, undefined, 'proxy', 'proxy'],
    ];
    for (const [place, stage, ofPilot, ofOther] of steps) {
      await set('vendor', place, stage);
      await stages.refresh();
      const at = JSON.stringify([place, stage]);
      expect([stages.of('vendor', pilot), stages.of('vendor', other)], at).to.deep.equal([ofPilot, ofOther]);
      expect(stages.of('vendor', { endpoint: 'POST /login' }), at).to.equal(
        place.endpoint === undefined && place.organization === undefined ? (stage ?? 'proxy') : 'shadow',
      );
    }
    expect((await readStageRecord(metadata(), 'vendor')).stages).to.deep.equal({});
  });

  it('is nothing for a dialect without a legacy system, and outside of its organizations', async () => {
    const stages = await open(new Map([['vendor', { stage: 'primary', organizations: ['pilot'] }]]));
    expect(stages.of('another')).to.equal(undefined);
    expect(stages.of('vendor', { organization: 'other' })).to.equal(undefined);
    expect(stages.of('vendor', { organization: 'pilot' })).to.equal('primary');
    expect(stages.differByOrganization('vendor')).to.equal(true);
  });

  it('loses no change of operators who change it at once', async () => {
    const organizations = Array.from({ length: 20 }, (_, index) => `clinic-${index}`);
    await Promise.all(organizations.map((organization) => set('busy', { organization }, 'primary')));
    const { stages } = await readStageRecord(metadata(), 'busy');
    expect(Object.keys(stages).sort()).to.deep.equal(organizations.sort());
  });

  it('lets the legacy system count as away until a moment', async () => {
    const stages = await open(new Map([['away', { stage: 'primary' }]]));
    await changeStageRecord(metadata(), 'away', (record) => ({
      ...record,
      awayUntil: '2026-06-01T00:10:00Z',
    }));
    expect(stages.isAway('away')).to.equal(false);
    await stages.refresh();
    expect(stages.isAway('away')).to.equal(true);
    now = new Date('2026-06-01T00:10:00Z');
    expect(stages.isAway('away')).to.equal(false);
  });
});
