import type { Json } from './json.ts';

/** An OAuth client. `metadata` holds RFC 7591 names without the secret. */
export interface ClientRecord {
  readonly clientId: string;
  organization: string;
  /** HMAC-SHA256 of the secret under the server's key; absent for public clients. */
  secretHash?: string;
  allOrganizations: boolean;
  firstParty: boolean;
  introspects: string[];
  revokes: string[];
  /** The client of a dialect: refused at /authorize and /token. */
  dialect?: string;
  /** The identifier of the API that asks about tokens as this client. Never stored: the API's own record says it. */
  api?: string;
  metadata: Record<string, Json>;
}
