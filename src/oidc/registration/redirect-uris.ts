/**
 * Where a client that registered itself may lead people: over https anywhere, over http to their own machine, and
 * to an application on it by a scheme of its own (RFC 8252, 7).
 */

/** Schemes with a meaning of their own to a browser or a device. The provider refuses more of them. */
const FOREIGN: ReadonlySet<string> = new Set(
  'javascript vbscript data blob file about ws wss ftp mailto tel sms intent view-source jar filesystem'
    .split(' ')
    .map((scheme) => `${scheme}:`),
);

const LOOPBACKS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Why the client may not register it; undefined: it may. `hosts`: the only ones; absent: any. */
export function issueOfRedirectUri(uri: string, hosts: readonly string[] | undefined): string | undefined {
  // An internationalized host is written in ASCII (Punycode), as people see it on the consent page.
  if (!/^[\x21-\x7e]+$/.test(uri) || uri.includes('\\')) return 'must have printable ASCII characters only';
  const url = URL.parse(uri);
  if (url === null) return 'must be absolute URIs';
  if (uri.includes('#')) return 'must not have a fragment';
  if (url.username !== '' || url.password !== '') return 'must not have a user or a password';
  if (`${url.host}${url.pathname}`.includes('*')) return 'must not have a wildcard';
  if (FOREIGN.has(url.protocol)) return `must not begin with ${url.protocol}`;
  if (isWeb(url) && !uri.toLowerCase().startsWith(`${url.protocol}//`)) return 'must be written out in full';
  if (url.protocol === 'http:' && !isLoopback(url)) return 'must begin with https://';
  // Of a scheme of its own, which any application on a device may answer, the host says nothing.
  if (hosts !== undefined && !(isWeb(url) && hosts.includes(url.hostname)))
    return 'must lead to a host that the token allows';
  return undefined;
}

function isWeb({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

/** http on the person's own machine. */
export function isLoopback({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && LOOPBACKS.has(hostname);
}

/** Whether all of them lead to the person's own machine, which only an application there can answer. */
export function areNative(uris: readonly string[]): boolean {
  return uris.every((uri) => {
    const url = URL.parse(uri);
    return url !== null && (!isWeb(url) || isLoopback(url));
  });
}
