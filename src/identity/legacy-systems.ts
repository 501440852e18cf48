/**
 * The systems that answered the vendors' APIs before Portico, as identity asks them about people whom it does
 * not know yet. src/legacy implements them, by the dialects read backwards. A legacy system that is away is
 * never taken for one that says no.
 */
import type { ProfileClaims } from '../model/account.ts';
import type { Json } from '../model/json.ts';
import type { Addressee, Bearer, LegacyTokens, SingleSignOn, SocialSignIn } from '../model/legacy-person.ts';
import type { RequestContext } from './context.ts';

export interface LegacySystems {
  /** Dialects with a legacy system, asked or not. */
  readonly dialects: readonly string[];
  /** The client of the dialect's own sign-ins. */
  clientOf(dialect: string): string | undefined;
  /**
   * Those that are asked about people of the organization now, in the order of the configuration. `channel`:
   * 'hosted' for all of them, else that dialect's alone.
   */
  asked(organization: string, channel: string): Promise<readonly LegacySystem[]>;
}

/** One legacy system, bound to the organization that it was asked for. A question that its API does not have is absent. */
export interface LegacySystem {
  readonly dialect: string;
  readonly rules: LegacyRules;
  /** Seconds until it is tried again, while its breaker is open on this node. */
  outage(): number | undefined;
  readonly signIn?: Ask<{ readonly login: string; readonly password: string }>;
  readonly person?: Ask<Bearer>;
  readonly refresh?: Ask<{ readonly refreshToken: string }>;
  readonly social?: Ask<SocialSignIn>;
  readonly sendCode?: Ask<Addressee>;
  readonly code?: Ask<{ readonly email: string; readonly code: string }>;
  readonly reset?: Ask<Addressee>;
  readonly resetLink?: Ask<{ readonly token: string }>;
  readonly setPassword?: Ask<{ readonly token: string; readonly password: string }>;
  readonly verifyAddress?: Ask<{ readonly token: string }>;
  readonly register?: Ask<LegacyAccount & { readonly password: string }>;
  readonly singleSignOn?: Ask<SingleSignOn>;
}

/** Never rejects for what the legacy system does. `context`: its client address is passed on. */
type Ask<Input> = (input: Input, context: RequestContext) => Promise<LegacyAnswer>;

/** As configured under `dialects.<name>.legacy`. */
export interface LegacyRules {
  /** The legacy system proved the addresses of its people. */
  readonly addressesVerified: boolean;
  /** Seconds for which a password that it confirmed is believed without asking again. */
  readonly recheck: number;
  /** Milliseconds after its arrival at which a refused sign-in is answered. */
  readonly floor: number;
  /** `hold`: none; `proxy`: asked of the legacy system first; `roster`: opened here, since each person there is known here. */
  readonly registration: 'hold' | 'proxy' | 'roster';
}

export type LegacyAnswer =
  | { readonly yes: ConfirmedPerson; readonly tokens?: LegacyTokens }
  | 'no'
  /** Not to be had, or not to be believed: nothing changes, and nothing is told as wrong. `retryAfter`: seconds. */
  | { readonly away: string; readonly retryAfter?: number };

/** A person as the legacy system shows them: address, vendor's id and roles were held against the question. */
export interface ConfirmedPerson {
  readonly organization: string;
  /** Absent where the vendor's API does not show it. */
  readonly vendorId?: string;
  readonly account: LegacyAccount;
  /** By its reply; absent: the configuration decides. */
  readonly addressVerified?: boolean;
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
}

export interface LegacyAccount {
  readonly email?: string;
  readonly username?: string;
  readonly status?: 'active' | 'inactive' | 'blocked';
  readonly claims?: ProfileClaims;
  /** Members of the dialect that speaks the legacy system's API. */
  readonly vendor?: Readonly<Record<string, Json>>;
}

/** Of a server that stands alone. */
export const NO_LEGACY_SYSTEMS: LegacySystems = {
  dialects: [],
  clientOf: () => undefined,
  asked: async () => [],
};
