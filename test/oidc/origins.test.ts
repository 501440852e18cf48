/** Which web origins may read what the server answers to a client. */
import { expect } from 'chai';
import {
  Browser,
  basic,
  codeFor,
  openWorld,
  post,
  type Tokens,
  userinfo,
  WEB,
  type World,
} from './support.ts';

const NATIVE = [
  'capacitor://localhost',
  'app://',
  'app://-',
  'chrome-extension://abcdefghijklmnop',
  'https://shell.test',
];
const FOREIGN = [
  'https://evil.test',
  'http://app.test',
  'https://app.test:8443',
  'capacitor://evil',
  'app://localhost',
];

describe('web origins', () => {
  let world: World;
  before(async () => {
    world = await openWorld();
    for (const clientId of ['shell', 'confidential-shell']) {
      const isPublic = clientId === 'shell';
      await world.putClient({
        ...{ clientId, traits: { firstParty: true } },
        ...(isPublic ? {} : { secret: 'shell-secret' }),
        metadata: {
          grant_types: ['authorization_code', 'refresh_token'],
          ...(isPublic && { token_endpoint_auth_method: 'none' }),
          allowed_origins: [...NATIVE, 'null'],
        },
      });
    }
  });
  after(() => world.close());

  const readableBy = ({ headers }: { headers: Headers }) => headers.get('access-control-allow-origin');

  /** One request to each endpoint that answers a client, with its own credentials. */
  async function everywhere(clientId: string, origin: string, headers: Record<string, string> = {}) {
    const own = { client_id: clientId };
    const from = { ...headers, origin };
    const request = { response_type: 'code', redirect_uri: 'https://app.test/callback', scope: 'openid' };
    const pkce = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' };
    const form = { grant_type: 'refresh_token', refresh_token: 'x' };
    return {
      '/token': await post(world, '/token', { ...form, ...own }, from),
      '/revoke': await post(world, '/revoke', { token: 'x', ...own }, from),
      '/par': await post(world, '/par', { ...request, ...pkce, ...own }, from),
    };
  }

  it('CL6 a browser application reads answers from its own pages only', async () => {
    for (const [path, reply] of Object.entries(await everywhere('spa', 'https://app.test'))) {
      expect(readableBy(reply), path).to.equal('https://app.test');
    }
    for (const origin of [...FOREIGN, ...NATIVE, 'null']) {
      for (const [path, reply] of Object.entries(await everywhere('spa', origin))) {
        expect(readableBy(reply), `${path} ${origin}`).to.equal(null);
        expect(reply.body.error, `${path} ${origin}`).to.equal('invalid_request');
      }
    }
  });

  it('CL6 an app in a shell reads answers from the origins that are registered for it', async () => {
    for (const origin of NATIVE) {
      for (const [path, reply] of Object.entries(await everywhere('shell', origin))) {
        expect(readableBy(reply), `${path} ${origin}`).to.equal(origin);
        expect(reply.body.error, `${path} ${origin}`).to.equal(
          path === '/token' ? 'invalid_grant' : undefined,
        );
      }
    }
    for (const origin of [...FOREIGN, 'null']) {
      for (const [path, reply] of Object.entries(await everywhere('shell', origin))) {
        expect(readableBy(reply), `${path} ${origin}`).to.equal(null);
        expect(reply.body.error, `${path} ${origin}`).to.equal('invalid_request');
      }
    }
  });

  it('CL6 reads userinfo with the app’s token from the same origins', async () => {
    const code = await codeFor(new Browser(world, 'nora'), { client_id: 'shell' });
    const form = { grant_type: 'authorization_code', code, client_id: 'shell' };
    const verifier = 'a-verifier-of-more-than-forty-three-characters-1234';
    const { body } = await post(
      world,
      '/token',
      { ...form, redirect_uri: 'https://app.test/callback', code_verifier: verifier },
      { origin: 'capacitor://localhost' },
    );
    const { access_token: token } = body as unknown as Tokens;
    const own = await userinfo(world, token, { origin: 'capacitor://localhost' });
    expect([own.status, readableBy(own)]).to.deep.equal([200, 'capacitor://localhost']);
    const other = await userinfo(world, token, { origin: 'https://evil.test' });
    expect([other.status, readableBy(other)]).to.deep.equal([400, null]);
  });

  it('CL6 a confidential client’s server is answered whatever Origin it sends, and no page may read that', async () => {
    for (const origin of [...FOREIGN, 'https://app.test']) {
      const replies = await everywhere('web', origin, WEB);
      expect(replies['/token'].body.error).to.equal('invalid_grant');
      expect([replies['/revoke'].status, replies['/par'].status]).to.deep.equal([200, 201]);
      for (const [path, reply] of Object.entries(replies)) expect(readableBy(reply), path).to.equal(null);
    }
    const withheld = await everywhere('web', 'null', WEB);
    for (const [path, reply] of Object.entries(withheld)) {
      expect(readableBy(reply), path).to.equal(null);
      expect(reply.body.error, path).to.equal('invalid_request');
    }
    const machine = { grant_type: 'client_credentials' };
    const headers = { ...basic('machine', 'machine-secret'), origin: 'https://backend.test' };
    expect((await post(world, '/token', machine, headers)).status).to.equal(200);
  });

  it('CL6 what is registered for a confidential client may read its answers too, but null never', async () => {
    const secret = basic('confidential-shell', 'shell-secret');
    for (const reply of Object.values(await everywhere('confidential-shell', 'app://', secret))) {
      expect(readableBy(reply)).to.equal('app://');
    }
    for (const reply of Object.values(await everywhere('confidential-shell', 'null', secret))) {
      expect([readableBy(reply), reply.body.error]).to.deep.equal([null, 'invalid_request']);
    }
  });
});
