import type { MailTransport, RenderedLetter } from './mailer.ts';

export interface CaughtLetter extends RenderedLetter {
  readonly at: Date;
}

export interface Mailbox extends MailTransport {
  /** Newest first, 200 at most. */
  list(): readonly CaughtLetter[];
}

export function createMailbox(_: { keep?: number } = {}): Mailbox {
  throw new Error('unwritten');
}
