/** The device flow as a person and a television see it: openid-client is the television. */
import { expect } from 'chai';
import {
  type DeviceAuthorizationResponse,
  fetchUserInfo,
  initiateDeviceAuthorization,
  pollDeviceAuthorizationGrant,
} from 'openid-client';
import { tvApp } from '../support/clients.ts';
import { type RelyingParty, relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';

const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };

describe('connecting a device', () => {
  let server: TestServer;
  let tv: RelyingParty;

  before(async () => {
    server = await startTestServer();
    tv = await relyingParty(server.issuer, tvApp);
  });
  after(() => server.close());

  const start = () =>
    initiateDeviceAuthorization(tv.configuration, { scope: 'openid profile email offline_access' });

  /** Without the five seconds that a device waits. */
  const wait = (device: DeviceAuthorizationResponse) =>
    pollDeviceAuthorizationGrant(tv.configuration, { ...device, interval: 0.02 });

  function page(shown: Page | string): Page {
    if (typeof shown === 'string') throw new Error(`The browser was sent to ${shown}.`);
    return shown;
  }

  const phone = (address = '203.0.113.5') => openWebSession({ headers: { 'x-forwarded-for': address } });
  const open = async (session: WebSession, path = '/device') =>
    page(await session.open(server.issuer + path));
  const submit = async (session: WebSession, from: Page, fields: Record<string, string> = {}, form = 0) =>
    page(await session.submit(from, fields, { form: from.forms[form] as Page['forms'][number] }));

  it('goes from the code on the device to its tokens, by way of the phone', async () => {
    const device = await start();
    const tokens = wait(device);
    const session = phone();
    const entered = await submit(session, await open(session), {
      // As people type: small emails, no dash.
      user_code: device.user_code.toLowerCase().replace('-', ' '),
    });
    expect(entered.body).to.contain('TV App').and.contain(device.user_code);
    const signIn = await submit(session, entered);
    expect(signIn.body).to.contain('type="password"');
    const consent = await submit(session, signIn, MARA);
    expect(consent.body).to.contain('TV App asks for access');
    const done = await submit(session, consent);
    expect(done.body).to.contain('Your device is connected');
    const { access_token, refresh_token } = await tokens;
    expect(refresh_token).to.be.a('string');
    const subject = (await tokens).claims()?.sub ?? '';
    const person = await fetchUserInfo(tv.configuration, access_token, subject);
    expect(person.email).to.equal(MARA.login);
  });

  it('CL10 reads a code as people paste it, and shows it as the device does', async () => {
    const device = await start();
    const session = phone('203.0.113.16');
    const fullWidth = [...device.user_code.replace('-', '\u2013')]
      .map((sign) => (/[A-Z]/.test(sign) ? String.fromCodePoint(sign.charCodeAt(0) + 0xfee0) : sign))
      .join('');
    const entered = await submit(session, await open(session), { user_code: `\u200b${fullWidth}.` });
    expect(entered.body).to.contain('TV App').and.contain(device.user_code);
    expect((await submit(session, entered)).body).to.contain('type="password"');
  });

  it('asks who is signed in already for no more than a yes', async () => {
    const session = phone();
    for (const round of ['first', 'second']) {
      const device = await start();
      const pages = [await submit(session, await open(session, `/device?user_code=${device.user_code}`))];
      const press = async (fields = {}) => {
        const [last] = pages.slice(-1);
        if (last !== undefined) pages.push(await submit(session, last, fields));
        return pages.at(-1)?.body ?? '';
      };
      let body = await press();
      if (round === 'first') body = await press(MARA);
      if (body.includes('asks for access')) body = await press();
      expect(body, round).to.contain('Your device is connected');
      // CL9: a second press says so again.
      const [before] = pages.slice(-2);
      const again = before && (await submit(session, before));
      expect(again?.body, round).to.contain('Your device is connected');
      expect((await wait(device)).access_token).to.be.a('string');
    }
  });

  it('says what is wrong with a code, and asks again', async () => {
    const session = phone('203.0.113.6');
    const first = await open(session);
    for (const [code, words] of [
      ['', 'Please enter the code'],
      ['BBBB-BBBB', 'We do not know this code'],
      ['"><svg onload=1>', 'We do not know this code'],
    ] as const) {
      const reply = await submit(session, first.status === 200 ? await open(session) : first, {
        user_code: code,
      });
      expect(reply.status).to.equal(400);
      expect(reply.body).to.contain(words).and.contain('role="alert"').and.not.contain('<svg onload');
      expect(reply.body)
        .to.contain('aria-invalid="true"')
        .and.match(/aria-describedby="alert hint"/);
      expect(reply.forms[0]?.names).to.include('user_code');
    }
  });

  it('says that a code was used, and tells the device of a no', async () => {
    const device = await start();
    const session = phone('203.0.113.7');
    const entered = await submit(session, await open(session), { user_code: device.user_code });
    const stopped = await submit(session, entered, {}, 1);
    expect(stopped.body).to.contain('Nothing was connected').and.contain('href="/device"');
    const again = await submit(session, await open(session), { user_code: device.user_code });
    expect(again.body).to.contain('has been used already or has expired');
    const told = await wait(device).catch((error: { error?: string }) => error);
    expect(told).to.have.property('error', 'access_denied');
  });

  it('lets go back from the sign-in, and says that nothing was connected', async () => {
    const device = await start();
    const session = phone('203.0.113.8');
    const entered = await submit(session, await open(session), { user_code: device.user_code });
    const signIn = await submit(session, entered);
    const cancel = signIn.forms.findIndex(({ action }) => action.endsWith('/cancel'));
    expect(signIn.body).to.contain('Do not connect').and.not.contain('Back to');
    const stopped = await submit(session, signIn, {}, cancel);
    expect(stopped.body).to.contain('Nothing was connected').and.contain('href="/device"');
    const again = await open(session, new URL(signIn.url).pathname);
    expect(again.body).to.contain('Nothing was connected');
    // What comes to a sign-in that never was is led to the next code, not to an app.
    const gone = await open(session, '/interaction/gone');
    expect(gone.status).to.equal(410);
    expect(gone.body).to.contain('Start again on your device').and.contain('href="/device"');
    const told = await wait(device).catch((error: { error?: string }) => error);
    expect(told).to.have.property('error', 'access_denied');
  });

  it('finds its way when cookies are blocked or the page was open for too long', async () => {
    const device = await start();
    const shown = await open(phone('203.0.113.9'));
    const fresh = phone('203.0.113.9');
    const lost = await submit(fresh, shown, { user_code: device.user_code });
    expect(lost.status).to.equal(400);
    expect(lost.body).to.contain('allow cookies');
    // The form asks for a page of its own now, with the code still in it.
    const again = await submit(fresh, lost, { user_code: device.user_code });
    expect(again.forms[0]?.fields.user_code).to.equal(device.user_code);
    expect((await submit(fresh, again)).body).to.contain('TV App');
  });

  it('C1 a locked login is locked here too', async () => {
    const address = '203.0.113.66';
    const session = phone(address);
    const device = await start();
    const entered = await submit(session, await open(session), { user_code: device.user_code });
    let at = await submit(session, entered);
    for (let i = 0; i < 10; i += 1)
      at = await submit(session, at, { login: MARA.login, password: 'Not-The-Password-11' });
    expect((await submit(session, at, MARA)).status).to.equal(429);
  });

  it('L2 leaves no code in the log', async () => {
    const device = await start();
    const session = phone('203.0.113.10');
    await submit(session, await open(session, `/device?user_code=${device.user_code}`));
    const log = server.logText();
    for (const secret of [device.user_code, device.user_code.replace('-', ''), device.device_code])
      expect(log).to.not.contain(secret);
  });
});
