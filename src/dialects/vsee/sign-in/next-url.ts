/**
 * Where GET /auth sends the browser. `next` comes from a link that an attacker may have written, so it is
 * parsed as a URL of the portal and the result is judged; nothing is concatenated (BCP 4.11: an open
 * redirector behind a sign-in is what phishing looks for).
 */

/**
 * The address to go to, or undefined when `next` is refused: longer than 2048, with a control character or
 * a backslash, or leading to another origin.
 *
 * @param portal the clinic's portal, perhaps with a path of its own
 * @param prefix the request's own `/vc/{env}`, or ''
 */
export function nextUrl({ portal, prefix, next }: { portal: URL; prefix: string; next: string }) {
  // Browsers drop TAB and LF within URLs and take a backslash for a slash: none of them is ever meant.
  if ([...next].length > 2048 || /[\p{Cc}\\]/u.test(next) || !next.isWellFormed()) return undefined;
  const home = new URL('/', portal);
  if (!URL.canParse(next, home.href)) return undefined;
  const url = new URL(next, home);
  // The origin alone would let `blob:http://portal/...` in, whose origin is that of the address inside.
  if (url.protocol !== home.protocol || url.host !== home.host) return undefined;
  if (url.username !== '' || url.password !== '') return undefined;
  const lead = segments(portal.pathname).concat(segments(prefix));
  if (!beginsWith(url.pathname, lead)) url.pathname = `/${lead.join('/')}${url.pathname}`;
  return url.href;
}

const segments = (path: string) => path.split('/').filter((segment) => segment !== '');

/** Segment for segment: '/vc/nextish' does not begin with '/vc/next'. */
function beginsWith(path: string, lead: readonly string[]): boolean {
  const own = path.split('/').slice(1);
  return lead.every((segment, index) => own[index] === segment);
}
