/** What this node has learned a moment ago and need not learn again: by digest, so that no secret stays in memory. */
import type { Identity } from '../identity/context.ts';

/** What is remembered; the oldest goes first. */
const MOST = 10_000;

export interface Recently {
  /** Whose the texts are, where that was noted in the last `age` seconds. */
  accountOf(texts: readonly string[], age: number): string | undefined;
  note(texts: readonly string[], accountId: string): void;
}

export function createRecently({ clock, secrets }: Pick<Identity, 'clock' | 'secrets'>): Recently {
  const known = new Map<string, { readonly at: number; readonly accountId: string }>();
  const digestOf = (texts: readonly string[]) => secrets.hmac('learned', JSON.stringify(texts));
  const now = () => clock.now().getTime();
  return {
    accountOf(texts, age) {
      const noted = known.get(digestOf(texts));
      return noted !== undefined && now() - noted.at < age * 1000 ? noted.accountId : undefined;
    },
    note(texts, accountId) {
      const digest = digestOf(texts);
      known.delete(digest);
      known.set(digest, { at: now(), accountId });
      const [oldest] = known.keys();
      if (known.size > MOST && oldest !== undefined) known.delete(oldest);
    },
  };
}
