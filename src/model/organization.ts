import type { FactorPolicy } from './factors.ts';
import type { Json } from './json.ts';

/** A user directory (a tenant). */
export interface OrganizationRecord {
  readonly id: string;
  name: string;
  /** Host names that name this organization, lower case, without port. Each belongs to one organization at most. */
  hosts: string[];
  /** Domains of its people's addresses, as `emailDomain` spells them. Each belongs to one organization at most. */
  emailDomains?: string[];
  branding?: Record<string, Json>;
  /** Whether people may open accounts themselves; absent: they may not. A client may say otherwise for itself. */
  registration?: boolean;
  /** The identifier of the API that its clients mean where they name none. */
  defaultApi?: string;
  factors?: FactorPolicy;
  vendor: Record<string, Record<string, Json>>;
}
