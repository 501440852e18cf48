/**
 * The kinds of value that configuration keys take, each with the words for what does not fit, and the facts
 * that schema.ts notes of every key.
 */
import { isIP } from 'node:net';
import { z } from 'zod';

/** What the schema knows of a key besides its type. */
export interface KeyInfo {
  readonly about: string;
  /** 'value': never shown. 'url': shown without the user and password in it. */
  readonly secret?: 'value' | 'url';
}

/** Facts by schema; a registry of our own, so that nothing here reaches zod's global one. */
export const keyInfo = z.registry<KeyInfo>();

export function key<Schema extends z.ZodType>(
  schema: Schema,
  about: string,
  more: Omit<KeyInfo, 'about'> = {},
): Schema {
  keyInfo.add(schema, { about, ...more });
  return schema;
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Whole seconds, or '10s', '5m', '24h', '30d'. Read as seconds. */
export const duration = z.union(
  [
    z.int().positive(),
    z
      .string()
      .regex(/^[1-9]\d{0,8}[smhd]$/)
      .transform((text) => Number(text.slice(0, -1)) * SECONDS[text.at(-1) as keyof typeof SECONDS]),
  ],
  {
    error:
      'must be a duration: whole seconds above 0, or a number with s, m, h or d, such as 10s, 5m, 24h, 30d',
  },
);

export const text = z.string().min(1, 'must not be empty');
export const count = z.int().min(1);
/** 0 lets the system choose one. */
export const port = z.int().min(0).max(65_535);
/** A sub-table whose every key has a default. */
export const table = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape);

/** The same with its sentence, for a key that may be left out. */
export const section = <Shape extends z.ZodRawShape>(about: string, shape: Shape) =>
  key(table(shape).prefault({} as z.input<z.ZodObject<Shape>>), about);

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/** Why a text is no issuer, or undefined when it is one. */
export function issueOfIssuer(issuer: string): string | undefined {
  if (!URL.canParse(issuer)) return 'must be a URL such as https://id.example.org';
  const url = new URL(issuer);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https:// (or http://)';
  if (url.username !== '' || url.password !== '') return 'must not contain a user or a password';
  if (url.search !== '' || issuer.includes('?')) return 'must not have a query';
  if (url.hash !== '' || issuer.includes('#')) return 'must not have a fragment';
  if (issuer.endsWith('/')) return `must not end in a slash: write ${url.origin}`;
  if (url.pathname !== '/') return `must not have a path: write ${url.origin}`;
  if (url.origin !== issuer) return `must be written as ${url.origin}`;
  return undefined;
}

export function because(issue: (text: string) => string | undefined) {
  return z.string().check((context) => {
    const message = issue(context.value);
    if (message) context.issues.push({ code: 'custom', message, input: context.value });
  });
}

/** URL of a server: one of the schemes, with a host. */
export function urlOf(...schemes: string[]) {
  return because((value) => {
    const fits = URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1));
    return fits
      ? undefined
      : `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  });
}

/** A provider's issuer: https, or plain http on this machine only. */
export const upstreamIssuer = because((value) => {
  if (!URL.canParse(value)) return 'must be a URL such as https://accounts.example.org';
  const url = new URL(value);
  if (/[\s#]/.test(value) || url.username !== '' || url.password !== '')
    return 'must not contain blanks, a fragment, a user or a password';
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return undefined;
  return 'must begin with https:// (plain http only on localhost)';
});

export const proxy = because((value) => {
  const [address = '', bits, ...rest] = value.split('/');
  // A zone, as in fe80::1%eth0, is known on one machine only.
  const kind = address.includes('%') ? 0 : isIP(address);
  const bitsFit = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (kind === 4 ? 32 : 128));
  return kind > 0 && bitsFit && rest.length === 0
    ? undefined
    : 'must be an IP address or a range such as 10.0.0.0/8';
});

export const origin = because((value) =>
  URL.canParse(value) && new URL(value).origin === value
    ? undefined
    : 'must be an origin such as https://app.example.org',
);

/** Of a header that a proxy makes: none that a request has for other reasons. */
export const headerName = because((value) =>
  /^(?:[a-z\d]+-)+[a-z\d]+$/i.test(value) &&
  !/^(?:content|accept|if|x-forwarded-(?:for|host|port|proto))\b/i.test(value)
    ? undefined
    : 'must be the name of a header of its own, such as Client-Cert',
);

export const KEY_TEXT = /^(?:[0-9a-fA-F]{64}|[A-Za-z0-9+/]{43}=?|[A-Za-z0-9_-]{43}=?)$/;

/** A new one each time: what a key is for is noted on its schema. */
export const webPage = () => urlOf('https', 'http').optional();
