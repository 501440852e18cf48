import type { Config } from '../config/schema.ts';
import type { Log } from '../observe/log.ts';
import type { Mailbox } from './mailbox.ts';
import type { Mailer } from './mailer.ts';

/** The mailer that the configuration asks for; `mailbox` only where mail.kind is 'mailbox'. */
export function openMail(_: { config: Config; log: Log }): { mailer: Mailer; mailbox?: Mailbox } {
  throw new Error('unwritten');
}
