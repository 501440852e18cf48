/** Mutual TLS (RFC 8705) in the provider's configuration, as far as the configuration of the server has it. */
import type { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Configuration } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { ProviderContext } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import { certificateIn, subjectMatches } from './client-certificate.ts';

type Settings = Config['http']['clientCertificate'];
type MutualTls = NonNullable<NonNullable<Configuration['features']>['mTLS']>;

/** The methods of clients that prove themselves by a certificate. */
export function certificateMethods({ header, verifiedHeader }: Settings) {
  if (header === null) return [];
  const selfSigned = 'self_signed_tls_client_auth' as const;
  return verifiedHeader === null ? [selfSigned] : [selfSigned, 'tls_client_auth' as const];
}

export function mutualTls({ header, verifiedHeader }: Settings): MutualTls {
  if (header === null) return { enabled: false };
  const certificate = ({ req }: ProviderContext): X509Certificate | undefined =>
    certificateIn(req.headers, header);
  return {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: verifiedHeader !== null,
    getCertificate: certificate,
    certificateAuthorized: ({ req }) =>
      verifiedHeader !== null && req.headers[verifiedHeader.toLowerCase()] === 'SUCCESS',
    certificateSubjectMatches: (ctx, member, expected) => {
      const presented = certificate(ctx);
      return presented !== undefined && subjectMatches(presented, member, expected);
    },
  };
}

/** Where a client that presents a certificate finds the endpoints (RFC 8705, 5). */
const ALIASES = {
  token_endpoint: 'token',
  pushed_authorization_request_endpoint: 'pushed_authorization_request',
  device_authorization_endpoint: 'device_authorization',
  introspection_endpoint: 'introspection',
  revocation_endpoint: 'revocation',
  userinfo_endpoint: 'userinfo',
} as const satisfies Record<string, keyof typeof ROUTES>;

export function endpointAliases({ header, origin }: Settings) {
  if (header === null || origin === null) return {};
  const aliases = Object.entries(ALIASES).map(([name, route]) => [name, origin + ROUTES[route]]);
  return { mtls_endpoint_aliases: Object.fromEntries(aliases) as Record<string, string> };
}

/** The origin under which the client of a request knows the endpoint that it asks. */
export function askedOrigin(
  route: string,
  headers: IncomingHttpHeaders,
  { issuer, origin }: { issuer: string; origin: string | null },
): string {
  if (origin === null || !Object.values<string>(ALIASES).includes(route)) return issuer;
  const { hostname, port } = new URL(origin);
  const said = URL.parse(`https://${headers['x-forwarded-host'] ?? headers.host}`);
  const saidPort = headers['x-forwarded-port'] ?? (said?.port || '443');
  return said?.hostname === hostname && saidPort === (port || '443') ? origin : issuer;
}
