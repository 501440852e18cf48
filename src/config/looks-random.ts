/** Tells keys that a machine drew from those that a person typed: samples, repetitions, pass phrases. */
import { decodeKey } from './server-key.ts';

const SAMPLE = /change-?me|example|secret|insecure|development|default/i;

/**
 * 32 bytes as the server key has them. Refuses few different bytes, what repeats itself, rows of numbers, and
 * printable text throughout. Random bytes fail with a chance of less than one in 10^12.
 */
export function looksRandom(key: Uint8Array): boolean {
  const isText = key.every((byte) => byte >= 32 && byte < 127);
  return new Set(key).size >= 16 && !repeats(key) && !isText;
}

/** The text of a secret. Where it is 32 bytes in base64 or hex, those are judged too. */
export function looksRandomText(text: string): boolean {
  const bytes = decodeKey(text);
  if (bytes && !looksRandom(bytes)) return false;
  const written = new TextEncoder().encode(text);
  // Thirty-two random hex digits have fewer than eight different ones with a chance of one in 10^7.
  return new Set(written).size >= 8 && !repeats(written) && !SAMPLE.test(text);
}

/** One piece over and over, cut off anywhere; or a row, with few different steps from byte to byte. */
function repeats(bytes: Uint8Array): boolean {
  const steps = new Set(bytes.slice(1).map((byte, index) => byte - (bytes[index] ?? 0)));
  if (steps.size < 6) return true;
  for (let period = 1; period <= bytes.length / 2; period += 1) {
    if (bytes.every((byte, index) => index < period || byte === bytes[index - period])) return true;
  }
  return false;
}
