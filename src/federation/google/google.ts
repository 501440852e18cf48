/** Sign in with Google. https://developers.google.com/identity/gsi/web/guides/verify-google-id-token */
import { key, text } from '../../config/kinds.ts';
import { defineSettings, defineUpstream } from '../protocol/plug-in.ts';
import { logo } from './logo.ts';

const ISSUER = 'https://accounts.google.com';
const NAMES = { name: 'google', title: 'Google' };

export const google = defineUpstream({
  ...NAMES,
  logo,
  settings: defineSettings(
    { ...NAMES, clientIdAt: 'OAuth client id', issuer: ISSUER },
    { clientSecret: key(text.optional(), 'Its secret.', { secret: 'value' }) },
    { beside: ['clientSecret'], needed: ['clientId'] },
  ),
  // https://developers.google.com/identity/openid-connect/openid-connect
  documented: {
    authorizationEndpoint: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    jwksUri: 'https://www.googleapis.com/oauth2/v3/certs',
  },
  // Google still writes its name without the scheme now and then. A configured issuer has one spelling.
  issuers: (issuer) => (issuer === ISSUER ? [ISSUER, 'accounts.google.com'] : [issuer]),
  /** Google is authoritative for addresses of its own mail, and of a domain whose accounts it hosts. */
  authoritative({ email, payload: { hd } }) {
    const domain = email?.toLowerCase().split('@').at(-1) ?? '';
    const hostedDomain = typeof hd === 'string' ? hd.toLowerCase() : '';
    const ownMail = domain === 'gmail.com' || domain === 'googlemail.com';
    return ownMail || (domain !== '' && hostedDomain === domain);
  },
  scope: 'openid email profile',
  // Google knows no prompt=login. Apple asks its people every time.
  againParameters: { prompt: 'select_account' },
  clientSecret:
    ({ clientSecret }) =>
    async () =>
      clientSecret,
});
