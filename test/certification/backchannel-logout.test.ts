/** As certification.test.ts, for the plan "backchannel-logout": its clients have an address for logout tokens. */
import { expect } from 'chai';
import { type LogoutReceiver, startLogoutReceiver, tellAt } from '../support/logout-receiver.ts';
import type { TestServer } from '../support/server.ts';
import { openWebSession } from '../support/web-session.ts';
import { FIRST, POST_LOGOUT, type Suite, startSuite } from './suite.ts';

describe('certification: backchannel-logout', () => {
  let server: TestServer;
  let suite: Suite;
  let receiver: LogoutReceiver;

  before(async () => {
    const started = await startSuite({ outbound: { allowPrivate: true } });
    server = started.server;
    suite = started.suites.query;
    receiver = await startLogoutReceiver(() => server.issuer);
    const { stores } = server.running;
    await tellAt(stores, receiver, FIRST.clientId, { backchannel_logout_session_required: true });
  });
  after(async () => {
    await server.close();
    await receiver.close();
  });

  it('oidcc-backchannel-logout-discovery-endpoint-verification: the metadata say so', () => {
    const { backchannel_logout_supported: logout, backchannel_logout_session_supported: session } =
      suite.metadata;
    expect([logout, session]).to.deep.equal([true, true]);
  });

  it('oidcc-backchannel-rp-initiated-logout: the client gets a logout token of its session', async () => {
    const browser = openWebSession();
    const { idToken, claims } = await suite.signIn({}, { browser });
    const query = { id_token_hint: idToken, post_logout_redirect_uri: POST_LOGOUT, state: 'st-1' };
    const at = await browser.open(`${suite.issuer}/logout?${new URLSearchParams(query)}`, [POST_LOGOUT]);
    expect(at).to.equal(`${POST_LOGOUT}?state=st-1`);
    const [told] = await receiver.until(FIRST.clientId);
    expect(told?.payload).to.include({ sid: claims.sid, sub: claims.sub });
    expect(claims.sid).to.be.a('string');
    expect(receiver.refused).to.deep.equal([]);
  });
});
