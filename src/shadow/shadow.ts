/**
 * Stage shadow: behind each reply of the legacy system the same request is answered once more, by Portico on stores
 * that forget, and the two replies are compared (compare.ts). Nothing of it is in the client's time: a bounded queue
 * drops and counts. Requests of one dialect are worked on one after the other, and what a reply teaches is learned
 * right after its comparison, so that each is compared with what was known when it came.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { PassedExchange, Said } from '../dialects/runtime/legacy-traffic.ts';
import { endpointName } from '../dialects/runtime/match-route.ts';
import type { MountedDialect } from '../dialects/runtime/mounted.ts';
import type { Log } from '../observe/log.ts';
import { compare } from './compare.ts';
import { type ContractWords, contractWords } from './contract-words.ts';
import { judge, type Seen } from './judge.ts';
import type { PendingComparisons } from './pending-comparisons.ts';

/** Exchanges that wait, and how many of them for a comparison. */
const LONGEST_QUEUE = 256;
const MOST_REHEARSALS = 128;
/** Milliseconds for which exchanges gather before they are worked on. */
const GATHERING = 100;

export type ShadowOutcome = 'same' | 'differs' | 'not-comparable' | 'dropped';

export interface ShadowOptions {
  /** Answers once more, and forgets. */
  readonly rehearse: (exchange: PassedExchange) => Promise<Rehearsal>;
  readonly learn: (exchange: PassedExchange) => Promise<void>;
  readonly pending: PendingComparisons;
  readonly count: (dialect: string, endpoint: string, outcome: ShadowOutcome) => void;
  readonly log: Log;
}

export interface Rehearsal extends Seen {
  readonly here: Said;
}

/** A read that Portico answered, and what the legacy system says to it. */
export interface AskedToo {
  readonly exchange: PassedExchange;
  readonly here: Said;
}

export interface Shadow {
  /** The legacy system has answered: compares what Portico would have said, then learns. Returns at once. */
  follow(exchange: PassedExchange): void;
  /** Stage primary: Portico has answered. */
  compareRead(asked: AskedToo): void;
  /** Ends what is under way; what waits is left. */
  close(): Promise<void>;
}

interface Line {
  readonly waiting: { readonly exchange: PassedExchange; readonly compares: boolean }[];
  rehearsals: number;
  working: Promise<void> | undefined;
}

export function createShadow(options: ShadowOptions): Shadow {
  const { rehearse, learn, count, log } = options;
  const lines = new Map<string, Line>();
  const words = new Map<string, ContractWords>();
  const wordsOf = (mounted: MountedDialect) => {
    const known = words.get(mounted.dialect.name) ?? contractWords(mounted);
    words.set(mounted.dialect.name, known);
    return known;
  };
  let isClosed = false;
  const deps = { ...options, wordsOf, behind: createBehind() };

  async function compareOne(exchange: PassedExchange): Promise<void> {
    try {
      const { here, ...seen } = await rehearse(exchange);
      note(deps, { exchange, here, seen });
    } catch (error) {
      log.warn({ err: error }, 'a request could not be answered once more for the comparison');
    }
  }

  async function workOff(line: Line): Promise<void> {
    while (line.waiting.length > 0) {
      // Many at a time and then none: most requests meet no comparison on their way.
      await pause(GATHERING);
      for (const { exchange, compares } of line.waiting.splice(0)) {
        if (isClosed) return;
        if (compares) {
          line.rehearsals -= 1;
          await compareOne(exchange);
        }
        await learn(exchange);
        await new Promise(setImmediate);
      }
    }
    line.working = undefined;
  }

  return {
    follow(exchange) {
      const { dialect } = exchange.mounted;
      const line = lines.get(dialect.name) ?? { waiting: [], rehearsals: 0, working: undefined };
      lines.set(dialect.name, line);
      const chosen = isChosen(exchange);
      const compares = chosen && line.rehearsals < MOST_REHEARSALS && line.waiting.length < LONGEST_QUEUE;
      if (chosen && !compares) count(dialect.name, endpointName(exchange.endpoint), 'dropped');
      if (line.waiting.length >= LONGEST_QUEUE) return;
      if (compares) line.rehearsals += 1;
      line.waiting.push({ exchange, compares });
      line.working ??= workOff(line);
    },
    compareRead({ exchange, here }) {
      note(deps, { exchange, here, seen: NOTHING_SEEN });
    },
    async close() {
      isClosed = true;
      await Promise.all([...lines.values()].map(({ working }) => working));
    },
  };
}

const NOTHING_SEEN: Seen = { missed: new Set(), people: [], made: false, changed: [], drawn: new Set() };

/** People who changed something at the legacy system: what is known of them here is not what is known there. */
interface Behind {
  has(account: { readonly id: string }): boolean;
  add(id: string): void;
}

/** Of these the newest are remembered. */
const MOST_BEHIND = 10_000;

function createBehind(): Behind {
  const ids = new Set<string>();
  return {
    has: ({ id }) => ids.has(id),
    add(id) {
      ids.delete(id);
      ids.add(id);
      for (const oldest of ids) if (ids.size > MOST_BEHIND) ids.delete(oldest);
    },
  };
}

/** A sign-in costs a hash. */
function isChosen({ mounted, endpoint }: PassedExchange): boolean {
  const { sample, passwords } = mounted.legacy?.shadow ?? { sample: 0, passwords: 0 };
  return Math.random() < sample * (endpoint.counts === 'sign-in' ? passwords : 1);
}

interface Noting extends ShadowOptions {
  wordsOf(mounted: MountedDialect): ContractWords;
  readonly behind: Behind;
}

function note(
  { pending, count, wordsOf, behind }: Noting,
  { exchange, here, seen }: AskedToo & { readonly seen: Seen },
): void {
  const { mounted, reply: there, request, endpoint } = exchange;
  const { name } = mounted.dialect;
  const words = wordsOf(mounted);
  const found = compare(there, here, {
    ...{ words, place: words.replyOf(endpoint, here.reply.status) },
    ...{ values: !seen.made, drawn: seen.drawn, isHead: request.method === 'HEAD' },
  }).filter(({ place }) => !mounted.legacy?.shadow.ignore.includes(place));
  const isBehind = seen.people.some(behind.has);
  const outcome = judge({ dialect: name, there, here, seen, differs: found.length > 0, isBehind });
  if (there.status < 400) seen.changed.forEach(behind.add);
  const at = { endpoint: endpointName(endpoint), request: exchange.context.requestId };
  pending.add(name, outcome, at, outcome === 'differs' ? found : []);
  count(name, at.endpoint, outcome === 'same' || outcome === 'differs' ? outcome : 'not-comparable');
}
