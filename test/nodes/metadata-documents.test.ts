/** A client that is named by its document, at two nodes on MongoDB and Redis. */
import { expect } from 'chai';
import { authorize, refreshByDocument, signInByDocument } from '../oidc/document-flows.ts';
import { type DocumentSite, startDocumentSite } from '../support/document-site.ts';
import { type Nodes, startNodes } from '../support/nodes.ts';
import { sharedServers } from '../support/servers.ts';

describe('clients by their documents at several nodes', function () {
  this.timeout(120_000);
  let nodes: Nodes;
  let site: DocumentSite;

  before(async function () {
    const servers = await sharedServers();
    if (!servers) return this.skip();
    site = await startDocumentSite();
    process.env.NODE_EXTRA_CA_CERTS = site.certificateFile;
    nodes = await startNodes({
      stores: { mongo: servers.mongo.url, redis: servers.redis.url },
      config: {
        oidc: { clientIdMetadataDocuments: { hosts: [site.host], organization: 'default' } },
        outbound: { allowPrivate: true },
      },
    }).finally(() => {
      delete process.env.NODE_EXTRA_CA_CERTS;
    });
  });
  after(() => Promise.all([nodes?.close(), site?.close()]));

  it('MCP4 one fetch serves all nodes, also when the one that made it was killed', async () => {
    const clientId = site.document('/quill.json');
    const signedIn = await signInByDocument(nodes, clientId, { scope: 'openid', resource: '' });
    expect(signedIn.status, JSON.stringify(signedIn.body)).to.equal(200);
    const [one, two] = nodes.nodes;
    if (one === undefined || two === undefined) throw new Error('There are two nodes.');
    await one.end('SIGKILL');
    const again = await refreshByDocument(two, clientId, signedIn.body.refresh_token, { resource: '' });
    expect(again.status, JSON.stringify(again.body)).to.equal(200);
    await two.end('SIGKILL');
    await Promise.all([one.start(), two.start()]);
    const { url } = authorize(one.url, clientId, { scope: 'openid', resource: '' });
    expect((await fetch(url, { redirect: 'manual' })).status).to.equal(303);
    expect(site.asked).to.deep.equal(['/quill.json']);
  });
});
