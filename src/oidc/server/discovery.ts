/** Discovery metadata (/.well-known/openid-configuration): what it says beyond what the provider says by itself. */
import type { Configuration } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import { RESPONSE_MODES } from '../clients/clients.ts';
import { ASSERTION_ALGORITHMS } from '../clients/jose-algorithms.ts';
import { certificateMethods, endpointAliases } from '../profiles/mutual-tls.ts';
import type { ProviderMiddleware } from '../provider/context.ts';

export function discoveryMetadata({
  branding,
  oidc,
  http: { clientCertificate },
}: Pick<Config, 'branding' | 'oidc' | 'http'>): NonNullable<Configuration['discovery']> {
  const confidential = [
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    ...certificateMethods(clientCertificate),
  ];
  return {
    claim_types_supported: ['normal'],
    ...(offersDocuments(oidc) && { client_id_metadata_document_supported: true }),
    ui_locales_supported: ['en', 'de', 'es'],
    prompt_values_supported: ['none', 'login', 'consent', 'select_account', 'create'],
    introspection_endpoint_auth_methods_supported: confidential,
    introspection_endpoint_auth_signing_alg_values_supported: [...ASSERTION_ALGORITHMS],
    revocation_endpoint_auth_methods_supported: [...confidential, 'none'],
    revocation_endpoint_auth_signing_alg_values_supported: [...ASSERTION_ALGORITHMS],
    ...endpointAliases(clientCertificate),
    ...(branding.privacy && { op_policy_uri: branding.privacy }),
    ...(branding.terms && { op_tos_uri: branding.terms }),
  };
}

function offersDocuments({ clientIdMetadataDocuments: { hosts } }: Config['oidc']): boolean {
  return hosts === 'any' || hosts.length > 0;
}

/** The provider lists every mode that it knows, and empty lists of what no client may use. */
export const offeredOnly: ProviderMiddleware = async (ctx, next) => {
  await next();
  if (!ctx.path.startsWith('/.well-known/') || ctx.status !== 200) return;
  const metadata = ctx.body;
  if (!metadata.response_modes_supported) return;
  metadata.response_modes_supported = [...RESPONSE_MODES];
  const offered = Object.entries(metadata).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  ctx.body = Object.fromEntries(offered);
};
