/** What the connection to MongoDB asks of every write; what a server makes of it is the suites' to see. */
import { expect } from 'chai';
import { mongoClient, patientMongoClient } from '../../src/store/mongo/connection.ts';

describe('the connection to MongoDB', () => {
  for (const [who, connect] of Object.entries({
    'the server': mongoClient,
    migrations: patientMongoClient,
  })) {
    for (const query of [
      '',
      '?w=1',
      '?w=0&readPreference=secondary',
      '?journal=false&readConcernLevel=local',
    ]) {
      it(`X6 of ${who} waits for a majority, also with ${query || 'a plain URL'}`, () => {
        const { options } = connect(`mongodb://127.0.0.1:27017/portico${query}`);
        expect(options.writeConcern?.w).to.equal('majority');
        expect(options.writeConcern?.journal).to.equal(true);
        expect(options.readConcern?.level).to.equal('majority');
      });
    }
  }

  it('X6 of the server asks the primary alone', () => {
    const { options } = mongoClient('mongodb://127.0.0.1:27017/portico?readPreference=secondary');
    expect(options.readPreference.mode).to.equal('primary');
  });
});
