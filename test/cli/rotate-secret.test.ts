/** A client gets a new secret while two nodes answer its requests. */
import path from 'node:path';
import { expect } from 'chai';
import { webApp, webAppPost } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

const DAY = 86_400_000;

describe('portico client rotate-secret', () => {
  let nodes: TestServer[];
  let terminal: Terminal;
  /** How far the nodes' clock is ahead. Milliseconds. */
  let ahead = 0;
  before(async () => {
    const clock = { now: () => new Date(Date.now() + ahead) };
    const first = await startTestServer({ clock });
    nodes = [first, await startTestServer({ clock, folder: first.folder })];
    terminal = openTerminal({
      store: { embedded: { file: path.join(first.folder, 'portico.db') } },
      keys: { encryption: Buffer.alloc(32, 7).toString('base64') },
    });
  });
  after(async () => {
    terminal.close();
    await nodes[1]?.close({ keepStore: true });
    await nodes[0]?.close();
  });

  async function done(...args: string[]) {
    const ran = await terminal.session(['client', ...args]);
    expect(ran.code, ran.stderr).to.equal(0);
    return ran;
  }

  async function refused(words: string, ...args: string[]) {
    const ran = await terminal.session(['client', ...args]);
    expect(ran.code).to.equal(1);
    expect(ran.stderr).to.contain(words);
  }

  const newSecret = async (...args: string[]) =>
    String((await done('rotate-secret', ...args, '--json')).json().clientSecret);

  /** Where the secret is accepted, over every node and every endpoint where clients authenticate. */
  async function accepted(clientId: string, secret: string, inBody = false): Promise<boolean> {
    const endpoints = {
      '/token': { grant_type: 'authorization_code', code: 'x', redirect_uri: webApp.redirectUri },
      ...{ '/introspect': { token: 'x' }, '/revoke': { token: 'x' }, '/device_authorization': {} },
      '/par': { response_type: 'code', redirect_uri: webApp.redirectUri, scope: 'openid' },
    };
    const answers = nodes.flatMap(({ url }) =>
      Object.entries(endpoints).map(async ([at, fields]) => {
        const body = new URLSearchParams(fields);
        const headers = new Headers();
        if (inBody) {
          body.set('client_id', clientId);
          body.set('client_secret', secret);
        } else headers.set('authorization', `Basic ${btoa(`${clientId}:${secret}`)}`);
        const answer = await fetch(url + at, { method: 'POST', body, headers });
        const { error } = JSON.parse((await answer.text()) || '{}') as { error?: string };
        return error !== 'invalid_client';
      }),
    );
    const all = [...new Set(await Promise.all(answers))];
    expect(all, 'every endpoint of every node says the same').to.have.length(1);
    return all[0] === true;
  }

  it('CMD2 keeps the old secret at every endpoint of every node until its date', async () => {
    const { clientId, secret: old = '' } = webApp;
    expect(await accepted(clientId, old)).to.equal(true);
    const fresh = await newSecret(clientId);
    ahead += 5_000;
    expect(await accepted(clientId, fresh)).to.equal(true);
    expect(await accepted(clientId, old)).to.equal(true);
    expect(await accepted(clientId, `${old}x`)).to.equal(false);
    await refused('has two secrets already', 'rotate-secret', clientId);
    ahead += 7 * DAY - 60_000;
    expect(await accepted(clientId, old)).to.equal(true);
    ahead += 60_000;
    expect(await accepted(clientId, old)).to.equal(false);
    expect(await accepted(clientId, fresh)).to.equal(true);
    ahead = 0;
  });

  it('CMD2 ends the old secret by a command, or at once, and writes it down', async () => {
    const { clientId, secret: old = '' } = webAppPost;
    const second = await newSecret(clientId, '--keep-old', '30d');
    ahead += 5_000;
    expect(await accepted(clientId, old, true)).to.equal(true);
    const shown = await done('show', clientId);
    expect(shown.stdout).to.match(/oldSecretUntil +20/);
    expect(shown.stdout).not.to.contain(second).and.not.to.match(/hash/i);
    await done('rotate-secret', clientId, '--end-old', '--dry-run');
    await done('set', clientId, '--name', 'Renamed');
    ahead += 5_000;
    expect(await accepted(clientId, old, true)).to.equal(true);
    await done('rotate-secret', clientId, '--end-old');
    ahead += 5_000;
    expect(await accepted(clientId, old, true)).to.equal(false);
    expect(await accepted(clientId, second, true)).to.equal(true);
    await refused('has one secret only', 'rotate-secret', clientId, '--end-old');
    await done('rotate-secret', clientId, '--dry-run');
    const third = await newSecret(clientId, '--keep-old', '0');
    ahead += 5_000;
    expect(await accepted(clientId, second, true)).to.equal(false);
    expect(await accepted(clientId, third, true)).to.equal(true);
    const { stdout } = await terminal.session(['audit', 'list', '--json', '--limit', '1000']);
    const events: { event: string; detail?: { client?: string } }[] = JSON.parse(stdout);
    const ofClient = events.filter(
      ({ detail, event }) => detail?.client === clientId && /secret/.test(event),
    );
    expect(ofClient.map(({ event }) => event)).to.have.members([
      ...['client-secret.rotate', 'client-secret.end', 'client-secret.rotate'],
    ]);
    expect(stdout).not.to.contain(third);
  });

  it('CMD2 says why there is nothing to rotate', async () => {
    await refused('has no secret. Give it one: portico client set spa --no-public', 'rotate-secret', 'spa');
    await refused('portico client list', 'rotate-secret', 'nobody');
    await refused('belongs to the dialect', 'rotate-secret', 'vsee-legacy');
    await refused('such as 24h or 7d', 'rotate-secret', webApp.clientId, '--keep-old', 'soon');
    await refused('not both', 'rotate-secret', webApp.clientId, '--keep-old', '1d', '--end-old');
  });

  it('CMD2 a seed file with the new secret lets the old one go on', async () => {
    const { clientId, secret: old = '' } = webAppPost;
    const client = { client_id: clientId, organization: 'default', redirect_uris: [webAppPost.redirectUri] };
    const file = (secret: string) =>
      terminal.write(
        'client.json',
        JSON.stringify({
          clients: [{ ...client, client_secret: secret, token_endpoint_auth_method: 'client_secret_post' }],
        }),
      );
    const seed = (secret: string) => terminal.session(['seed', file(secret)]);
    expect((await seed(old)).code).to.equal(0);
    const fresh = await newSecret(clientId);
    expect((await seed(fresh)).code).to.equal(0);
    ahead += 5_000;
    expect([await accepted(clientId, old, true), await accepted(clientId, fresh, true)]).to.deep.equal([
      true,
      true,
    ]);
    expect((await seed(old)).code).to.equal(0);
    ahead += 5_000;
    expect([await accepted(clientId, old, true), await accepted(clientId, fresh, true)]).to.deep.equal([
      true,
      false,
    ]);
  });
});
