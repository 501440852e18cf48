/** What the pipeline works with; made by the composition root, the same for every dialect. */
import type Koa from 'koa';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { Upstreams } from '../../federation/protocol/upstream.ts';
import type { ServerCors } from '../../http/middleware/cors.ts';
import type { Identity } from '../../identity/context.ts';
import type { BrownOutStops } from '../../migration/brown-out-stops.ts';
import type { Audit } from '../../observe/audit.ts';
import type { Log } from '../../observe/log.ts';
import type { OidcServer } from '../../oidc/contract.ts';
import type { Stores } from '../../store/ports/stores.ts';
import type { After } from './answered-request.ts';
import type { LegacyTraffic } from './legacy-traffic.ts';

export interface DialectServices {
  readonly config: Pick<Config, 'dialects'>;
  /** Public URL of the server; emails, audiences and callbacks begin with it. */
  readonly issuer: string;
  readonly identity: Identity;
  readonly oidc: Pick<OidcServer, 'grants' | 'methods'> & {
    readonly sessions: Pick<OidcServer['sessions'], 'open' | 'endOpenedBy'>;
  };
  readonly upstreams: Upstreams;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
  /** Absent where no dialect has a legacy system. */
  readonly legacyTraffic?: LegacyTraffic | undefined;
  readonly after?: After | undefined;
  /** Absent where no dialect has brown-outs. */
  readonly brownOuts?: Pick<BrownOutStops, 'areStopped'> | undefined;
  /** Replies with a page of views/pages, in the person's language; with an organization's brand where one is known. */
  showPage(
    context: Koa.Context,
    page: {
      readonly status: number;
      readonly view: string;
      readonly data: Readonly<Record<string, unknown>>;
      readonly organization: string | undefined;
    },
  ): Promise<void>;
  /** The server's general cross-origin setting (`http.cors`), for dialects that have none of their own. */
  readonly serverCors: ServerCors;
}
