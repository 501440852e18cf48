import { expect } from 'chai';
import { startTestServer } from '../../support/server.ts';
import { clientOf } from './client.ts';
import { accessOf, DROPPED, gmail, signInWithGoogle } from './google.ts';

const DASHBOARD = 'https://web.avycenna.com/dashboard';
const INVALID_STATE = '{"detail":"Invalid OAuth state"}';

describe('AVYCENNA with Google, elsewhere', () => {
  it('keeps what the dashboard has in its query, and says which hosts share the cookies', async () => {
    const dashboardUrl = 'https://dash.avycenna.test/in?tab=a%20b#top';
    const server = await startTestServer({
      config: {
        dialects: { avycenna: { dashboardUrl, cookieDomain: 'avycenna.test', defaultRole: 'patient' } },
      },
    });
    try {
      const landing = await signInWithGoogle(server, gmail('domain'));
      expect(landing.location).to.equal(dashboardUrl);
      expect(landing.cookies.slice(1).map((line) => line.replace(/=[^;]+/, ''))).to.deep.equal([
        'access_token; Max-Age=900; Path=/; Domain=avycenna.test; HttpOnly; SameSite=Lax',
        'refresh_token; Max-Age=2592000; Path=/; Domain=avycenna.test; HttpOnly; SameSite=Lax',
      ]);
      expect(landing.cookies[0]).to.equal(DROPPED);
      const me = (await clientOf(server).me(accessOf(landing))).json() as { user: { role: string } };
      expect(me.user.role).to.equal('patient');
      const refused = await signInWithGoogle(server, 'denied');
      expect(refused.location).to.match(
        /^https:\/\/dash\.avycenna\.test\/in\?tab=a(%20|\+)b&error=access_denied#top$/,
      );
    } finally {
      await server.close();
    }
  });

  it('marks every cookie Secure behind https', async () => {
    const server = await startTestServer({ config: { issuer: 'https://id.portico.test' } });
    try {
      const client = clientOf(server);
      const begun = await client.get('/auth/oauth/google');
      expect(begun.cookies[0]).to.match(/; HttpOnly; Secure; SameSite=Lax$/);
      expect(new URL(begun.headers.location ?? '').searchParams.get('redirect_uri')).to.equal(
        'https://id.portico.test/api/v1/auth/oauth/google/callback',
      );
      const landing = await signInWithGoogle(server, gmail('secure'));
      expect(landing.location).to.equal(DASHBOARD);
      for (const cookie of landing.cookies) expect(cookie).to.contain('; HttpOnly; Secure; SameSite=Lax');
    } finally {
      await server.close();
    }
  });

  it('is not found where Google is not configured, and no state is good there', async () => {
    const server = await startTestServer({ config: { federation: { google: { enabled: false } } } });
    try {
      const client = clientOf(server);
      const begun = await client.get('/auth/oauth/google');
      expect([begun.status, begun.text, begun.cookies]).to.deep.equal([404, '{"detail":"Not Found"}', []]);
      const back = await client.get('/auth/oauth/google/callback?code=x&state=y');
      expect([back.status, back.text, back.cookies]).to.deep.equal([400, INVALID_STATE, [DROPPED]]);
    } finally {
      await server.close();
    }
  });
});
