/** Who a legacy system knows, and which of its tokens live. Each vendor's routes read and change it. */
import { randomBytes, randomInt } from 'node:crypto';
import type { VendorName } from './route.ts';

export interface LegacyPerson {
  readonly vendor: VendorName;
  /** The vendor's id. */
  readonly id: string;
  email: string;
  username?: string;
  password?: string;
  first: string;
  last: string;
  /** What this vendor alone knows, in the names of its replies. */
  members: Record<string, unknown>;
  /** Of an upstream identity: `google:<sub>`. */
  identity?: string;
  blocked?: boolean;
}

export interface LegacyToken {
  readonly value: string;
  readonly kind: 'access' | 'refresh';
  readonly person: LegacyPerson;
  /** Tokens of one sign-in end together. */
  readonly family: number;
  /** Epoch seconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** What was sent to a mailbox. */
export interface LegacyLetter {
  readonly vendor: VendorName;
  readonly to: string;
  readonly about: string;
  /** The code, or the token of the link. */
  readonly secret: string;
}

export interface Issued {
  readonly access: LegacyToken;
  readonly refresh?: LegacyToken;
}

/** How a vendor's tokens look and how long they live, in seconds. */
export interface TokenForms {
  access(person: LegacyPerson): string;
  readonly accessLifetime: number;
  refresh?(person: LegacyPerson): string;
  readonly refreshLifetime?: number;
}

export class LegacyWorld {
  readonly people: LegacyPerson[] = [];
  readonly tokens = new Map<string, LegacyToken>();
  readonly letters: LegacyLetter[] = [];
  #families = 0;

  find(vendor: VendorName, by: (person: LegacyPerson) => boolean): LegacyPerson | undefined {
    return this.people.find((person) => person.vendor === vendor && by(person));
  }

  byEmail(vendor: VendorName, email: unknown): LegacyPerson | undefined {
    const folded = String(email).trim().toLowerCase();
    return this.find(vendor, (person) => person.email.toLowerCase() === folded);
  }

  /** The person, where the password is right and the account is not blocked. */
  signIn(vendor: VendorName, login: unknown, password: unknown): LegacyPerson | undefined {
    const folded = String(login).trim().toLowerCase();
    const names = (person: LegacyPerson) =>
      [person.email, person.username].map((name) => name?.toLowerCase());
    return this.find(
      vendor,
      (person) =>
        names(person).includes(folded) &&
        person.password !== undefined &&
        person.password === password &&
        person.blocked !== true,
    );
  }

  issue(person: LegacyPerson, forms: TokenForms, family = ++this.#families): Issued {
    const issuedAt = Math.floor(Date.now() / 1000);
    const keep = (kind: LegacyToken['kind'], value: string, lifetime: number): LegacyToken => {
      const token = { value, kind, person, family, issuedAt, expiresAt: issuedAt + lifetime };
      this.tokens.set(value, token);
      return token;
    };
    const access = keep('access', forms.access(person), forms.accessLifetime);
    if (forms.refresh === undefined) return { access };
    return { access, refresh: keep('refresh', forms.refresh(person), forms.refreshLifetime ?? 0) };
  }

  /** A live token of the vendor, whose person may still come in. */
  live(vendor: VendorName, kind: LegacyToken['kind'], value: string | undefined): LegacyToken | undefined {
    const token = this.tokens.get(value ?? '');
    if (token?.kind !== kind || token.person.vendor !== vendor || token.person.blocked) return undefined;
    return token;
  }

  /** One token, or with `family` everything of its sign-in. */
  revoke(value: string, { family = false } = {}): boolean {
    const token = this.tokens.get(value);
    if (token === undefined) return false;
    for (const other of [...this.tokens.values()]) {
      if (other === token || (family && other.family === token.family)) this.tokens.delete(other.value);
    }
    return true;
  }

  remove(person: LegacyPerson): void {
    this.people.splice(this.people.indexOf(person), 1);
    for (const token of [...this.tokens.values()])
      if (token.person === person) this.tokens.delete(token.value);
  }

  send(vendor: VendorName, to: string, about: string, secret: string): void {
    this.letters.push({ vendor, to, about, secret });
  }

  /** The secret of the last letter to this mailbox. */
  secretOf(to: string): string | undefined {
    return this.letters.findLast((letter) => letter.to === to)?.secret;
  }
}

export const hex = (length: number) => randomBytes(length / 2).toString('hex');
export const digits = (length: number) =>
  Array.from({ length }, (_, index) => randomInt(index === 0 ? 1 : 0, 10)).join('');
export const letters = (length: number) =>
  Array.from({ length }, () => String.fromCharCode(97 + randomInt(26))).join('');

/** A JWT of another server's: its signature is nothing that Portico could know. */
export function foreignJwt(claims: Record<string, unknown>): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const payload = { iss: 'https://legacy.test', iat: now, exp: now + 86_400, jti: hex(16), ...claims };
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(payload)}.${randomBytes(32).toString('base64url')}`;
}
