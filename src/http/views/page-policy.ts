/**
 * The Content-Security-Policy (CSP) of a page. Forms lead to this server alone, redirects included: browsers
 * check form-action against each hop. Where one ends at another site, a page leads there (`leadsTo`).
 * `formsLeave`: the page is nothing but the form that an app gets its answer by.
 */
export function pagePolicy(options: {
  formsLeave?: boolean;
  /** Pictures from elsewhere: an organization's logo. */
  images?: readonly (string | undefined)[];
  frames?: boolean;
  /** Files of public/; never a script in the page itself. */
  scripts?: boolean;
}): string {
  const images = sources(options.images ?? []);
  return [
    "default-src 'none'",
    "style-src 'self'",
    `img-src ${["'self'", ...images].join(' ')}`,
    ...(options.formsLeave === true ? [] : ["form-action 'self'"]),
    ...(options.scripts === true ? ["script-src 'self'"] : []),
    ...(options.frames === true ? ["frame-src 'self'"] : []),
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

export function sources(addresses: readonly (string | undefined)[]): Set<string> {
  return new Set(addresses.map(sourceOf).filter((source) => source !== undefined));
}

/** The origin of a web address, or the scheme of an app's own ('com.example.app:'). */
export function sourceOf(address: string | undefined): string | undefined {
  const url = URL.parse(address ?? '');
  if (url === null) return undefined;
  const source = url.protocol === 'https:' || url.protocol === 'http:' ? url.origin : url.protocol;
  // What reaches a header is made of these signs only, whatever a client registered.
  return /^[a-z0-9:/.[\]+-]+$/i.test(source) ? source : undefined;
}
