/** Puts the mailer together as the configuration asks. */
import type { Config } from '../config/schema.ts';
import type { Log } from '../observe/log.ts';
import { createMailbox, type Mailbox } from './dev-mailbox.ts';
import type { BrandOfEmail, EmailBrand, Mailer, MailTransport } from './mailer.ts';
import { createEmailQueue, type EmailQueueOptions } from './queue.ts';
import { createSmtp } from './smtp.ts';
import { createEmails } from './templates.ts';

/** `mailbox` only where mail.kind is 'mailbox'. */
export async function openMail(options: {
  config: Pick<Config, 'mail'>;
  /** Public URL of the server. */
  issuer: string;
  /** The server's own. */
  brand: EmailBrand;
  brandOf?: BrandOfEmail;
  log: Log;
  count?: EmailQueueOptions['count'];
}): Promise<{
  mailer: Mailer;
  mailbox?: Mailbox;
}> {
  const { config, issuer, brand, brandOf, log, count } = options;
  const emails = createEmails({ from: config.mail.from, issuer, brand });
  const queue = (transport: MailTransport) =>
    createEmailQueue({ transport, emails, log, ...(brandOf && { brandOf }), ...(count && { count }) });
  if (config.mail.kind === 'smtp') {
    return { mailer: queue(await createSmtp(config.mail.smtp)) };
  }
  const mailbox = createMailbox();
  return { mailer: queue(mailbox), mailbox };
}
