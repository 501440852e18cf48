/**
 * The domain: who people are, how they prove it, what a failed try costs. Functions of this folder take an
 * Identity first, then one named object. Nothing here knows koa, a database driver or oidc-provider: what
 * must happen to grants and sessions when an account ends is asked of AccessEnder, which oidc/ implements.
 */
import type { Clock } from '../core/clock.ts';
import type { Secrets } from '../core/crypto.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { ClinicDecisions } from '../model/account.ts';
import type { FactorPolicy } from '../model/factors.ts';
import type { Audit } from '../observe/audit.ts';
import type { Log } from '../observe/log.ts';
import type { Stores } from '../store/ports/stores.ts';
import type { LegacySystems } from './legacy-systems.ts';
import type { PasswordHasher } from './passwords/hasher.ts';
import type { PasswordPolicy } from './passwords/policy.ts';
import type { AnonymousBudgets } from './rate-limits/anonymous-budgets.ts';
import type { Budgets, Quota } from './rate-limits/budgets.ts';
import type { Attempts } from './rate-limits/sign-in-attempts.ts';

export interface Identity {
  readonly stores: Stores;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly hasher: PasswordHasher;
  readonly policy: PasswordPolicy;
  readonly budgets: Budgets;
  readonly attempts: Attempts;
  readonly emailLimits: EmailLimits;
  readonly strangers: AnonymousBudgets;
  readonly mailer: Mailer;
  readonly audit: Audit;
  readonly log: Log;
  /** Links in emails begin here. */
  readonly issuer: string;
  readonly access: AccessEnder;
  readonly legacy: LegacySystems;
  /** By dialect name. */
  readonly clinicDecisions: ReadonlyMap<string, ClinicDecisions>;
  /** What an organization asks of its people, seconds old at most. */
  readonly factorPolicy: (organization: string) => Promise<FactorPolicy | undefined>;
}

/**
 * As configured under `emails`: to one mailbox, requested by one client address; and by one address over all
 * mailboxes, so high that a practice behind it goes on working.
 */
export type EmailLimits = Readonly<
  Record<'codes' | 'resets' | 'confirmations' | 'codesPerAddress' | 'perAddress', Quota>
>;

/** Ends what an account holds. */
export interface AccessEnder {
  /**
   * Every grant with its tokens, every browser session, and every sign-in that waits to become one, but the
   * ones to keep. `clientId`: keeps all grants of this client.
   */
  endAll(
    accountId: string,
    keep?: { readonly grantId?: string; readonly sessionUid?: string; readonly clientId?: string },
  ): Promise<void>;
  /** What the account has allowed apps, for when they ask again. */
  forgetConsents(accountId: string): Promise<void>;
}

/** Who is calling, for counters and the audit line. */
export interface RequestContext {
  /** Canonical client address. */
  readonly address: string;
  readonly requestId: string;
  readonly clientId: string;
  /** 'hosted' or the dialect's name. */
  readonly channel: string;
  /** Absent: now. */
  readonly arrivedAt?: Date;
  /** Resolves when the reply is out, or will never be. Absent: none is waited for. */
  readonly answered?: () => Promise<void>;
}
