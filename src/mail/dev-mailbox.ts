/** The development mailbox: catches emails instead of sending them, in memory, for the page that shows them. */
import type { MailTransport, RenderedEmail } from './mailer.ts';

export interface CaughtEmail extends RenderedEmail {
  readonly at: Date;
}

export interface Mailbox extends MailTransport {
  /** Newest first. */
  list(): readonly CaughtEmail[];
}

/** `keep`: how many emails; the oldest go first. */
export function createMailbox({ keep = 200 }: { keep?: number } = {}): Mailbox {
  const caught: CaughtEmail[] = [];
  return {
    async deliver(email) {
      caught.unshift({ ...email, at: new Date() });
      caught.length = Math.min(caught.length, keep);
    },
    list: () => [...caught],
    async close() {},
  };
}
