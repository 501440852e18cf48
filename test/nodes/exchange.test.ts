/** M28 over nodes on MongoDB and Redis: what one node exchanged ends at all when an old app signs out at another. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { secretsFrom } from '../../src/core/crypto.ts';
import { TOKEN_EXCHANGE } from '../../src/model/client.ts';
import { createLog } from '../../src/observe/log.ts';
import { openStores } from '../../src/store/open-stores.ts';
import { basicAuth } from '../support/clients.ts';
import { inTime } from '../support/in-time.ts';
import { type Nodes, sharedNodes } from '../support/nodes.ts';
import { freshAddress, introspect, mara, type Reply, send, times } from './calls.ts';

const API = 'https://charts.nodes.test';
const MODULE = { clientId: 'nodes-module', secret: 'Pilot-Glacier-Saffron-91', redirectUri: '' };
const CHARTS = { clientId: 'nodes-charts', secret: 'Beacon-Thicket-Walrus-17', redirectUri: '' };

describe('token exchange over three nodes', function () {
  this.timeout(60_000);
  let nodes: Nodes;
  before(async function () {
    this.timeout(300_000);
    const started = await sharedNodes();
    if (!started) return this.skip();
    nodes = started;
    await addClients();
  });

  async function addClients(): Promise<void> {
    const { store } = parse(readFileSync(nodes.file, 'utf8'));
    const stores = await openStores(store, { log: createLog({ level: 'silent' }) });
    const secrets = secretsFrom(Buffer.from(nodes.key, 'base64'));
    const hashOf = ({ secret }: { secret: string }) => secrets.hmac('client-secret', secret);
    await stores.apis.put({
      ...{ id: CHARTS.clientId, identifier: API, scopes: { read: {} }, format: 'jwt', algorithm: 'ES256' },
      secretHash: hashOf(CHARTS),
    });
    const grants = { grant_types: [TOKEN_EXCHANGE, 'refresh_token'], redirect_uris: [], response_types: [] };
    await stores.clients.put({
      ...{ clientId: MODULE.clientId, organization: 'default', secretHash: hashOf(MODULE) },
      ...{ allOrganizations: false, firstParty: true, introspects: [], revokes: [] },
      metadata: { ...grants, exchanges: ['visitnote'], exchanges_offline: true, apis: { [API]: ['read'] } },
    });
    await stores.close();
  }

  const path = (name: string) => `${nodes.url}/api/therapist/v1/${name}`;
  const exchange = (token: string): Promise<Reply> =>
    send(`${nodes.url}/token`, {
      headers: { authorization: basicAuth(MODULE) },
      form: {
        ...{ grant_type: TOKEN_EXCHANGE, subject_token: token, resource: API, scope: 'read offline_access' },
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      },
    });
  const everywhere = (token: string) =>
    Promise.all(nodes.nodes.map(async ({ url }) => (await introspect(url, token, CHARTS)).active));

  it('M28 a sign-out at one node ends within a second, at all, what was exchanged at another', () =>
    inTime(async (watch) => {
      const json = { email: mara.login, password: mara.password };
      const signedIn = await send(path('sign-in'), { json, headers: freshAddress() });
      const { token } = (signedIn.json() as { data: { token: string } }).data;
      const replies = await times(6, () => exchange(token));
      const given = replies.map((reply) => reply.json() as Record<string, string>);
      expect(
        replies.map(({ status }) => status),
        replies[0]?.text,
      ).to.deep.equal(Array(6).fill(200));
      for (const { access_token = '' } of given)
        expect(await everywhere(access_token)).to.deep.equal([true, true, true]);
      const out = await send(path('logout'), {
        ...{ method: 'POST', headers: { authorization: `Bearer ${token}`, ...freshAddress() } },
      });
      expect(out.status).to.equal(200);
      const active = await watch.around('being dead everywhere', 1000, () =>
        Promise.all(given.map(({ access_token = '' }) => everywhere(access_token))),
      );
      expect(active.flat()).to.deep.equal(Array(18).fill(false));
      for (const { refresh_token: refresh = '' } of given) {
        const refreshed = await send(`${nodes.url}/token`, {
          headers: { authorization: basicAuth(MODULE) },
          form: { grant_type: 'refresh_token', refresh_token: refresh },
        });
        expect(refreshed.status).to.equal(400);
      }
    }));

  it('M28 of a sign-out beside an exchange, no token lives on, in 20 rounds', async () => {
    const json = { email: mara.login, password: mara.password };
    const signedIn = await times(20, async () => {
      const reply = await send(path('sign-in'), { json, headers: freshAddress() });
      return (reply.json() as { data: { token: string } }).data.token;
    });
    for (const token of signedIn) {
      const headers = { authorization: `Bearer ${token}`, ...freshAddress() };
      const [reply] = await Promise.all([exchange(token), send(path('logout'), { method: 'POST', headers })]);
      const { access_token: given } = reply.json() as { access_token?: string };
      if (given !== undefined) expect(await everywhere(given)).to.deep.equal([false, false, false]);
    }
  });
});
