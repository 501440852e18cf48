/**
 * The Mailer: a queue in memory between the request that causes an email and the server that takes it. A
 * slow or broken mail server costs no request anything; an email that cannot be sent is tried again with
 * growing pauses, and lost when the process is killed before (people ask for another one).
 */
import type { Log } from '../observe/log.ts';
import type { BrandOfEmail, Email, Mailer, MailTransport } from './mailer.ts';
import type { Emails } from './templates.ts';

interface Waiting {
  readonly email: Email;
  tries: number;
}

/** Milliseconds that an email waits at first: by then the request that caused it is answered. */
const AFTER_REPLY = 20;

export interface EmailQueueOptions {
  readonly transport: MailTransport;
  readonly emails: Emails;
  /** Default: every email wears the server's own. */
  readonly brandOf?: BrandOfEmail;
  readonly log: Log;
  /** Told of each email's end. */
  readonly count?: (outcome: 'sent' | 'failed' | 'dropped') => void;
  /** How often an email is tried. */
  readonly tries?: number;
  /** Milliseconds before the second try; four times as long before each further one. */
  readonly pause?: number;
  /** Emails on their way at once. */
  readonly concurrency?: number;
  /** Emails that may wait; what comes on top is dropped and logged. */
  readonly capacity?: number;
}

export function createEmailQueue(options: EmailQueueOptions): Mailer {
  const { transport, emails, log, count, tries = 6, pause = 1_000 } = options;
  const { concurrency = 4, capacity = 10_000 } = options;
  const queue: Waiting[] = [];
  const paused = new Map<Waiting, NodeJS.Timeout>();
  const idle = new Set<() => void>();
  let underway = 0;
  let hurried = false;
  let closed = false;

  const pending = () => queue.length + paused.size + underway;

  function pump(): void {
    while (underway < concurrency) {
      const next = queue.shift();
      if (next === undefined) break;
      underway += 1;
      void deliver(next).finally(() => {
        underway -= 1;
        pump();
        if (pending() === 0) for (const tell of idle) tell();
      });
    }
  }

  async function deliver(waiting: Waiting): Promise<void> {
    const { email } = waiting;
    waiting.tries += 1;
    try {
      const rendered = emails.render(email, await options.brandOf?.(email));
      // Rendered for equal work only: a channel that must not reveal accounts sends no email.
      if (email.to === '') return;
      await transport.deliver(rendered);
      count?.('sent');
    } catch (error) {
      retryOrGiveUp(waiting, error);
    }
  }

  function retryOrGiveUp(waiting: Waiting, error: unknown): void {
    const context = { email: waiting.email.name, tries: waiting.tries, ...requestInfoOf(error) };
    if (waiting.tries >= tries || hurried || closed || isFinal(error)) {
      log.error(context, 'an email could not be sent');
      count?.('failed');
      return;
    }
    log.warn(context, 'an email could not be sent yet');
    const timer = setTimeout(() => resume(waiting), pause * 4 ** (waiting.tries - 1));
    // An email that waits keeps no process alive; drain() does.
    timer.unref();
    paused.set(waiting, timer);
  }

  function resume(waiting: Waiting): void {
    clearTimeout(paused.get(waiting));
    paused.delete(waiting);
    queue.push(waiting);
    pump();
  }

  return {
    send(email) {
      if (closed || pending() >= capacity) {
        log.error({ email: email.name }, closed ? 'an email came after closing' : 'too many emails wait');
        count?.('dropped');
        return;
      }
      queue.push({ email, tries: 0 });
      // After the reply: rendering and sending take time, and only an account gets an email: the reply must not tell which.
      setTimeout(pump, AFTER_REPLY);
    },
    async drain(timeout) {
      // The process is about to end: what waits for its pause is tried now, once.
      hurried = true;
      for (const waiting of [...paused.keys()]) resume(waiting);
      if (pending() === 0) return true;
      return new Promise((resolve) => {
        const finish = (empty: boolean) => {
          clearTimeout(timer);
          idle.delete(tell);
          resolve(empty);
        };
        const tell = () => finish(true);
        const timer = setTimeout(() => finish(pending() === 0), timeout);
        idle.add(tell);
        pump();
      });
    },
    async close() {
      closed = true;
      for (const timer of paused.values()) clearTimeout(timer);
      if (pending() > 0) log.error({ emails: pending() }, 'emails were not sent before closing');
      await transport.close();
    },
  };
}

/** The mail server's own words may quote the address: only its codes are logged. */
function requestInfoOf(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return {};
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  if (code === undefined && responseCode === undefined) return { err: error };
  // Not under the name `code`: the log hides what is called so.
  return { failure: code, response: responseCode };
}

/** A 5xx reply says that trying again will not help (RFC 5321 4.2.1). */
function isFinal(error: unknown): boolean {
  const { responseCode } = (error ?? {}) as { responseCode?: unknown };
  return typeof responseCode === 'number' && responseCode >= 500;
}
