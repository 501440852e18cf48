/**
 * How text from outside is taken: its length is judged first, then it is normalized, once. Unicode's
 * normalizing sorts runs of combining marks, which takes time in the square of their length: 30 kB of them
 * hold the whole process for seconds. So nothing else under src/ normalizes (test/architecture.test.ts).
 */
import { domainToASCII, domainToUnicode } from 'node:url';

/** Code points that compose into one at the most: U+1F82 is an alpha and three marks. */
const MOST_COMPOSED = 4;

/** UTF-16 units, several times any name's. A longer text is no name, and stays as it was sent. */
const LONGEST_NAME = 2048;

/** Bytes of UTF-8. A longer password is refused before any work: a password of megabytes is an attack. */
export const PASSWORD_MAX_BYTES = 1024;

/** Whether the text has more than `limit` code points. Takes no longer for a longer text. */
export function isLonger(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  return text.length > 2 * limit || [...text].length > limit;
}

/** Trimmed and NFC; undefined when that has more than `limit` code points. */
export function takeText(sent: string, limit: number): string | undefined {
  const trimmed = sent.trim();
  if (isLonger(trimmed, MOST_COMPOSED * limit)) return undefined;
  const composed = trimmed.normalize('NFC');
  return isLonger(composed, limit) ? undefined : composed;
}

/** As takeText, of one line of letters that can be stored and shown: no control characters. */
export function takeLine(sent: string, limit: number): string | undefined {
  const text = takeText(sent, limit);
  return text === undefined || !text.isWellFormed() || /\p{Cc}/u.test(text) ? undefined : text;
}

/** One `@` with something before it and a domain behind; undefined for what no email would reach. */
export function readEmail(sent: string): string | undefined {
  const email = sent.trim();
  if (email.length > 254 || !email.isWellFormed() || /\p{Cc}/u.test(email)) return undefined;
  return /^[^\s@"(),:;<>[\\\]]{1,64}@[^\s@.,:;<>()[\]"\\]+(?:\.[^\s@.,:;<>()[\]"\\]+)+$/u.test(email)
    ? email
    : undefined;
}

/** A name as it is stored: trimmed, NFC. */
export function takeName(sent: string): string {
  return composeName(sent.trim());
}

/**
 * A name as it is looked up and counted: trimmed, and folded. One spelling for both, or a blank or a capital walks
 * around a limit (Vault CVE-2025-6004). NFC and not NFKC: full-width letters are another name.
 */
export function foldName(sent: string): string {
  return foldCase(sent.trim());
}

/** An email address as it is stored and compared: trimmed, NFC, lower case, its domain in ASCII. */
export function normalizeEmail(sent: string): string {
  return foldName(sent);
}

/**
 * NFC and lower case. Composed once more at the end: a small email may compose with the mark after it where
 * the capital did not (J and a caron). An internationalized domain behind an `@` has one spelling, the one that
 * DNS has (A-labels, RFC 5890): otherwise one mailbox could have two accounts.
 */
export function foldCase(text: string): string {
  const folded = composeName(composeName(text).toLowerCase());
  const at = folded.lastIndexOf('@');
  const domain = folded.slice(at + 1);
  if (at < 1 || folded.length > LONGEST_NAME || !INTERNATIONALIZED.test(domain)) return folded;
  const ascii = domainToASCII(domain);
  // What is no domain is no address either, and stays as it is.
  return ascii === '' ? folded : folded.slice(0, at + 1) + ascii;
}

/** No sign of ASCII but those of a domain: Node would read "a/ü.example" as a URL, and take its host. */
const INTERNATIONALIZED = /^(?=.*[^\0-\x7f])[^\0-,/:-@[-^`{-\x7f]+$/s;

/** The domain of an email address, in the spelling that is compared; undefined: the text is none. */
export function emailDomain(text: string): string | undefined {
  const folded = foldName(text);
  const at = folded.lastIndexOf('@');
  return at < 1 || at === folded.length - 1 ? undefined : folded.slice(at + 1);
}

/** An email address as its person knows it: the domain in the letters of its language. */
export function readableEmail(email: string): string {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  const readable = domain.includes('xn--') ? domainToUnicode(domain) : '';
  return readable === '' ? email : email.slice(0, at + 1) + readable;
}

/** A code with everything around and in it that people paste is no longer than this. */
const LONGEST_CODE = 64;

/**
 * A one-time code as a person types or pastes it: without blanks, dashes and invisible marks, and without the full
 * stop that ended its sentence; full-width letters, and digits of any script, are those of ASCII.
 */
export function readCode(sent: string): string {
  return sent
    .slice(0, LONGEST_CODE)
    .normalize('NFKC')
    .replace(/[\s\p{Cf}\p{Pd}\u2212]/gu, '')
    .replace(/[.\u3002]+$/, '')
    .replace(/\p{Nd}/gu, asciiDigit);
}

/** Unicode has the ten digits of a script in a row. */
function asciiDigit(digit: string): string {
  const place = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(place - value - 1))) value += 1;
  return String(value);
}

function composeName(text: string): string {
  return text.length > LONGEST_NAME ? text : text.normalize('NFC');
}

/** A password as it is judged and hashed (NIST SP 800-63B 3.1.1.2): NFC, not trimmed, not cut. Undefined: too long. */
export function takePassword(sent: string): string | undefined {
  return Buffer.byteLength(sent) > PASSWORD_MAX_BYTES ? undefined : sent.normalize('NFC');
}

/** Lines of cells, in columns as wide as their widest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widthOf(column)))
      .join('  ')
      .trimEnd(),
  );
}

/** With a hyphen that no line breaks at: "E-" at the end of a line and "Mail" on the next cannot be read. */
export function keepEmailWhole(text: string): string {
  return text.replaceAll('E-Mail', 'E\u2011Mail');
}
