import { expect } from 'chai';
import { freePort } from '../support/ports.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

describe('/metrics on the internal listener', () => {
  let server: TestServer;
  let internal: string;
  before(async () => {
    const port = await freePort();
    internal = `http://127.0.0.1:${port}`;
    server = await startTestServer({ config: { http: { internal: { port } } } });
  });
  after(() => server.close());

  async function signIn(password: string): Promise<number> {
    const { status } = await fetch(`${server.url}/api_v3/users/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-accountcode': 'clinicdev' },
      body: JSON.stringify({ username: 'pat@x.test', password }),
    });
    return status;
  }

  it('counts sign-ins by channel and outcome, emails, and requests', async () => {
    expect(await signIn('Willow-Compass-Ember-87')).to.equal(200);
    expect(await signIn('not-the-password')).to.equal(401);
    await fetch(`${server.url}/api_v3/users/reset_password`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-accountcode': 'clinicdev' },
      body: JSON.stringify({ email: 'pat@x.test' }),
    });
    await server.mail.take('pat@x.test');
    const figures = await (await fetch(`${internal}/metrics`)).text();
    expect(figures).to.contain('portico_sign_ins_total{channel="vsee",outcome="success"} 1');
    expect(figures).to.contain('portico_sign_ins_total{channel="vsee",outcome="refused"} 1');
    expect(figures).to.match(/portico_emails_total\{outcome="sent"\} [1-9]/);
    expect(figures).to.contain('portico_re_encryption_records_left 0');
    expect(figures).to.match(
      /portico_http_request_seconds_count\{method="POST",route="[^"]+",status="401"\} 1/,
    );
  });

  it('is not served to the public', async () => {
    expect((await fetch(`${server.url}/metrics`)).status).to.equal(404);
  });
});
