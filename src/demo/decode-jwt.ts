/** Header and claims of a JWT, to be looked at only: nothing here is verified. Undefined for anything else. */
export function decodeJwt(token: string): { header: unknown; claims: unknown } | undefined {
  const [header, claims, signature, ...rest] = token.split('.');
  if (header === undefined || claims === undefined || signature === undefined || rest.length > 0)
    return undefined;
  try {
    return { header: part(header), claims: part(claims) };
  } catch {
    return undefined;
  }
}

function part(encoded: string): unknown {
  return JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
}
