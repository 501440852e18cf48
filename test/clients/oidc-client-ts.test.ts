/** oidc-client-ts in Chromium, the last two of its major versions: all of it runs in the page. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import express from 'express';
import { enter, type Journeys, startJourneys } from '../browser/journey.ts';
import type { Page } from '../support/browser.ts';
import { INES, rehome, type Served, serve } from '../support/client-app.ts';
import { spa } from '../support/clients.ts';

const VERSIONS = [
  { name: 'oidc-client-ts', main: import.meta.resolve('oidc-client-ts'), roles: INES.roles },
  // Version 2 makes a list of one its only member where it joins the ID token and userinfo. Its pop-up answers by
  // window.opener.
  { name: 'oidc-client-ts 2', main: import.meta.resolve('oidc-client-ts-2'), roles: INES.roles[0] },
];

for (const { name, main, roles } of VERSIONS) {
  describe(name, () => {
    let journeys: Journeys;
    let site: Served;

    before(async () => {
      journeys = await startJourneys();
      const app = express();
      app.use('/lib', express.static(path.join(fileURLToPath(main), '../../browser')));
      site = await serve(app);
      app.get('/*page', (_request, response) => void response.send(pageOfApp()));
      await rehome(journeys.server, spa, site.url);
    });
    afterEach(() => journeys.settle());
    after(() => Promise.all([site.close(), journeys.close()]));

    function pageOfApp(): string {
      const settings = {
        ...{ authority: journeys.server.issuer, client_id: spa.clientId, loadUserInfo: true },
        ...{ redirect_uri: `${site.url}/callback`, post_logout_redirect_uri: `${site.url}/signed-out` },
        scope: 'openid profile email roles',
      };
      return `<!doctype html><title>App</title><script src="/lib/oidc-client-ts.min.js"></script>
        <script>
          const users = new oidc.UserManager(${JSON.stringify(settings)});
          const answered = location.pathname === '/callback' ? users.signinCallback() : undefined;
        </script><h1>The app</h1>`;
    }

    async function open(): Promise<Page> {
      const page = await journeys.visit();
      await page.goto(`${site.url}/home`);
      return page;
    }

    async function allow(page: Page): Promise<void> {
      await enter(page, INES);
      await page.getByRole('button', { name: 'Allow', exact: true }).click();
    }

    const expected = { name: INES.name, email: INES.login, roles };

    it('signs in by redirect, refreshes and signs out', async () => {
      const page = await open();
      await page.evaluate('void users.signinRedirect()');
      await allow(page);
      await page.getByText('The app').waitFor();
      expect(await page.evaluate('answered.then((user) => user.profile)')).to.deep.include(expected);
      expect(await page.evaluate('users.signinSilent().then((user) => user.profile)')).to.deep.include(
        expected,
      );
      await page.evaluate('void users.signoutRedirect()');
      const yes = page.getByRole('button', { name: 'Sign out' });
      await yes.or(page.getByText('The app')).waitFor();
      if (await yes.isVisible()) await yes.click();
      await page.getByText('The app').waitFor();
      expect(page.url()).to.contain(`${site.url}/signed-out`);
    });

    it('CL2 signs in by a pop-up', async () => {
      const page = await open();
      const opened = page.waitForEvent('popup');
      await page.evaluate('void (window.popup = users.signinPopup())');
      await allow(await opened);
      expect(await page.evaluate('popup.then((user) => user.profile)')).to.deep.include(expected);
    });

    it('ends its tokens', async () => {
      const page = await open();
      await page.evaluate('void users.signinRedirect()');
      await allow(page);
      await page.getByText('The app').waitFor();
      const accessToken = await page.evaluate('answered.then((user) => user.access_token)');
      await page.evaluate('users.revokeTokens()');
      expect(await page.evaluate('users.getUser().then((user) => user.refresh_token)')).to.equal(null);
      const headers = { authorization: `Bearer ${accessToken}` };
      const reply = await fetch(`${journeys.server.issuer}/userinfo`, { headers });
      expect(reply.status).to.equal(401);
    });
  });
}
