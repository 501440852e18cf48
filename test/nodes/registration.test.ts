/** Clients that register themselves, at two nodes on MongoDB and Redis. */
import { expect } from 'chai';
import { INES } from '../support/client-app.ts';
import { type Nodes, startNodes } from '../support/nodes.ts';
import { relyingParty, signIn } from '../support/relying-party.ts';
import { sharedServers } from '../support/servers.ts';

const CALLBACK = 'https://app.example/callback';
const APP = { redirect_uris: [CALLBACK], client_name: 'Reading list' };
const MOST = 12;

interface Registered {
  readonly client_id: string;
  readonly client_secret: string;
  readonly registration_access_token: string;
}

describe('registration at several nodes', function () {
  this.timeout(120_000);
  let nodes: Nodes;

  before(async function () {
    const servers = await sharedServers();
    if (!servers) return this.skip();
    nodes = await startNodes({
      stores: { mongo: servers.mongo.url, redis: servers.redis.url },
      config: {
        oidc: { registration: { mode: 'open', organization: 'default', most: MOST } },
        strangers: { registrations: { limit: 1000 } },
      },
    });
  });
  after(() => nodes?.close());

  const post = (at: string) =>
    fetch(`${at}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(APP),
    });
  const call = (at: string, made: Registered, method: string, body?: object) =>
    fetch(`${at}/register/${made.client_id}`, {
      method,
      headers: {
        authorization: `Bearer ${made.registration_access_token}`,
        'content-type': 'application/json',
      },
      ...(body && { body: JSON.stringify({ ...APP, ...body, client_id: made.client_id }) }),
    });

  it('REG11 each node knows at once what the other was told, also after it was killed', async () => {
    const [one, two] = nodes.nodes;
    if (one === undefined || two === undefined) throw new Error('There are two nodes.');
    const made = (await (await post(one.url)).json()) as Registered;
    const party = await relyingParty(nodes.issuer, {
      ...{ clientId: made.client_id, secret: made.client_secret, redirectUri: CALLBACK },
    });
    const { tokens } = await signIn(party, INES);

    const changed = await call(two.url, made, 'PUT', { client_name: 'Reading list 2' });
    expect(changed.status).to.equal(200);
    const now = { ...made, ...((await changed.json()) as Registered) };
    expect(await (await call(one.url, now, 'GET')).json()).to.include({ client_name: 'Reading list 2' });
    expect((await call(one.url, made, 'GET')).status).to.equal(401);

    await one.end('SIGKILL');
    await one.start();
    expect((await call(one.url, now, 'GET')).status).to.equal(200);
    expect((await call(two.url, now, 'DELETE')).status).to.equal(204);
    for (const { url } of nodes.nodes) {
      const headers = { authorization: `Bearer ${tokens.access_token}` };
      expect((await fetch(`${url}/userinfo`, { headers })).status).to.equal(401);
      expect((await call(url, now, 'GET')).status).to.equal(401);
    }
  });

  it('REG11 the cap holds for all nodes together', async () => {
    const urls = Array.from({ length: 40 }, (_, i) => nodes.nodes[i % 2]?.url ?? '');
    const statuses = await Promise.all(urls.map(async (url) => (await post(url)).status));
    expect(statuses.filter((status) => status === 201)).to.have.length(MOST);
    expect(new Set(statuses)).to.deep.equal(new Set([201, 429]));
  });
});
