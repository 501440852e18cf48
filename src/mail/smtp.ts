/** The way out for real emails: a mail server, spoken to by nodemailer over kept connections. */
import { randomUUID } from 'node:crypto';
import type { MailTransport } from './mailer.ts';

const PATIENCE = 10_000;

/** `url`: smtp:// (STARTTLS where the server offers it) or smtps://, with user and password if needed. */
export async function createSmtp({ url }: { url: string }): Promise<MailTransport> {
  // Only where there is a mail server to speak to.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 4,
    connectionTimeout: PATIENCE,
    greetingTimeout: PATIENCE,
    socketTimeout: 3 * PATIENCE,
    // Emails are text made here; nothing in one may make the server read a file or a URL.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async deliver({ from, to, subject, text, html }) {
      await transport.sendMail({
        from,
        // As an object: an address list in one text would be several receivers.
        to: { name: '', address: to },
        subject,
        text,
        html,
        messageId: `<${randomUUID()}@${domainOf(from.address)}>`,
        // Keeps vacation replies away (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
    },
    async close() {
      transport.close();
    },
  };
}

function domainOf(address: string): string {
  return /@([A-Za-z0-9.-]+)/.exec(address)?.[1] ?? 'localhost';
}
