/**
 * One way to spell a name, used for looking up and for counting alike: where the two differ, a limit can be
 * walked around by a blank or a capital (Vault CVE-2025-6004).
 */
import { foldName } from './text.ts';

export { foldName };

/** As stored and compared: trimmed, NFC, lower case. */
export function normalizeEmail(text: string): string {
  return foldName(text);
}
