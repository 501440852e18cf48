/**
 * Mail: what a letter is, and the contract of the two ways out (smtp.ts, mailbox.ts). letters.ts renders
 * the letters. Domain code queues a letter and goes on; nothing waits for a mail server.
 */
import type { Json } from '../model/json.ts';

export interface Letter {
  /** Which email it is: its words stand in the catalogue under `mail.<name>`. */
  readonly name: string;
  readonly to: string;
  /** BCP 47; the letter's language. */
  readonly locale?: string;
  readonly organization: string;
  /** The client that the person is signing in to: its brand counts before the organization's. */
  readonly client?: string;
  /**
   * A `code` or a `link`, and its `lifetime` in seconds; a notice has none of them, and its button leads to a
   * page. Never anything that a stranger's request contained.
   */
  readonly data: Readonly<Record<string, Json>>;
}

export interface Mailer {
  /** Queues the letter and returns at once. Sending is retried with backoff; a failure is logged, never thrown. */
  send(letter: Letter): void;
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

export type BrandOfEmail = (email: Pick<Letter, 'organization' | 'client'>) => Promise<EmailBrand>;

export interface Sender {
  readonly name: string;
  readonly address: string;
}

/** A rendered letter on its way out. */
export interface RenderedLetter {
  readonly from: Sender;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** A way out. Rejects when the letter was not taken. */
export interface MailTransport {
  deliver(letter: RenderedLetter): Promise<void>;
  close(): Promise<void>;
}
