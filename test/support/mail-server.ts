/**
 * A real SMTP server on a port of its own that keeps every email, parsed. What a test learns from an email
 * it learns as the person would: from what arrived.
 */
import type { AddressInfo } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface ReceivedEmail {
  /** Envelope recipients, lower case. */
  readonly to: readonly string[];
  readonly from: string;
  readonly fromName: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly at: Date;
}

export interface MailServer {
  /** `smtp://127.0.0.1:<port>`, for mail.smtp.url. */
  readonly url: string;
  /** Everything that arrived, oldest first. */
  readonly emails: readonly ReceivedEmail[];
  /**
   * The newest email to the address that no earlier call took; waits for one up to `timeout` milliseconds
   * (default 30,000: a busy machine takes its time) and throws when none came.
   */
  take(to: string, timeout?: number): Promise<ReceivedEmail>;
  /** Emails to the address that no call took yet, oldest first. */
  waiting(to: string): readonly ReceivedEmail[];
  close(): Promise<void>;
}

export async function startMailServer(): Promise<MailServer> {
  const emails: ReceivedEmail[] = [];
  const taken = new Set<ReceivedEmail>();
  const listeners = new Set<() => void>();

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onData(stream, session, done) {
      keepEmail(
        stream,
        session.envelope.rcptTo.map((recipient) => recipient.address),
      ).then(
        (email) => {
          emails.push(email);
          done();
          for (const listener of [...listeners]) listener();
        },
        (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
  // A client that goes away in the middle of a conversation is no failure of the test.
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;

  const waiting = (to: string): ReceivedEmail[] =>
    emails.filter((email) => !taken.has(email) && email.to.includes(to.toLowerCase()));

  return {
    url: `smtp://127.0.0.1:${port}`,
    emails,
    waiting,
    async take(to, timeout = 30_000) {
      const deadline = Date.now() + timeout;
      for (;;) {
        const newest = waiting(to).at(-1);
        if (newest !== undefined) {
          taken.add(newest);
          return newest;
        }
        if (!(await nextEmail(listeners, deadline - Date.now()))) {
          throw new Error(`No letter to ${to} arrived within ${timeout} ms.`);
        }
      }
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function keepEmail(stream: AsyncIterable<Buffer>, recipients: string[]): Promise<ReceivedEmail> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const parsed = await PostalMime.parse(Buffer.concat(chunks));
  return {
    to: recipients.map((address) => address.toLowerCase()),
    from: parsed.from?.address ?? '',
    fromName: parsed.from?.name ?? '',
    subject: parsed.subject ?? '',
    text: parsed.text ?? '',
    html: parsed.html ?? '',
    headers: new Map(parsed.headers.map(({ key, value }) => [key.toLowerCase(), value])),
    at: new Date(),
  };
}

/** False when `timeout` milliseconds passed first. */
function nextEmail(listeners: Set<() => void>, timeout: number): Promise<boolean> {
  if (timeout <= 0) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (arrived: boolean) => {
      clearTimeout(timer);
      listeners.delete(onEmail);
      resolve(arrived);
    };
    const onEmail = () => end(true);
    const timer = setTimeout(() => end(false), timeout);
    listeners.add(onEmail);
  });
}
