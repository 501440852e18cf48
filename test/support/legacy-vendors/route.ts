/** What one vendor's routes are to a legacy system. */
import type { LegacyPerson, LegacyWorld, TokenForms } from './world.ts';

export type VendorName = 'visitnote' | 'vsee' | 'medisync' | 'careportals' | 'avycenna';

export interface LegacyRequest {
  readonly method: string;
  /** Below the vendor's base, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** Members of the JSON or form body; {} where there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface LegacyResponse {
  readonly status: number;
  readonly json: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LegacyVendor {
  readonly name: VendorName;
  /** Where the API begins. */
  readonly base: string;
  readonly tokens: TokenForms;
  /** A person with the members that a test did not name. */
  person(fields: Partial<LegacyPerson> & { readonly email: string }): LegacyPerson;
  answer(request: LegacyRequest, world: LegacyWorld): LegacyResponse;
}

export const reply = (
  status: number,
  json: unknown,
  headers: Record<string, string> = {},
): LegacyResponse => ({
  status,
  json,
  headers,
});
