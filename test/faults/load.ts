/**
 * Honest clients at work while things break: each keeps a line of tokens of its own, refreshes it, asks
 * about it, and repeats what got no answer, as a well-written client does. Everything that the server
 * acknowledged goes into the ledger.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  auditorAt,
  introspect,
  oidcChannel,
  type RefreshChannel,
  type Reply,
  vseeChannel,
} from '../nodes/calls.ts';
import { type Findings, type Ledger, type Line, openLedger } from '../support/ledger.ts';

export interface Tally {
  requests: number;
  /** Requests that were answered with 502 or 503, or not at all, and the moments (performance.now()). */
  failedAt: number[];
  /** How they failed. */
  failures: string[];
  /** The slowest answer, in milliseconds. */
  slowest: number;
  /** Answers that must never be given, whatever breaks. */
  wrong: string[];
  refreshes: number;
  /** Clients that gave up: their request failed for longer than a retry counts as one. */
  gaveUp: number;
}

export interface Load {
  readonly tally: Tally;
  readonly ledger: Ledger;
  /** Lets each client finish its round. */
  stop(): Promise<void>;
  /** What the client was told against what the server says now. */
  audit(): Promise<Findings>;
}

/** A retry counts as one for ten seconds from the first use. Milliseconds. */
const PATIENCE = 9_000;
const CHANNELS = [oidcChannel, vseeChannel];

/** `clients` of them, half at each channel, against `at`, until stop(). */
export async function startLoad(at: string, { clients }: { clients: number }): Promise<Load> {
  const tally: Tally = {
    requests: 0,
    failedAt: [],
    failures: [],
    slowest: 0,
    wrong: [],
    refreshes: 0,
    gaveUp: 0,
  };
  const ledger = openLedger();
  const channels = new Map<Line, RefreshChannel>();
  const run = { at, tally, stopped: false };
  for (let i = 0; i < clients; i += 1) {
    const channel = CHANNELS[i % CHANNELS.length] ?? oidcChannel;
    channels.set(ledger.open(`${channel.name} ${i}`, await channel.signIn(at)), channel);
  }
  const channelOf = (line: Line) => channels.get(line) ?? oidcChannel;
  const working = Promise.all(ledger.lines.map((line) => work(run, line, channelOf(line))));
  return {
    tally,
    ledger,
    async stop() {
      run.stopped = true;
      await working;
    },
    audit: () => ledger.audit(auditorAt(at, channelOf)),
  };
}

interface Run {
  readonly at: string;
  readonly tally: Tally;
  stopped: boolean;
}

async function work(run: Run, line: Line, channel: RefreshChannel): Promise<void> {
  const { at, tally } = run;
  for (let round = 0; !run.stopped; round += 1) {
    const { access, refresh } = line.last;
    if (round % 3 === 2) {
      const refreshed = await insist(run, () => channel.refresh(at, refresh));
      if (refreshed === undefined) {
        tally.gaveUp += 1;
      } else if (refreshed.status === 200) {
        tally.refreshes += 1;
        line.input(channel.pair(refreshed));
      } else {
        tally.wrong.push(`${line.name}: a refresh was answered with ${refreshed.status}: ${refreshed.text}`);
        return;
      }
    } else {
      const asked = await insist(run, () => askAbout(at, access, channel));
      if (asked !== undefined && asked.status !== 200)
        tally.wrong.push(`${line.name}: the access token is not active: ${asked.text}`);
    }
  }
}

/** Introspection with its verdict as the status, so that it can be repeated like any request. */
async function askAbout(
  at: string,
  token: string,
  channel: RefreshChannel,
): Promise<Pick<Reply, 'status' | 'text'>> {
  try {
    const { active } = await introspect(at, token, channel.introspector);
    return { status: active ? 200 : 410, text: '' };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { status: Number(/answered (\d+)/.exec(text)?.[1] ?? 0), text };
  }
}

/** Repeats what failed for as long as a retry counts as one; undefined when that was not enough. */
async function insist<Answer extends Pick<Reply, 'status' | 'text'>>(
  { tally }: Run,
  ask: () => Promise<Answer>,
): Promise<Answer | undefined> {
  const begun = performance.now();
  for (let pause = 50; performance.now() - begun < PATIENCE; pause = Math.min(pause * 2, 500)) {
    const sent = performance.now();
    const answer = await ask().catch((error: unknown) => ({ status: 0, text: String(error) }));
    tally.requests += 1;
    tally.slowest = Math.max(tally.slowest, performance.now() - sent);
    if (![0, 502, 503].includes(answer.status)) return answer as Answer;
    tally.failedAt.push(performance.now());
    tally.failures.push(`${answer.status} ${answer.text.slice(0, 100)}`);
    await sleep(pause);
  }
  return undefined;
}

/** Figures for docs/reliability.md; said in the long form only. */
export function report(id: string, figures: Record<string, number | string>): void {
  if (process.env.FAULT_ROUNDS === undefined && process.env.FAULT_KILLS === undefined) return;
  const said = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`      ${id}: ${said.join(', ')}\n`);
}
