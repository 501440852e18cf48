/**
 * What an upstream identity provider is to Portico: a server that signs ID tokens about people. Each folder
 * beside this one brings one, or several (plug-in.ts says what it brings); registry.ts lists them. identity/upstream
 * decides which account an upstream identity belongs to.
 */
import type { Json } from '../../model/json.ts';

/** What a verified ID token says. */
export interface UpstreamClaims {
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  readonly email?: string;
  readonly emailVerified: boolean;
  /**
   * The provider is authoritative for the address: gmail.com and googlemail.com, a `hd` equal to the domain, Apple, a domain
   * that the configuration trusts it with.
   */
  readonly authoritative: boolean;
  readonly name?: string;
  readonly givenName?: string;
  readonly familyName?: string;
  readonly picture?: string;
  /** SHA-256 (base64url) over the token's header and payload: what makes two tokens the same. */
  readonly fingerprint: string;
  /** Epoch seconds after which the token is too old to be accepted again. */
  readonly staleAt: number;
  /** Of a redirect sign-in with an upstream that revokes tokens. */
  readonly refreshToken?: string;
}

const NOTICES = ['consent-revoked', 'account-delete', 'email-disabled', 'email-enabled'] as const;

/** What an upstream tells of one of its people, from server to server. */
export interface UpstreamNotice
  extends Pick<UpstreamClaims, 'issuer' | 'subject' | 'fingerprint' | 'staleAt'> {
  readonly kind: (typeof NOTICES)[number];
  /** Epoch seconds. */
  readonly issuedAt: number;
}

export function isNotice(type: string): type is UpstreamNotice['kind'] {
  return NOTICES.some((known) => known === type);
}

export class UpstreamUnavailable extends Error {
  override readonly name = 'UpstreamUnavailable';
}

export class IdTokenRefused extends Error {
  override readonly name = 'IdTokenRefused';
}

export interface RedirectStart {
  readonly callback: string;
  readonly state: string;
  readonly loginHint?: string;
  /** The person is to choose or confirm there: no silent way through. */
  readonly again?: boolean;
}

export interface RedirectEnd {
  readonly callback: string;
  /** Those that came back. */
  readonly parameters: URLSearchParams;
  /** The one that was sent. */
  readonly state: string;
  /** What `begin` gave. */
  readonly keep: Record<string, Json>;
  readonly now: Date;
}

export interface Upstream {
  readonly name: string;
  /** As people know it; no language changes it. */
  readonly title: string;
  /** An SVG element, 20 by 20, for the button on the sign-in page. */
  readonly logo: string;
  /** The one that is configured, and its own. */
  readonly issuers: readonly string[];
  /** Domains of addresses: a person who gives one of them is led here. */
  readonly domains: readonly string[];
  /** Client ids whose ID tokens the dialects take. */
  readonly audiences: readonly string[];
  /** Whether the names of a person come with the first sign-in alone, so that an answer that leads nowhere must not lose them. */
  readonly sendsNamesOnce: boolean;
  /** Whether the redirect sign-in is configured. Otherwise begin and finish throw. */
  readonly redirects: boolean;
  /**
   * Verifies an ID token that a client presents. `maxAge`: seconds since `iat`. IdTokenRefused for every
   * defect, UpstreamUnavailable when the keys cannot be fetched (an unknown kid refetches once a minute at most).
   */
  verifyIdToken(
    idToken: string,
    rules: { audiences: readonly string[]; maxAge: number; now: Date },
  ): Promise<UpstreamClaims>;
  /** A redirect sign-in: where to send the browser, and what must be kept until it comes back. */
  begin(start: RedirectStart): Promise<{ url: string; keep: Record<string, Json> }>;
  /** Exchanges the code that came back. 'denied': the provider answered with an error. IdTokenRefused, UpstreamUnavailable. */
  finish(end: RedirectEnd): Promise<UpstreamClaims | 'denied'>;
  /** Ends what a refresh token stands for. Absent: its tokens are not kept. IdTokenRefused, UpstreamUnavailable. */
  revoke?(refreshToken: string, now: Date): Promise<void>;
  /** Verifies a notice. Absent: it sends none. Undefined: of a kind that is not known. IdTokenRefused, UpstreamUnavailable. */
  readNotice?(token: string, now: Date): Promise<UpstreamNotice | undefined>;
}

/** The configured upstreams by name; one that is not enabled is absent. */
export type Upstreams = ReadonlyMap<string, Upstream>;

/** Where an upstream answers the hosted pages: one address for each. */
export function callbackOf(issuer: string, upstream: string): string {
  return `${issuer}/federation/${upstream}/callback`;
}
