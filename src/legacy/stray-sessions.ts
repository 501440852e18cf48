/**
 * A sign-in that is asked about opens a session at the legacy system that no client holds. Portico ends these
 * sessions one after the other, beside the requests: no person waits for it, and no sign-in loses its call to it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LegacyTokens, Question } from '../dialects/contract/legacy-api.ts';
import type { About, Asker } from './ask.ts';

/** Sessions that may wait; past them a session is left to its own end. */
const LONGEST_QUEUE = 1000;

type SignOut = Question<{ readonly token: string; readonly refreshToken?: string }>;

export interface SessionEnder {
  end(tokens: LegacyTokens, about: Omit<About, 'deadline'>): void;
  /** Ends what is under way; what waits is left. */
  close(): Promise<void>;
}

export function createSessionEnder(options: {
  /** Absent where the vendor has no sign-out. */
  readonly signOut: SignOut | undefined;
  readonly ask: Asker;
  /** Milliseconds of one call. */
  readonly timeout: number;
}): SessionEnder {
  const { signOut, ask, timeout } = options;
  const waiting: { tokens: LegacyTokens; about: Omit<About, 'deadline'> }[] = [];
  const closing = new AbortController();
  let working: Promise<void> | undefined;

  async function work(question: SignOut): Promise<void> {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { access, refresh } = next.tokens;
      if (access === undefined) continue;
      const asked = { token: access.value, ...(refresh && { refreshToken: refresh.value }) };
      const answer = await ask('signOut', question, asked, {
        ...next.about,
        deadline: performance.now() + timeout,
      });
      if (answer === 'no' || !('away' in answer) || answer.retryAfter === undefined) continue;
      // It was not called, or has no time: once more later.
      if (waiting.length < LONGEST_QUEUE) waiting.push(next);
      await sleep(answer.retryAfter * 1000, undefined, { ref: false, signal: closing.signal });
    }
  }

  function start(question: SignOut): void {
    working ??= work(question)
      .catch((error: unknown) => {
        if (!closing.signal.aborted) throw error;
      })
      .finally(() => {
        working = undefined;
        // Added while the last one ended.
        if (waiting.length > 0) start(question);
      });
  }

  return {
    end(tokens, about) {
      if (signOut === undefined || waiting.length >= LONGEST_QUEUE || closing.signal.aborted) return;
      waiting.push({ tokens, about });
      start(signOut);
    },
    async close() {
      waiting.length = 0;
      closing.abort();
      await working;
    },
  };
}
