import { randomBytes } from 'node:crypto';
import { ExpressAuth, getSession } from '@auth/express';
import express from 'express';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT = '8080' } = process.env;

const auth = {
  basePath: '/auth',
  secret: randomBytes(32).toString('hex'), // encrypts the session cookie; yours stays the same
  trustHost: true,
  providers: [
    {
      id: 'portico',
      name: 'Portico',
      type: 'oidc',
      issuer: ISSUER,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      authorization: { params: { scope: 'openid profile email roles' } },
      checks: ['pkce', 'state', 'nonce'],
      idToken: false, // asks userinfo who signed in
    },
  ],
  callbacks: {
    jwt: ({ token, profile }) => (profile ? { ...token, roles: profile.roles } : token),
    session: ({ session, token }) => ({ ...session, roles: token.roles }),
  },
};

const app = express();
app.use('/auth', ExpressAuth(auth));

app.get('/', async (request, response) => {
  const session = await getSession(request, auth);
  if (!session) return response.redirect('/auth/signin?callbackUrl=/');
  const { user, roles } = session;
  response.json({ name: user.name, email: user.email, roles });
});

app.get('/logout', (_request, response) => {
  const back = new URLSearchParams({
    client_id: CLIENT_ID,
    post_logout_redirect_uri: `http://localhost:${PORT}/signed-out`,
  });
  response.clearCookie('authjs.session-token').redirect(`${ISSUER}/logout?${back}`);
});
app.get('/signed-out', (_request, response) => response.send('You are signed out.'));

app.listen(Number(PORT), 'localhost');
