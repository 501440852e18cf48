/**
 * Any number of upstreams that speak OpenID Connect, each an entry of the configuration: docs/upstreams.md. What such
 * an upstream says of an address counts for the domains alone that the entry trusts it with: its operator could
 * otherwise open an account with any address, or take one over.
 */
import { createPrivateKey } from 'node:crypto';
import { importPKCS8 } from 'jose';
import { emailDomain } from '../../core/text.ts';
import type { UpstreamSpec } from '../protocol/create-upstream.ts';
import type { IdTokenClaims } from '../protocol/id-token.ts';
import type { UpstreamPlugIn } from '../protocol/plug-in.ts';
import type { RedirectOptions } from '../protocol/redirect-sign-in.ts';
import { IdTokenRefused } from '../protocol/upstream.ts';
import { initialMark, logoOf } from './logo.ts';
import { presetOf, TENANT } from './presets.ts';
import { type Entry, settings } from './settings.ts';

export const openid: UpstreamPlugIn = {
  name: 'openid',
  settings,
  specs: (raw) =>
    Object.entries(settings.parse(raw)).flatMap(([name, entry]) =>
      entry.enabled ? [specOf(name, entry)] : [],
    ),
};

function specOf(name: string, entry: Entry): UpstreamSpec {
  const { clientId, scopes, audiences, domains, logo } = entry;
  const preset = presetOf(entry.preset);
  const title = entry.title ?? preset?.title ?? name;
  const template = entry.issuer ?? preset?.issuer ?? '';
  const issuers = template.includes(TENANT)
    ? entry.tenants.map((tenant) => template.replace(TENANT, tenant))
    : [template];
  const given = Object.entries(entry.claims).filter(([, claim]) => claim !== undefined);
  return {
    ...{ name, title, issuers, domains, audiences },
    logo: (logo && logoOf(logo)) ?? initialMark(title),
    published: publishedAt(template, issuers),
    rules: {
      issuers: new Map(issuers.map((issuer) => [issuer, issuer])),
      claims: { ...preset?.claims, ...Object.fromEntries(given) },
      truthAsText: preset?.truthAsText === true,
    },
    vouches: (claims) => vouches(entry, template, claims),
    asksUserinfo: true,
    secretExpires: entry.clientSecretExpires,
    client:
      clientId === undefined
        ? undefined
        : {
            ...{ clientId, scope: scopes.join(' '), authenticate: authenticationOf(entry) },
            againParameters: { prompt: 'login' },
          },
  };
}

/** One tenant is an issuer like any other. For several, Entra publishes one document, which names a template. */
function publishedAt(template: string, issuers: readonly string[]): UpstreamSpec['published'] {
  const [only = '', ...others] = issuers;
  if (others.length === 0) return { issuer: only, endpoints: {} };
  // Of work accounts, or of personal ones too.
  const personal = issuers.includes(template.replace(TENANT, PERSONAL));
  const issuer = template.replace(TENANT, personal ? 'common' : 'organizations');
  return { issuer, namedIssuer: template.replace(TENANT, '{tenantid}'), endpoints: {} };
}

/** The tenant of all personal Microsoft accounts. */
const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';

function authenticationOf(entry: Entry): RedirectOptions['authenticate'] {
  const { clientSecret, authentication, privateKey, keyId: kid } = entry;
  return async (methods) => {
    if (privateKey !== undefined) {
      const pem = createPrivateKey(privateKey);
      const algorithm = pem.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256';
      const key = await importPKCS8(String(pem.export({ type: 'pkcs8', format: 'pem' })), algorithm);
      return methods.PrivateKeyJwt(kid === undefined ? key : { key, kid });
    }
    if (clientSecret === undefined) return methods.None();
    if (authentication === 'client_secret_post') return methods.ClientSecretPost(clientSecret);
    return methods.ClientSecretBasic(clientSecret);
  };
}

function vouches(entry: Entry, template: string, claims: IdTokenClaims) {
  const { tenants, trustsEmail } = entry;
  const { issuer, email, emailVerified, payload } = claims;
  const domain = email === undefined ? undefined : emailDomain(email);
  const trusted = domain !== undefined && (trustsEmail.includes('*') || trustsEmail.includes(domain));
  if (!template.includes(TENANT)) return { emailVerified: emailVerified && trusted, authoritative: trusted };
  // The keys are all tenants': the issuer is the tenant's own, and one of those that are let in.
  if (typeof payload.tid !== 'string' || issuer !== template.replace(TENANT, payload.tid))
    throw new IdTokenRefused('The ID token’s tid is not the tenant of its iss.');
  // nOAuth: a tenant's administrator writes any address, so only an entry's one tenant proves those of a trusted domain.
  return { emailVerified: emailVerified || (trusted && tenants.length === 1), authoritative: trusted };
}
