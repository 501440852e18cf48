/** Answers without the provider's middleware, as http/fast-lane.ts gives them. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface FastRoute {
  readonly pattern: string;
  /** What the request has as its body. */
  readonly takes: 'nothing' | 'form' | 'json';
  /** Undefined: the request is unusual; nothing was changed, and the provider answers. Rejects with StoreUnavailable. */
  answer(
    request: IncomingMessage,
    text: string,
    arrived: Arrived,
  ): Promise<FastAnswer | undefined> | FastAnswer | undefined;
}

/** What is known of a request before it is read, and its reply. */
export interface Arrived {
  readonly info: {
    readonly id: string;
    readonly address: string;
    readonly host: string;
    readonly arrivedAt: Date;
  };
  readonly res: ServerResponse;
  /** As it came. */
  readonly body?: Buffer | undefined;
}

export interface FastAnswer {
  /** Default: 200. */
  readonly status?: number;
  /** Names and values in turn: those beside what every reply says, or in its place. */
  readonly headers: readonly string[];
  /** Cache-Control. Default: no-store. */
  readonly caching?: string;
  readonly body: string | Buffer;
}
