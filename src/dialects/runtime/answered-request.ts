/**
 * What is told of a request to a dialect once its reply is made: facts of the server's own, and the client's name.
 * A listener keeps nothing of a person, and does slow work later: the reply may still be on its way.
 */
import type { Stage } from '../../migration/stage-record.ts';
import type { Refused } from '../contract/dialect.ts';
import type { PassedExchange } from './legacy-traffic.ts';

export interface AnsweredRequest {
  readonly dialect: string;
  /** Method and path of the endpoint table; undefined: the dialect serves no such route. */
  readonly endpoint: string | undefined;
  /** Of one that exists; undefined: the request belongs to none that is known. */
  readonly organization: string | undefined;
  readonly userAgent: string | undefined;
  /** Undefined: the dialect has no legacy system there. */
  readonly stage: Stage | undefined;
  readonly answeredBy: 'portico' | 'legacy';
  readonly status: number;
  readonly refusal?: Refused | undefined;
  /** Refused because a brown-out is on. */
  readonly isBrownOut?: boolean | undefined;
  /** Whom Portico knows the request to be of: its caller, or who signed in by it. */
  readonly accountId?: string | undefined;
  /** What passed through, where the legacy system answered. */
  readonly exchange?: PassedExchange | undefined;
}

/** Called once for each request, at once; must not throw. */
export type After = (request: AnsweredRequest) => void;
