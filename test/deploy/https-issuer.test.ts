import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect } from 'chai';
import { oidcAgain, oidcSignIn } from '../nodes/calls.ts';
import { freePort } from '../support/ports.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Nginx, nginxProgram, sendRaw, startNginx } from './nginx-server.ts';

describe('An https issuer behind nginx as shipped', function () {
  this.timeout(60_000);
  let nginx: Nginx;
  let server: TestServer;
  let issuer: string;
  const known = getCACertificates('default');
  before(async function () {
    const program = nginxProgram();
    if (!program) return this.skip();
    const port = await freePort();
    issuer = `https://localhost:${port}`;
    server = await startTestServer({ config: { issuer } });
    nginx = await startNginx(program, [server.running.port, server.running.port], port);
    setDefaultCACertificates([...known, nginx.certificate]);
  });
  after(async () => {
    setDefaultCACertificates(known);
    await nginx?.close();
    await server?.close();
  });

  it('is discovered under its own name, whatever Host a request has', async () => {
    const reply = await fetch(`${issuer}/.well-known/openid-configuration`);
    const metadata = (await reply.json()) as Record<string, string>;
    expect(metadata.issuer).to.equal(issuer);
    for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint'])
      expect(metadata[name]).to.match(new RegExp(`^${issuer}/`));
    const other = await sendRaw(
      nginx,
      'GET /.well-known/openid-configuration HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    );
    expect(other).to.contain(`"issuer":"${issuer}"`).and.not.to.contain('evil.example');
  });

  it('S2 sets cookies that only https carries, and no other host can set', async () => {
    const line = await oidcSignIn(issuer);
    const { cookies = [] } = (await line.session.jar.serialize()) ?? {};
    expect(cookies.map(({ key }) => key)).to.include('__Host-portico_session');
    for (const { key, secure, httpOnly, path, domain, hostOnly } of cookies) {
      expect({ secure, httpOnly, hostOnly, domain }, String(key)).to.deep.equal({
        ...{ secure: true, httpOnly: true, hostOnly: true, domain: 'localhost' },
      });
      expect(key).to.match(/^__(Host|Secure)-/);
      if (String(key).startsWith('__Host-')) expect(path).to.equal('/');
    }
  });

  it('lets a person sign in by the code flow, again from the session, and refreshes', async () => {
    const line = await oidcSignIn(issuer);
    expect(line.access).to.be.a('string');
    expect((await oidcAgain(line)).access).not.to.equal(line.access);
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: line.refresh });
    const reply = await fetch(`${issuer}/token`, {
      method: 'POST',
      body,
      headers: {
        authorization: `Basic ${Buffer.from('own-app:Lantern-Quartz-Harbour-17').toString('base64')}`,
      },
    });
    expect(reply.status).to.equal(200);
  });

  it('answers with HSTS, without the names of what answers', async () => {
    const reply = await fetch(`${issuer}/.well-known/openid-configuration`);
    expect(reply.headers.get('strict-transport-security')).to.match(/^max-age=\d{8,}/);
    expect(reply.headers.get('server')).to.equal('nginx');
    expect(reply.headers.get('x-powered-by')).to.equal(null);
  });

  it('R1 counts the client address that nginx saw, not the one a client claims', async () => {
    for (const claimed of ['198.51.100.1', '198.51.100.2']) {
      await fetch(`${issuer}/api_v3/users/login`, {
        method: 'POST',
        headers: { 'x-accountcode': 'clinicdev', 'x-forwarded-for': claimed, forwarded: `for=${claimed}` },
        body: new URLSearchParams({ username: 'nobody', password: 'wrong wrong wrong' }),
      });
    }
    const log = server.logText();
    expect(log).not.to.contain('198.51.100');
    expect(log).to.contain('127.0.0.1');
  });
});
