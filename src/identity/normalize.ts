/**
 * One way to spell a name, used for looking up and for counting alike: where the two differ, a limit can be
 * walked around by a blank or a capital (Vault CVE-2025-6004). NFC and not NFKC: full-width letters are
 * another name, which finds no account and has counters of its own.
 */

/** As stored and compared: trimmed, NFC, lower case. */
export function normalizeEmail(text: string): string {
  return foldName(text);
}

/** A sign-in name as it is looked up and counted. */
export function foldName(text: string): string {
  return text.trim().normalize('NFC').toLowerCase().normalize('NFC');
}
