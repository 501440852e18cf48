import type { Reason } from '../../core/refused.ts';
import type { AnyAccepts, Caller, Endpoint, RequestView } from './endpoint.ts';
import type { AnySettings } from './settings.ts';

export interface LimitContext<Settings = AnySettings, Body = unknown, Who = Caller | undefined> {
  readonly request: RequestView;
  readonly settings: Settings;
  readonly caller: Who;
  readonly body: Body;
  readonly endpoint: Endpoint<AnyAccepts, Settings>;
}

export interface LimitRule {
  /** Name of the counter; it belongs to this dialect alone. */
  readonly counter: string;
  /** Whose count: an address, an account, a normalized e-mail. The pipeline adds the organization. */
  readonly key: string;
  /** One count for all organizations: where a request need not name one, leaving it out must not give a fresh count. */
  readonly acrossOrganizations?: true;
  readonly limit: number;
  /** Seconds. */
  readonly window: number;
  readonly kind: 'sliding' | 'fixed';
  /**
   * 'each': every request that reaches the step, before the work; a sliding count is given back when another
   * limit or a shared counter refuses the request (a fixed one stays charged). 'success' or reasons: held
   * before the work, and charged when it ended so.
   */
  readonly charge: 'each' | 'success' | readonly Reason[];
}

/** How most limits count: every request, in any stretch of the window. */
export const sliding = { kind: 'sliding', charge: 'each' } as const;

export interface ChargedLimit extends LimitRule {
  readonly remaining: number;
  /** Seconds until the window ends (fixed), or until there is room (sliding). */
  readonly resetAfter: number;
}
