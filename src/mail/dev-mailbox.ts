/** The development mailbox: catches letters instead of sending them, in memory, for the page that shows them. */
import type { MailTransport, RenderedLetter } from './mailer.ts';

export interface CaughtLetter extends RenderedLetter {
  readonly at: Date;
}

export interface Mailbox extends MailTransport {
  /** Newest first. */
  list(): readonly CaughtLetter[];
}

/** `keep`: how many letters; the oldest go first. */
export function createMailbox({ keep = 200 }: { keep?: number } = {}): Mailbox {
  const caught: CaughtLetter[] = [];
  return {
    async deliver(letter) {
      caught.unshift({ ...letter, at: new Date() });
      caught.length = Math.min(caught.length, keep);
    },
    list: () => [...caught],
    async close() {},
  };
}
