/**
 * A vendor's own server, asked in its own words: the dialect read backwards. Data and pure functions; the frame
 * does the calls, and judges what a yes may do here.
 *
 * A sign-in goes `signIn`, `person`, `details`, as long as the answer says `more`; each answer is laid over the one
 * before (`joined`). A token that a client holds goes `person`, `details`.
 */
import type { Json } from '../../model/json.ts';
import type {
  Addressee,
  Bearer,
  LegacyTokens,
  SingleSignOn,
  SocialSignIn,
} from '../../model/legacy-person.ts';
import type { OrganizationView } from './dialect.ts';
import type { AnySettings } from './settings.ts';
import type { NewAccount } from './use.ts';

export type { Bearer, LegacyTokens } from '../../model/legacy-person.ts';

export interface LegacyApi<Settings = AnySettings> {
  /** What a token of the vendor's own server looks like; anything else is never asked about. */
  readonly tokenForm: RegExp;
  /**
   * The upstream to which its sign-in sends browsers. They come back to that server, so a person who comes by it cannot
   * be asked about.
   */
  redirects?(settings: Settings): string;
  /** The role that a person brings along, where `vendor.role` does not say it. Only those that operators list come in. */
  roleOf?(vendor: Readonly<Record<string, Json>>): string | undefined;
  readonly signIn?: Question<{ readonly login: string; readonly password: string }, Settings>;
  /** Who the bearer is. */
  readonly person: Question<Bearer, Settings>;
  /** What the vendor shows of a bearer at another place only. */
  readonly details?: Question<Bearer, Settings>;
  readonly refresh?: Question<{ readonly refreshToken: string }, Settings>;
  readonly social?: Question<SocialSignIn, Settings>;
  /** Has the vendor send its own email with its own code. A yes says that it was asked, not that it knows the address. */
  readonly sendCode?: Question<Addressee, Settings>;
  readonly code?: Question<{ readonly email: string; readonly code: string }, Settings>;
  /** As `sendCode`, with a link for a new password. */
  readonly reset?: Question<Addressee, Settings>;
  /** Whether the link in that email is good still. Asking spends nothing. */
  readonly resetLink?: Question<{ readonly token: string }, Settings>;
  /** By that link. 'no': the link or the password is refused. */
  readonly setPassword?: Question<{ readonly token: string; readonly password: string }, Settings>;
  /** By the link in the vendor's own email that confirms an address. The yes does not say whose. */
  readonly verifyAddress?: Question<{ readonly token: string }, Settings>;
  /** 'no': the address is taken. */
  readonly register?: Question<NewAccount, Settings>;
  readonly singleSignOn?: Question<SingleSignOn, Settings>;
  /** Ends the session behind a sign-in that was asked for. */
  readonly signOut?: Question<{ readonly token: string; readonly refreshToken?: string }, Settings>;
}

export interface Question<Asked, Settings = AnySettings> {
  ask(
    asked: Asked,
    context: { readonly settings: Settings; readonly organization: OrganizationView },
  ): Outgoing;
  read(reply: LegacyReply, asked: Asked): Answer;
}

/** A request. `path` follows the legacy system's base, query included; secrets stand in headers or in the body. */
export interface Outgoing {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: Json;
  readonly form?: Readonly<Record<string, string>>;
}

export interface LegacyReply {
  readonly status: number;
  /** The parsed body; undefined where it is no JSON. */
  readonly json: unknown;
  /** Names in lower case. */
  header(name: string): string | undefined;
}

/** Only a well-formed yes is a yes, and only the vendor's own refusal is a no. */
export type Answer =
  | { readonly yes: Confirmed; readonly tokens?: LegacyTokens; readonly more?: true }
  | 'no'
  /** Seconds, where the vendor names them. */
  | { readonly later: number | undefined }
  /** Why, without any text of the reply. */
  | { readonly odd: string };

/** What the vendor says of a person. */
export interface Confirmed {
  readonly vendorId?: string;
  /** `vendor`: members of this dialect. A role that the vendor names is `vendor.role`. */
  readonly account: NewAccount;
  /** The vendor says that the address was proved to it. */
  readonly addressVerified?: boolean;
  readonly createdAt?: Date;
  readonly updatedAt?: Date;
}

/** What two answers about one person say together; the later one wins. */
export function joined(first: Confirmed, then: Confirmed): Confirmed {
  const [a, b] = [first.account, then.account];
  return {
    ...first,
    ...then,
    account: {
      ...a,
      ...b,
      ...((a.claims ?? b.claims) && { claims: { ...a.claims, ...b.claims } }),
      ...((a.vendor ?? b.vendor) && { vendor: { ...a.vendor, ...b.vendor } }),
    },
  };
}
