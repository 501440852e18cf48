import { expect } from 'chai';
import { refusal } from '../identity/world.ts';
import { startTestServer } from '../support/server.ts';

/** Takes forty times as long as one of ours. */
const COSTLY = `$argon2id$v=19$m=65536,t=24,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

describe('passwords that are hashed at once', () => {
  it('are bounded, and other requests are answered meanwhile', async function () {
    this.timeout(60_000);
    const server = await startTestServer({ config: { hashing: { concurrency: 1, queue: 1 } } });
    try {
      const { hasher } = server.running.identity;
      let ended = 0;
      const check = () => hasher.verify('any', COSTLY).finally(() => (ended += 1));
      const [one, waiting] = [check(), check()];
      expect(await refusal(hasher.verify('any', COSTLY))).to.equal('unavailable');
      const signIn = await fetch(`${server.url}/api_v3/users/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-accountcode': 'clinicdev' },
        body: JSON.stringify({ username: 'pat@x.test', password: 'Willow-Compass-Ember-87' }),
      });
      expect(signIn.status).to.equal(503);
      const discovery = await fetch(`${server.url}/.well-known/openid-configuration`);
      expect(discovery.status).to.equal(200);
      expect(ended, 'hashes that were done before').to.be.lessThan(2);
      await Promise.all([one, waiting]);
    } finally {
      await server.close();
    }
  });
});
