import { randomBytes } from 'node:crypto';
import express from 'express';
import oidc from 'express-openid-connect';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT = '8080' } = process.env;

const app = express();
app.use(
  oidc.auth({
    issuerBaseURL: ISSUER,
    clientID: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    baseURL: `http://localhost:${PORT}`,
    authorizationParams: { response_type: 'code', scope: 'openid profile email roles' },
    authRequired: false, // requiresAuth() says where
    idpLogout: true, // /logout signs out of Portico too
    routes: { postLogoutRedirect: '/signed-out' },
    secret: randomBytes(32).toString('hex'), // encrypts the session cookie; yours stays the same
  }),
);

app.get('/', oidc.requiresAuth(), async (request, response) => {
  if (request.oidc.accessToken.isExpired()) await request.oidc.accessToken.refresh();
  const { name, email, roles } = await request.oidc.fetchUserInfo();
  response.json({ name, email, roles });
});
app.get('/signed-out', (_request, response) => response.send('You are signed out.'));

app.listen(Number(PORT), 'localhost');
