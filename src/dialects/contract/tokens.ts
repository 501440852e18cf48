import type { RandomForm } from '../../core/crypto.ts';
import type { Json } from '../../model/json.ts';
import type { OrganizationView } from './dialect.ts';
import type { AccountView } from './endpoint.ts';
import type { AnySettings } from './settings.ts';

export interface TokenRules<Settings = AnySettings> {
  /** Scope of the grant, space-separated. */
  readonly scope: string;
  readonly access: 'jwt' | RandomForm;
  /** Vendor claims, in the JWT and in introspection. */
  claims(context: {
    account: AccountView;
    organization: OrganizationView;
    settings: Settings;
  }): Record<string, Json>;
  accessLifetime(settings: Settings): number;
  audience(settings: Settings, issuer: string): string;
  /** HS256 with this shared secret instead of the published key. */
  sharedSecret?(settings: Settings): string | undefined;
  readonly refresh?: {
    readonly form: RandomForm;
    lifetime(settings: Settings): number;
    /** Seconds after the sign-in at which its refresh tokens end, however often rotated. */
    absoluteLifetime?(settings: Settings): number;
    leeway(settings: Settings): number;
    /**
     * A used token within the leeway: 'replay' answers the successor again; 'in-flight' does so only for
     * requests that arrived before the successor was stored, and refuses later ones without ending the family.
     */
    readonly reuse: 'replay' | 'in-flight';
  };
}

export type AliasForm = RandomForm | 'uuid';

export const HEX = '0123456789abcdef';

export const DIGITS = '0123456789';

export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';

export interface SignedIn {
  readonly account: AccountView;
  readonly tokens: IssuedTokens;
}

export interface IssuedTokens {
  readonly access: IssuedToken;
  /** Where the dialect has refresh tokens. */
  readonly refresh?: IssuedToken;
}

export interface IssuedToken {
  readonly value: string;
  /** Epoch seconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export type { Amr } from '../../model/amr.ts';
