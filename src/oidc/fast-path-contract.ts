/** Answers without the provider's middleware, as http/fast-lane.ts gives them. */
import type { IncomingMessage } from 'node:http';

export interface FastRoute {
  readonly pattern: string;
  /** True: the request has a form as its body. False: it has no body. */
  readonly takesForm: boolean;
  /** Undefined: the request is unusual; nothing was changed, and the provider answers. Rejects with StoreUnavailable. */
  answer(request: IncomingMessage, form: string): Promise<FastAnswer | undefined> | FastAnswer | undefined;
}

/** A reply with status 200. */
export interface FastAnswer {
  /** Names and values in turn: those beside what every reply says. */
  readonly headers: readonly string[];
  /** Cache-Control. Default: no-store. */
  readonly caching?: string;
  readonly body: string | Buffer;
}
