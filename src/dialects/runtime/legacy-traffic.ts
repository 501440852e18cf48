/**
 * What passes through to a legacy system while its dialect is in stage proxy: the request as it is sent on and the
 * reply as it came, byte for byte. src/legacy does the calls, and learns from them.
 */
import type { RequestContext } from '../../identity/context.ts';
import type { Stage, StagePlace } from '../../migration/stage-record.ts';
import type { Refused } from '../contract/dialect.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import type { Reply } from '../contract/reply.ts';
import type { CurrentRequest } from './current-request.ts';
import type { DialectServices } from './deps.ts';
import type { MountedDialect } from './mounted.ts';

export interface PassedRequest {
  /** To which the client sent it. */
  readonly host: string;
  readonly method: string;
  /** With the query, as the client wrote it. */
  readonly target: string;
  /** Names and values in turn, in order and spelling. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

export interface PassedReply {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** One request that the legacy system answered. */
export interface PassedExchange {
  readonly mounted: MountedDialect;
  readonly endpoint: Endpoint;
  /** Its path. */
  readonly pattern: string;
  readonly request: PassedRequest;
  readonly reply: PassedReply;
  /** What the request names; undefined: it names none. */
  organization(): Promise<string | undefined>;
  readonly context: RequestContext;
  readonly stage: Stage;
  /** The same request once more, for Portico to answer with these services. */
  again(services: DialectServices): CurrentRequest;
}

/** What Portico says to a request, with the headers that the dialect names. */
export interface Said {
  readonly reply: Reply;
  readonly refusal?: Refused | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Absent where no dialect has a legacy system. */
export interface LegacyTraffic {
  stageOf(dialect: string, place: StagePlace): Stage | undefined;
  /** Whether the stage depends on the organization. */
  differsByOrganization(dialect: string): boolean;
  /** One call, never repeated. Never rejects. `retryAfter`: seconds. `limited`: by the configured rate. */
  send(
    mounted: MountedDialect,
    request: PassedRequest,
    options?: { readonly limited: boolean },
  ): Promise<PassedReply | { readonly away: string; readonly retryAfter?: number }>;
  /** Learns from the exchange, and compares it in stage shadow; both after the client has its reply. */
  learn(exchange: PassedExchange): void;
  /** Stage primary: whether the legacy system is asked too about this read, which Portico has answered. */
  asksToo(mounted: MountedDialect): boolean;
  /** `here`: what Portico has said. */
  compare(exchange: PassedExchange, here: Said): void;
}
