/** What Node says when a client is too slow, breaks off, or does not speak HTTP. No fault of ours: not for the log. */
const CODES = new Set([
  'ERR_HTTP_REQUEST_TIMEOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
]);

export function isOfConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return CODES.has(code) || code.startsWith('HPE_');
}
