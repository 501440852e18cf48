/**
 * Every reason for which Portico says no, as a closed list. Domain functions throw Refused; the hosted
 * pages and each dialect turn a reason into their own words, and the compiler wants an answer for each.
 */
export type Reason =
  // the request itself (raised by the HTTP frame)
  | 'not-found'
  | 'method-not-allowed'
  | 'too-large'
  | 'unsupported-encoding'
  | 'unsupported-media-type'
  | 'empty-body'
  | 'unreadable-body'
  | 'not-an-object'
  | 'invalid-fields'
  | 'unknown-organization'
  | 'wrong-organization'
  // who is asking
  | 'no-credential'
  | 'invalid-token'
  | 'invalid-api-key'
  | 'forbidden'
  | 'insufficient-scope'
  | 'email-not-verified'
  // what was asked
  | 'sign-in-refused'
  | 'code-refused'
  | 'refresh-refused'
  | 'id-token-refused'
  | 'link-token-refused'
  | 'state-refused'
  | 'redirect-refused'
  | 'wrong-password'
  | 'password-too-short'
  | 'password-too-common'
  | 'account-exists'
  | 'account-not-found'
  | 'too-many-api-keys'
  | 'api-key-not-found'
  // not now
  | 'too-many-requests'
  | 'unavailable'
  | 'internal';

/** One faulty field. `path` is the way into the body, query or path; `message` is for the client. */
export interface FieldIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** A machine-readable kind where the vendor has one (AVYCENNA's `type`). */
  readonly code?: string;
}

export interface RefusalDetails {
  readonly issues?: readonly FieldIssue[];
  /** Seconds, whole, at least 1. */
  readonly retryAfter?: number;
  /** What there were too many of, where that is not tries; or what is away, where that is not Portico. */
  readonly about?: 'emails' | 'legacy-system' | 'registration';
  /** Methods that the path serves, for 'method-not-allowed'. */
  readonly allow?: readonly string[];
  /** For the log only. */
  readonly detail?: string;
  readonly cause?: unknown;
}

export class Refused extends Error {
  override readonly name = 'Refused';
  readonly reason: Reason;
  readonly issues: readonly FieldIssue[];
  readonly retryAfter: number | undefined;
  readonly about: RefusalDetails['about'];
  readonly allow: readonly string[];

  constructor(reason: Reason, details: RefusalDetails = {}) {
    super(details.detail ?? reason, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.issues = details.issues ?? [];
    this.retryAfter = details.retryAfter;
    this.about = details.about;
    this.allow = details.allow ?? [];
  }
}
