/** Puts the mailer together as the configuration asks. */
import type { Config } from '../config/schema.ts';
import type { Log } from '../observe/log.ts';
import { createLetterQueue } from './letter-queue.ts';
import { createLetters } from './letters.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import type { Mailer } from './mailer.ts';
import { createSmtp } from './smtp.ts';

/** `mailbox` only where mail.kind is 'mailbox'. */
export function openMail(options: { config: Pick<Config, 'mail' | 'branding'>; log: Log }): {
  mailer: Mailer;
  mailbox?: Mailbox;
} {
  const { config, log } = options;
  const letters = createLetters({ from: config.mail.from, product: config.branding.name });
  if (config.mail.kind === 'smtp') {
    return { mailer: createLetterQueue({ transport: createSmtp(config.mail.smtp), letters, log }) };
  }
  const mailbox = createMailbox();
  return { mailer: createLetterQueue({ transport: mailbox, letters, log }), mailbox };
}
