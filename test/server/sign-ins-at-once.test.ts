import { expect } from 'chai';
import { startTestServer } from '../support/server.ts';

describe('sign-ins at once', () => {
  it('wait for their turn to be hashed, while other requests are answered', async function () {
    this.timeout(60_000);
    const server = await startTestServer({ config: { hashing: { concurrency: 1, queue: 1 } } });
    try {
      const statuses: number[] = [];
      const signIn = async () => {
        const response = await fetch(`${server.url}/api_v3/users/login`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-accountcode': 'clinicdev' },
          body: JSON.stringify({ username: 'pat@x.test', password: 'Willow-Compass-Ember-87' }),
        });
        statuses.push(response.status);
        await response.arrayBuffer();
      };
      const signIns = Promise.all(Array.from({ length: 40 }, signIn));
      let answered = 0;
      while (statuses.length < 40) {
        const response = await fetch(`${server.url}/.well-known/openid-configuration`);
        await response.arrayBuffer();
        if (response.ok) answered += 1;
      }
      await signIns;
      const admitted = statuses.filter((status) => status === 200).length;
      expect(statuses.filter((status) => status !== 200 && status !== 503)).to.deep.equal([]);
      expect(admitted, 'one is hashed, one waits, and a later one may find a place').to.be.within(2, 39);
      expect(answered, 'at least one request for each password').to.be.greaterThan(admitted);
    } finally {
      await server.close();
    }
  });
});
