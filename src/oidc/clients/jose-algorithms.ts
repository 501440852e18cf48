/**
 * What clients may ask for in signed and encrypted messages. Nothing symmetric: the server keeps client secrets as
 * hashes and could not use them as keys. No RSA1_5 (RFC 8725, 3.2), and no `none`.
 */
import type { Configuration } from 'oidc-provider';

/** Of what clients sign: assertions and request objects. */
export const ASSERTION_ALGORITHMS = ['ES256', 'RS256', 'PS256', 'EdDSA'] as const;

/** Of what the server signs: it has a key for each. */
const SIGNED = ['ES256', 'RS256'] as const;
const KEY_ENCRYPTION = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'] as const;
const CONTENT_ENCRYPTION = ['A128CBC-HS256', 'A128GCM', 'A256GCM'] as const;

export const ENABLED_ALGORITHMS: NonNullable<Configuration['enabledJWA']> = {
  clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS],
  dPoPSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA'],
  idTokenSigningAlgValues: [...SIGNED],
  idTokenEncryptionAlgValues: [...KEY_ENCRYPTION],
  idTokenEncryptionEncValues: [...CONTENT_ENCRYPTION],
  userinfoSigningAlgValues: [...SIGNED],
  userinfoEncryptionAlgValues: [...KEY_ENCRYPTION],
  userinfoEncryptionEncValues: [...CONTENT_ENCRYPTION],
  introspectionSigningAlgValues: [...SIGNED],
  introspectionEncryptionAlgValues: [...KEY_ENCRYPTION],
  introspectionEncryptionEncValues: [...CONTENT_ENCRYPTION],
  authorizationSigningAlgValues: [...SIGNED],
  requestObjectSigningAlgValues: [...ASSERTION_ALGORITHMS],
  // A code is of no use without the client's secret or verifier, and a request holds none.
  authorizationEncryptionAlgValues: [],
  authorizationEncryptionEncValues: [],
  requestObjectEncryptionAlgValues: [],
  requestObjectEncryptionEncValues: [],
};
