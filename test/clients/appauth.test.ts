/** AppAuth for JavaScript in Chromium. It reports no claims and knows no sign-out: it has tokens, and ends them. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import express from 'express';
import { enter, type Journeys, startJourneys } from '../browser/journey.ts';
import { INES, rehome, type Served, serve } from '../support/client-app.ts';
import { spa } from '../support/clients.ts';

const MAIN = fileURLToPath(import.meta.resolve('@openid/appauth'));
/** The one module that is not written as one. */
const BASE64 = readFileSync(createRequire(MAIN).resolve('base64-js'), 'utf8');

/** The application: `begin` leaves the page; `tokens`, `refreshed` and `ended` are what happens at its return. */
const APP = `
  import * as appauth from '/lib/index';
  const { issuer, clientId, redirectUri } = window.settings;
  const requestor = new appauth.FetchRequestor();
  const tokenHandler = new appauth.BaseTokenRequestHandler(requestor);
  // As it comes it reads an answer from the fragment.
  class Query extends appauth.BasicQueryStringUtils {
    parse(location) { return super.parse(location, false); }
  }
  const handler = new appauth.RedirectRequestHandler(new appauth.LocalStorageBackend(), new Query());
  const known = appauth.AuthorizationServiceConfiguration.fetchFromIssuer(issuer, requestor);
  const client = { client_id: clientId, redirect_uri: redirectUri };
  window.begin = async () => handler.performAuthorizationRequest(await known, new appauth.AuthorizationRequest(
    { ...client, scope: 'openid profile email', response_type: 'code' },
  ));
  const answer = new Promise((resolve, reject) => {
    handler.setAuthorizationNotifier(new appauth.AuthorizationNotifier());
    handler.notifier.setAuthorizationListener((request, response, error) =>
      error ? reject(error) : resolve({ request, response }));
  });
  const ask = async (grant) => tokenHandler.performTokenRequest(await known, new appauth.TokenRequest({ ...client, ...grant }));
  const signedIn = answer.then(({ request, response }) => ask({
    grant_type: 'authorization_code', code: response.code, extras: { code_verifier: request.internal.code_verifier },
  }));
  window.whoIs = async (tokens) => {
    const { userInfoEndpoint } = await known;
    const headers = { authorization: 'Bearer ' + (await tokens).accessToken };
    const reply = await fetch(userInfoEndpoint, { headers });
    return reply.ok ? reply.json() : reply.status;
  };
  window.signedIn = signedIn;
  window.refresh = async () =>
    (window.tokens = await ask({ grant_type: 'refresh_token', refresh_token: (await signedIn).refreshToken }));
  window.end = async () => tokenHandler.performRevokeTokenRequest(await known, new appauth.RevokeTokenRequest(
    { client_id: clientId, token: window.tokens.accessToken },
  ));
  if (location.pathname === '/callback') handler.completeAuthorizationRequestIfPossible();
  document.body.innerHTML = '<h1>The app</h1>';
`;

describe('AppAuth', () => {
  let journeys: Journeys;
  let site: Served;

  before(async () => {
    journeys = await startJourneys();
    const app = express();
    app.use('/lib', express.static(path.dirname(MAIN), { extensions: ['js'] }));
    app.get('/base64-js', (_request, response) => {
      response
        .type('js')
        .send(`const all = {};\n((exports) => {${BASE64}})(all);\nexport const { fromByteArray } = all;`);
    });
    site = await serve(app);
    const { redirectUri } = await rehome(journeys.server, spa, site.url);
    const settings = { issuer: journeys.server.issuer, clientId: spa.clientId, redirectUri };
    const page = `<!doctype html><title>App</title>
      <script type="importmap">{ "imports": { "base64-js": "/base64-js" } }</script>
      <script>window.settings = ${JSON.stringify(settings)}</script><script type="module">${APP}</script>`;
    app.get('/*page', (_request, response) => void response.send(page));
  });
  afterEach(() => journeys.settle());
  after(() => Promise.all([site.close(), journeys.close()]));

  it('signs in, refreshes and ends its tokens', async () => {
    const page = await journeys.visit();
    await page.goto(`${site.url}/home`);
    await page.getByText('The app').waitFor();
    await page.evaluate('void begin()');
    await enter(page, INES);
    await page.getByRole('button', { name: 'Allow', exact: true }).click();
    await page.getByText('The app').waitFor();
    expect(await page.evaluate('whoIs(signedIn)')).to.include({ name: INES.name, email: INES.login });
    expect(await page.evaluate('whoIs(refresh())')).to.include({ name: INES.name });
    await page.evaluate('end()');
    expect(await page.evaluate('whoIs(tokens)')).to.equal(401);
  });
});
