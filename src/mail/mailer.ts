/**
 * Mail: what an email is, and the contract of the two transports (smtp.ts, dev-mailbox.ts). templates.ts renders
 * the emails. Domain code queues an email and goes on; nothing waits for a mail server.
 */
import type { EmailName } from '../model/email-name.ts';
import type { Json } from '../model/json.ts';

export interface Email {
  readonly name: EmailName;
  readonly to: string;
  /** BCP 47; the email's language. */
  readonly locale?: string;
  readonly organization: string;
  /** The client that the person is signing in to: its brand counts before the organization's. */
  readonly client?: string;
  /**
   * A `code` or a `link`, and its `lifetime` in seconds; a notice has none of them, and its button leads to a
   * page. Never text from an unauthenticated request.
   */
  readonly data: Readonly<Record<string, Json>>;
}

export interface Mailer {
  /** Queues the email and returns at once. Sending is retried with backoff; a failure is logged, never thrown. */
  send(email: Email): void;
  /** Resolves when the queue is empty or `timeout` milliseconds have passed; true if empty. */
  drain(timeout: number): Promise<boolean>;
  close(): Promise<void>;
}

/** What an email wears. */
export interface EmailBrand {
  readonly name: string;
  /** Before the address in `From`; one for each organization, whichever client an email is about. */
  readonly sender?: string;
  readonly logo?: string;
  readonly logoDark?: string;
  /** '#rrggbb', readable on the ground of their scheme. */
  readonly colours: Readonly<
    Record<'light' | 'dark', { readonly accent: string; readonly onAccent: string }>
  >;
}

export type BrandOfEmail = (email: Pick<Email, 'organization' | 'client'>) => Promise<EmailBrand>;

export interface Sender {
  readonly name: string;
  readonly address: string;
}

/** A rendered email on its way out. */
export interface RenderedEmail {
  readonly from: Sender;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A way out. Rejects when the email was not taken. */
export interface MailTransport {
  deliver(email: RenderedEmail): Promise<void>;
  close(): Promise<void>;
}
