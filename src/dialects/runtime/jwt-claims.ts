/** What a JWT says, read without its key: for tokens that their maker has said yes to. `{}` for any other text. */
import type { Json } from '../../model/json.ts';

export function jwtClaims(token: string): Readonly<Record<string, Json>> {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return {};
  try {
    const claims: Json = JSON.parse(Buffer.from(payload, 'base64url').toString());
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? claims : {};
  } catch {
    return {};
  }
}
