/** Swagger UI in Chromium: a page of an API's documentation that signs its reader in by a pop-up, with PKCE. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import express from 'express';
import { enter, type Journeys, startJourneys } from '../browser/journey.ts';
import { INES, rehome, type Served, serve } from '../support/client-app.ts';
import { spa } from '../support/clients.ts';

describe('Swagger UI', () => {
  let journeys: Journeys;
  let site: Served;

  before(async () => {
    journeys = await startJourneys();
    const app = express();
    const { issuer } = journeys.server;
    app.get('/', (_request, response) => void response.send(pageFor(issuer)));
    app.use(express.static(path.dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist')))));
    site = await serve(app);
    const redirectUri = `${site.url}/oauth2-redirect.html`;
    await rehome(journeys.server, spa, site.url, { redirect_uris: [redirectUri] });
  });
  afterEach(() => journeys.settle());
  after(() => Promise.all([site.close(), journeys.close()]));

  it('signs in by a pop-up and calls the API with the token', async () => {
    const page = await journeys.visit();
    await page.goto(site.url);
    await page.getByRole('button', { name: 'Authorize' }).click();
    const opened = page.waitForEvent('popup');
    const dialog = page.locator('.modal-ux');
    await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
    const popup = await opened;
    await enter(popup, INES);
    const closed = popup.waitForEvent('close');
    await popup.getByRole('button', { name: 'Allow', exact: true }).click();
    await closed;
    await dialog.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByText('/userinfo').click();
    await page.getByRole('button', { name: 'Try it out' }).click();
    const reply = page.waitForResponse(`${journeys.server.issuer}/userinfo`);
    await page.getByRole('button', { name: 'Execute' }).click();
    expect(await (await reply).json()).to.include({ name: INES.name, email: INES.login });
  });
});

function pageFor(issuer: string): string {
  const scopes = { openid: 'You', profile: 'Your name', email: 'Your email' };
  const flow = { authorizationUrl: `${issuer}/authorize`, tokenUrl: `${issuer}/token`, scopes };
  const api = {
    ...{ openapi: '3.0.3', info: { title: 'An API', version: '1' }, servers: [{ url: issuer }] },
    components: { securitySchemes: { portico: { type: 'oauth2', flows: { authorizationCode: flow } } } },
    paths: {
      '/userinfo': {
        get: { security: [{ portico: [] }], responses: { 200: { description: 'Who is signed in' } } },
      },
    },
  };
  const sign = {
    ...{ clientId: spa.clientId, usePkceWithAuthorizationCodeGrant: true },
    scopes: Object.keys(scopes).join(' '),
  };
  return `<!doctype html><title>An API</title><div id="ui"></div><script src="/swagger-ui-bundle.js"></script>
    <script>SwaggerUIBundle({ spec: ${JSON.stringify(api)}, dom_id: '#ui' }).initOAuth(${JSON.stringify(sign)})</script>`;
}
