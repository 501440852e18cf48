/** How long a document about a client counts, what its end means, and what strangers can make the server fetch. */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import { type DocumentSite, startDocumentSite } from '../support/document-site.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import {
  API_SECRET,
  authorize,
  openApi,
  post,
  refreshByDocument,
  signInByDocument,
} from './document-flows.ts';

const OTHER = 'http://127.0.0.1/other';

describe('the copy of a client metadata document', () => {
  let site: DocumentSite;
  let server: TestServer;
  /** Seconds. */
  let later = 0;
  const clock = { now: () => new Date(Date.now() + later * 1000) };
  const start = (more: { folder?: string; limit?: number } = {}) =>
    startTestServer({
      ...{ clock, ...(more.folder !== undefined && { folder: more.folder }) },
      config: {
        oidc: { clientIdMetadataDocuments: { hosts: 'any', organization: 'default' } },
        ...{
          outbound: { allowPrivate: true },
          strangers: { clientDocuments: { limit: more.limit ?? 1000 } },
        },
      },
    });

  before(async () => {
    site = await startDocumentSite();
    server = await start();
    await openApi(server);
  });
  after(() => Promise.all([site.close(), server.close()]));

  const fetches = (at: string) => site.asked.filter((asked) => asked === at).length;
  /** The status of an authorization request, and what its page says. */
  async function ask(clientId: string, more: { at?: TestServer; address?: string; redirect?: string } = {}) {
    const { at = server, address, redirect } = more;
    const { url } = authorize(at.url, clientId, redirect === undefined ? {} : { redirect_uri: redirect });
    const headers = address === undefined ? {} : { 'x-forwarded-for': address };
    const reply = await fetch(url, { redirect: 'manual', headers });
    return { status: reply.status, page: await reply.text() };
  }
  const statusOf = async (...args: Parameters<typeof ask>) => (await ask(...args)).status;

  it('MCP4 counts as long as its max-age says, from a minute to a day, and is changed after that', async () => {
    const plain = { 'cache-control': 'public' };
    for (const [name, header, seconds] of [
      ['usual', { 'cache-control': 'public, max-age=120' }, 120],
      ['short', { 'cache-control': 'max-age=1' }, 60],
      ['never', { 'cache-control': 'no-store' }, 60],
      ['long', { 'cache-control': 'max-age=99999999' }, 86_400],
      ['silent', plain, 3600],
    ] as const) {
      const at = `/${name}.json`;
      const clientId = site.document(at, {}, header);
      const together = await Promise.all([1, 2, 3, 4, 5].map(() => statusOf(clientId)));
      expect(together, name).to.deep.equal([303, 303, 303, 303, 303]);
      expect(fetches(at), name).to.equal(1);
      site.document(at, { redirect_uris: [OTHER] }, header);
      later += seconds - 5;
      expect(await statusOf(clientId), name).to.equal(303);
      expect(fetches(at), name).to.equal(1);
      later += 10;
      expect(await statusOf(clientId), name).to.equal(400);
      expect(await statusOf(clientId, { redirect: OTHER }), name).to.equal(303);
      expect(fetches(at), name).to.equal(2);
    }
  });

  it('MCP4 is refused for half a minute where it was no good, and asked for again then', async () => {
    const clientId = site.document('/wrong.json', { client_secret: 'x' });
    const first = await Promise.all([1, 2, 3].map(() => statusOf(clientId)));
    expect(first).to.deep.equal([400, 400, 400]);
    site.document('/wrong.json');
    expect(await statusOf(clientId)).to.equal(400);
    expect(fetches('/wrong.json')).to.equal(1);
    later += 31;
    expect(await statusOf(clientId)).to.equal(303);
  });

  async function introspected(token: unknown) {
    const form = { token: String(token), client_id: 'mcp', client_secret: API_SECRET };
    return (await post(server, '/introspect', form)).body.active;
  }

  it('MCP4 ends the client when it is gone: no sign-in, no refresh, no active token', async () => {
    const clientId = site.document('/gone.json', {}, { 'cache-control': 'max-age=60' });
    const { body } = await signInByDocument(server, clientId);
    expect(await introspected(body.access_token)).to.equal(true);
    site.remove('/gone.json');
    later += 70;
    const refused = await refreshByDocument(server, clientId, body.refresh_token);
    expect([refused.status, refused.body.error]).to.deep.equal([400, 'invalid_client']);
    expect(refused.body.error_description).to.contain('answers 404');
    expect(await statusOf(clientId)).to.equal(400);
    // Introspection remembers a client for five seconds.
    later += 6;
    expect(await introspected(body.access_token)).to.equal(false);
    site.document('/gone.json');
    later += 31;
    expect((await refreshByDocument(server, clientId, body.refresh_token)).status).to.equal(200);
  });

  it('MCP4 counts for a day more while its host cannot be reached', async () => {
    const clientId = site.document('/down.json', {}, { 'cache-control': 'max-age=60' });
    let { body } = await signInByDocument(server, clientId);
    site.serve('/down.json', (request) => void request.socket.destroy());
    later += 70;
    for (const hours of [0, 12, 11]) {
      later += hours * 3600;
      const again = await refreshByDocument(server, clientId, body.refresh_token);
      expect(again.status, JSON.stringify(again.body)).to.equal(200);
      body = again.body;
    }
    const asked = fetches('/down.json');
    for (let each = 0; each < 5; each += 1) expect(await statusOf(clientId)).to.equal(303);
    expect(fetches('/down.json')).to.equal(asked);
    later += 2 * 3600;
    const refused = await refreshByDocument(server, clientId, body.refresh_token);
    expect(refused.body.error_description).to.contain('could not be fetched');
    site.document('/down.json');
    later += 31;
    expect((await refreshByDocument(server, clientId, body.refresh_token)).status).to.equal(200);
  });

  it('MCP4 is shared by all nodes, and outlives a restart', async () => {
    const clientId = site.document('/shared.json');
    expect(await statusOf(clientId)).to.equal(303);
    const other = await start({ folder: server.folder });
    expect(await statusOf(clientId, { at: other })).to.equal(303);
    expect(fetches('/shared.json')).to.equal(1);
    await other.close({ keepStore: true });
  });

  it('MCP6 B4 one address makes the server fetch so many documents, and one host is asked for no more', async () => {
    const small = await start({ limit: 3 });
    await openApi(small);
    const from = (address: string, name: string) =>
      statusOf(site.document(`/budget/${name}.json`, {}, { 'cache-control': 'max-age=60' }), {
        at: small,
        address,
      });
    for (const name of ['one', 'two', 'three']) expect(await from('192.0.2.1', name), name).to.equal(303);
    // Wherever the next one lies.
    const another = await startDocumentSite();
    const refused = await ask(another.document('/four.json'), { at: small, address: '192.0.2.1' });
    expect(refused.status).to.equal(429);
    expect(refused.page).to.contain('too many documents of clients');
    // The host of the first three has given all that it must, whoever asks, and at whichever port.
    const elsewhere = another.document('/five.json');
    expect(await statusOf(elsewhere, { at: small, address: '192.0.2.4' })).to.equal(429);
    expect(another.asked).to.deep.equal([]);
    await another.close();
    expect(await from('192.0.2.2', 'five')).to.equal(429);
    expect(fetches('/budget/five.json')).to.equal(0);
    // What is known goes on, also when it should be fetched again.
    expect(await from('192.0.2.1', 'one')).to.equal(303);
    later += 61;
    expect(await from('192.0.2.3', 'one')).to.equal(303);
    expect(fetches('/budget/one.json')).to.equal(1);
    const token = await post(small, '/token', {
      ...{ grant_type: 'refresh_token', refresh_token: 'x', client_id: site.document('/budget/six.json') },
    });
    expect(token.body.error).to.equal('temporarily_unavailable');
    await small.close();
  });

  it('MCP6 B4 leaves nothing behind of documents that are asked for no more', async () => {
    const count = () => {
      const database = new DatabaseSync(path.join(server.folder, 'portico.db'), { readOnly: true });
      const row = database
        .prepare("SELECT count(*) AS kept FROM oidc_records WHERE kind = 'ClientMetadataDocument'")
        .get();
      database.close();
      return Number(row?.kept);
    };
    const before = count();
    for (let each = 0; each < 30; each += 1) await statusOf(site.document(`/many/${each}.json`));
    await Promise.all(Array.from({ length: 30 }, (_each, at) => statusOf(`${site.url}/none/${at}.json`)));
    expect(count()).to.be.at.least(before + 30);
    await server.running.stores.sweep(new Date(clock.now().getTime() + 3 * 86_400_000));
    expect(count()).to.equal(0);
  });
});
