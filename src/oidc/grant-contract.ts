/** Grants and tokens of dialects. */
import type { Json } from '../model/json.ts';

export interface GrantIssuer {
  /** One Grant with one access token and, when asked for, one refresh token; saved in parallel. */
  issue(input: GrantInput): Promise<IssuedGrant>;
  /** A live access token of this client; undefined for anything else. Store round trips: 2 in parallel at most. */
  findAccess(token: string, clientId: string): Promise<LiveToken | undefined>;
  /** A live, unused refresh token of this client. */
  findRefresh(token: string, clientId: string): Promise<LiveToken | undefined>;
  /**
   * Uses a refresh token up and makes its successor, over all nodes exactly once (tokens/refresh-rotation.ts).
   * Undefined: refused. A use after the leeway ends the family.
   */
  rotate(input: RotationInput): Promise<(IssuedGrant & { accountId: string }) | undefined>;
  /** The grant behind an access or refresh token of this client, used or not. */
  grantOf(token: string, clientId: string): Promise<{ grantId: string; accountId: string } | undefined>;
  /** Whether this server made the token, for any client, used or not; a live token that it adopted it did not make. */
  isMinted(token: string): Promise<boolean>;
  /** Ends a sign-in: the Grant, its access and refresh tokens, and any replay of a rotation. */
  endGrant(grantId: string): Promise<void>;
  /** Tokens that a legacy system made go on as ours, each once for ever. Undefined: all were adopted before, or are over. */
  adopt(input: AdoptionInput): Promise<{ grantId: string } | undefined>;
  /** 'dead': it was adopted and has ended here. Waits for an adoption under way. */
  adoptionOf(token: string): Promise<'none' | 'alive' | 'dead'>;
  /** A token that has just ended at its maker is not adopted. False: it was adopted before. */
  refuseAdoption(token: string): Promise<boolean>;
  /** The access token alone dies. True for exactly one caller. */
  destroyAccess(token: string, clientId: string): Promise<boolean>;
}

export interface GrantInput
  extends Pick<LiveToken, 'clientId' | 'accountId' | 'organization' | 'scope' | 'amr' | 'appPassword'> {
  readonly access: AccessInput;
  readonly refresh?: RefreshInput;
}

/** Tokens that another server made, under their values. */
export interface AdoptionInput extends Pick<LiveToken, 'clientId' | 'accountId' | 'organization' | 'scope'> {
  readonly access?: AdoptedToken & Pick<AccessInput, 'audience' | 'claims'>;
  readonly refresh?: AdoptedToken;
}

export interface AdoptedToken {
  readonly value: string;
  /** Epoch seconds, as its maker says. */
  readonly issuedAt?: number;
  /** Epoch seconds, as its maker says; undefined: it never ends there. It is not adopted a second time before. */
  readonly endsAt?: number | undefined;
  /** Epoch seconds; of a refresh token, also the end of all its successors. */
  readonly expiresAt: number;
}

export interface AccessInput {
  /** An opaque value, or 'jwt'. */
  readonly value: 'jwt' | string;
  /** Seconds. */
  readonly lifetime: number;
  readonly audience: string;
  /** Vendor claims, in the JWT and at introspection. */
  readonly claims: Readonly<Record<string, Json>>;
  /** HS256 with this secret instead of the published ES256 key. */
  readonly sharedSecret?: string;
}

export interface RefreshInput {
  readonly value: string;
  /** Seconds. */
  readonly lifetime: number;
  /** Epoch seconds after which no successor lives. */
  readonly endsAt?: number;
}

export interface IssuedGrant {
  readonly grantId: string;
  readonly access: { readonly value: string; readonly issuedAt: number; readonly expiresAt: number };
  readonly refresh?: { readonly value: string; readonly issuedAt: number; readonly expiresAt: number };
}

export interface LiveToken {
  readonly accountId: string;
  readonly organization: string;
  readonly grantId: string;
  readonly clientId: string;
  readonly scope: string;
  /** Epoch seconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly audience: string | undefined;
  readonly claims: Readonly<Record<string, Json>>;
  readonly amr: readonly string[];
  /** Epoch seconds of the sign-in; absent in tokens of an older Portico. */
  readonly signedInAt?: number;
  /** The id of the app password that it was signed in with. */
  readonly appPassword?: string;
  /** When it was adopted; absent: it was made here. */
  readonly adoptedAt?: Date;
}

/** How a person signed in at a dialect. Without a time: an older Portico, or a legacy system, knew when. */
export interface DialectSignIn {
  readonly amr: readonly string[];
  /** Epoch seconds. */
  readonly signedInAt?: number | undefined;
  readonly appPassword?: string | undefined;
}

export interface RotationInput {
  readonly token: string;
  readonly clientId: string;
  /** The organization that the request names: a token of another one is refused, and neither it nor its family ends. */
  readonly organization?: string;
  /** When the request came in; decides which requests were in flight together. */
  readonly arrivedAt: Date;
  readonly reuse: 'replay' | 'in-flight';
  /** Seconds. */
  readonly leeway: number;
  /** Runs before anything is used up, at most once for a request. Undefined refuses (account gone, other organization). */
  prepare(live: LiveToken): Promise<{ access: AccessInput; refresh: RefreshInput } | undefined>;
}
