/**
 * What replaced methods and our own steps tell each other about a request inside the provider, while it runs.
 *
 * Replaces nothing in oidc-provider 9.13.3.
 */
import type { TokenRequest } from '../provider/context.ts';
import type { RotationLease } from '../tokens/refresh-rotation.ts';

interface SignInAtHand {
  readonly acr?: string | undefined;
  readonly amr?: readonly string[] | undefined;
  readonly authTime?: number | undefined;
}

export interface RequestNotes {
  /** This request makes the successor of a refresh token. */
  lease?: RotationLease;
  /** The reply that another request got for the same refresh token. */
  replay?: Record<string, unknown>;
  /** The successor that another request made; this one only makes an access token of its own beside it. */
  successor?: string;
  /** The presented refresh token was used a moment ago: a retry, no reuse. */
  retried?: boolean;
  /** The presented refresh token. */
  refreshToken?: string;
  /** The authorization code that was presented. */
  code?: { readonly family: string; readonly consumedAt: number | undefined };
  /** The user code that a link to the device page carried. */
  userCode?: string;
  /** The user code that was entered belongs to no device. */
  wrongUserCode?: boolean;
  /** A token exchange that was admitted: the subject token's client and kind, and what the new token is for. */
  exchange?: {
    readonly from: string;
    readonly of: string;
    readonly target: string;
    /** A dialect's token was given. */
    readonly downgrade?: boolean;
  };
  /** What an authorization request was refused with. */
  refusal?: { readonly error: string; readonly error_description?: string | undefined };
  /** The sign-in that the tokens of this request stem from, where no code or refresh token says it. */
  signIn?: SignInAtHand;
  /** The access token as the client gets it. */
  accessToken?: string;
  /** The browser session kept this client's grant at logout already before this request. */
  keptAtLogout?: boolean;
}

const notes = new WeakMap<object, RequestNotes>();

export function notesOf(ctx: object): RequestNotes {
  const known = notes.get(ctx);
  if (known) return known;
  const fresh: RequestNotes = {};
  notes.set(ctx, fresh);
  return fresh;
}

/** The sign-in that the tokens of this request stem from. */
export function signInAtHand(ctx: TokenRequest): SignInAtHand | undefined {
  const { entities } = ctx.oidc;
  const { signIn } = notesOf(ctx);
  if (signIn !== undefined) return signIn;
  return entities.RefreshToken ?? entities.AuthorizationCode ?? entities.DeviceCode;
}
