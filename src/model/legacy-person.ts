/** What is said about a person to a legacy system, and of its tokens: the words of identity and of dialects alike. */
import type { ProfileClaims } from './account.ts';
import type { Json } from './json.ts';

export interface Bearer {
  readonly token: string;
  /** As an earlier answer of the same sign-in told it. */
  readonly vendorId?: string;
  /** Of a token that is a JWT. They are read without a key, and count because the vendor says yes to the token. */
  readonly claims?: Readonly<Record<string, Json>>;
}

export interface Addressee {
  readonly email: string;
  /** As the client sent them. */
  readonly names?: Pick<ProfileClaims, 'given_name' | 'family_name'>;
}

export interface SocialSignIn extends Partial<Addressee> {
  readonly provider: string;
  readonly idToken: string;
}

export interface SingleSignOn {
  readonly body: Readonly<Record<string, Json>>;
  readonly key: string;
  readonly secret?: string;
}

export interface LegacyTokens {
  readonly access?: LegacyToken;
  readonly refresh?: LegacyToken;
}

export interface LegacyToken {
  readonly value: string;
  /** Epoch seconds, where the reply tells. */
  readonly expiresAt?: number;
}
