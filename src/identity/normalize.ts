/** As stored and compared: trimmed, NFC, lower case. */
export function normalizeEmail(text: string): string {
  return text.trim().normalize('NFC').toLowerCase();
}

/** A sign-in name as it is looked up and counted. */
export function foldName(text: string): string {
  return text.trim().normalize('NFC').toLowerCase();
}
