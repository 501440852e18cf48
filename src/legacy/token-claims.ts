/** What a JWT says, read without a key. It counts only where the legacy system has said yes to that very token. */
import type { Json } from '../model/json.ts';

type Claims = Readonly<Record<string, Json>>;

/** Undefined: it is no JWT. `part`: its header or its payload. */
export function claimsIn(token: string, part: 'header' | 'payload' = 'payload'): Claims | undefined {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const text = Buffer.from(parts[part === 'header' ? 0 : 1] ?? '', 'base64url').toString();
    const claims: Json = JSON.parse(text);
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}
