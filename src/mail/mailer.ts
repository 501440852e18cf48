/**
 * Mail: what a letter is, and the contract of the two ways out (smtp.ts, mailbox.ts). letters.ts renders
 * the letters. Domain code queues a letter and goes on; nothing waits for a mail server.
 */
import type { Json } from '../store/ports.ts';

export interface Letter {
  /** Template in views/mail: `<name>.html.ejs` and `<name>.txt.ejs`; subject from the catalogue. */
  readonly name: string;
  readonly to: string;
  /** BCP 47; the letter's language. */
  readonly locale?: string;
  readonly organization: string;
  /** What the template shows. Never anything that a stranger's request contained. */
  readonly data: Readonly<Record<string, Json>>;
}

export interface Mailer {
  /** Queues the letter and returns at once. Sending is retried with backoff; a failure is logged, never thrown. */
  send(letter: Letter): void;
  /** Resolves when the queue is empty or `timeout` milliseconds have passed; true if empty. */
  drain(timeout: number): Promise<boolean>;
  close(): Promise<void>;
}

/** A rendered letter on its way out. */
export interface RenderedLetter {
  readonly from: string;
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
