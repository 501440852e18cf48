/**
 * The TLS certificate of a client (RFC 8705), as the proxy that ended TLS passes it on in a header. The headers of
 * every other peer are gone by now (http/middleware/trusted-proxies.ts).
 */
import { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** RFC 9440, or PEM with percent signs (`$ssl_client_escaped_cert` of nginx). Undefined: none, or none that is one. */
export function certificateIn(headers: IncomingHttpHeaders, name: string): X509Certificate | undefined {
  const value = headers[name.toLowerCase()];
  if (typeof value !== 'string') return undefined;
  const [, der] = /^:([A-Za-z0-9+/]+={0,2}):$/.exec(value) ?? [];
  try {
    if (der !== undefined) return new X509Certificate(Buffer.from(der, 'base64'));
    // A comma would join the headers of two senders.
    if (!/^[\w%.~+/=-]+$/.test(value)) return undefined;
    const pem = decodeURIComponent(value);
    return pem.split('BEGIN CERTIFICATE').length === 2 ? new X509Certificate(pem) : undefined;
  } catch {
    return undefined;
  }
}

/** `member`: which of the client's `tls_client_auth_*` says who its certificate is for. */
export function subjectMatches(certificate: X509Certificate, member: string, expected: string): boolean {
  switch (member) {
    case 'tls_client_auth_subject_dn':
      return isSameName(certificate.subject, expected);
    case 'tls_client_auth_san_dns':
      return alternatives(certificate, 'DNS').some((name) => name.toLowerCase() === expected.toLowerCase());
    case 'tls_client_auth_san_uri':
      return alternatives(certificate, 'URI').includes(expected);
    case 'tls_client_auth_san_email':
      return alternatives(certificate, 'email').includes(expected);
    case 'tls_client_auth_san_ip':
      return certificate.checkIP(expected) !== undefined;
    default:
      return false;
  }
}

/** Of one kind, as Node writes them: `DNS:a.example, URI:"https://b.example/,"`. */
function alternatives({ subjectAltName = '' }: X509Certificate, kind: string): string[] {
  const all = subjectAltName.matchAll(/(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)/g);
  return [...all].flatMap(([, name, value = '']) => {
    if (name !== kind) return [];
    return [value.startsWith('"') ? String(JSON.parse(value)) : value];
  });
}

/**
 * Whether a distinguished name in the form of RFC 4514 (`CN=app,O=Harbour`, as `openssl x509 -nameopt RFC2253`
 * prints it) is the subject, which Node writes with one attribute a line, the last first.
 */
function isSameName(subject: string, expected: string): boolean {
  const own = subject.split('\n').reverse().map(attribute);
  const named = expected.split(/(?<!\\),/).map((text) => attribute(text.trim()));
  return own.length === named.length && own.every((each, place) => each === named[place]);
}

function attribute(text: string): string {
  const at = text.indexOf('=');
  return `${text.slice(0, at).trim().toUpperCase()}=${unescaped(text.slice(at + 1))}`;
}

/** A sign after a backslash stands for itself, two hexadecimal digits for a byte of UTF-8. */
function unescaped(value: string): string {
  return value.replace(/\\([\da-f]{2}(?:\\[\da-f]{2})*|.)/gis, (_all, sign: string) =>
    sign.length === 1 ? sign : Buffer.from(sign.replaceAll('\\', ''), 'hex').toString(),
  );
}
