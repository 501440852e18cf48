/** A text for people: one for all, or by language tag (`en`, `de-AT`). */
export type LocalText = string | { readonly [language: string]: string };

export interface ApiScope {
  /** What it allows, as people read it at consent. */
  readonly description?: LocalText;
  /** The scope is given only to people who have one of these roles. */
  readonly roles?: readonly string[];
  /** The scope is given to clients, too, that no operator registered. */
  readonly unregistered?: boolean;
}

/** An API (a resource server): clients present access tokens to it. */
export interface ApiRecord {
  /** The client_id with which it asks about tokens. No client has the same one. */
  readonly id: string;
  /** The audience of its tokens: an absolute URI without a fragment. Belongs to one API. */
  identifier: string;
  /** As people read it at consent. */
  name?: LocalText;
  /** Absent: clients of every organization may be granted it. */
  organization?: string;
  scopes: { readonly [scope: string]: ApiScope };
  format: 'jwt' | 'opaque';
  /** Of JWTs. */
  algorithm: 'ES256' | 'RS256';
  /** Of its tokens, in seconds; absent: as the configuration says. */
  lifetime?: number;
  /** Claim name -> member of an account: what its tokens carry besides. */
  claims?: { readonly [claim: string]: string };
  /** HMAC-SHA256 of the secret under the server's key; absent: it cannot ask about tokens. */
  secretHash?: string;
}

/** The text in the first of these languages that it is in (`de` also for `de-AT`), else in English or its first. */
export function textIn(text: LocalText, languages: readonly string[]): string {
  if (typeof text === 'string') return text;
  const known = new Map(Object.entries(text).map(([tag, words]) => [tag.toLowerCase(), words]));
  const preferred = languages.flatMap((tag) => [tag.toLowerCase(), tag.toLowerCase().split('-', 1)[0] ?? '']);
  const match = [...preferred, 'en'].find((tag) => known.has(tag));
  return (match === undefined ? [...known.values()][0] : known.get(match)) ?? '';
}
