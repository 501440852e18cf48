/**
 * What people read about a browser that is signed in: "Firefox on Linux". Two words out of two short lists
 * and nothing else of the User-Agent header is kept: no version and no model that would make a browser
 * recognizable, and no text that its sender could make up.
 */
import type { SessionView } from '../contract.ts';
import { memberOf } from '../persistence/records.ts';

export type BrowserName = NonNullable<SessionView['browser']>;

/** In this order: most browsers also name the ones that they descend from. */
const BROWSERS: readonly [string, RegExp][] = [
  ['Edge', /\bEdg(?:e|A|iOS)?\//],
  ['Opera', /\b(?:OPR|OPT|Opera)\//],
  ['Samsung Internet', /\bSamsungBrowser\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Headless)?Chrom(?:e|ium)\/|\bCriOS\//],
  ['Safari', /\bVersion\/[\d.]+ .*\bSafari\//],
];

const SYSTEMS: readonly [string, RegExp][] = [
  ['iPad', /\biPad\b/],
  ['iPhone', /\biPhone\b/],
  ['Android', /\bAndroid\b/],
  ['ChromeOS', /\bCrOS\b/],
  ['Windows', /\bWindows NT\b/],
  ['macOS', /\bMacintosh\b/],
  ['Linux', /\bLinux\b|\bX11\b/],
];

/** Longer than any browser's; what stands behind it is not looked at. */
const LONGEST = 500;

/** Undefined: neither the browser nor the system is known. */
export function browserName(userAgent: string | undefined): BrowserName | undefined {
  const text = (userAgent ?? '').slice(0, LONGEST);
  const first = (list: readonly [string, RegExp][]) => list.find(([, sign]) => sign.test(text))?.[0];
  return nameOf(first(BROWSERS), first(SYSTEMS));
}

/** From a stored session. A session of an older Portico has none. */
export function storedName(value: unknown): BrowserName | undefined {
  return nameOf(memberOf(value, 'browser'), memberOf(value, 'system'));
}

function nameOf(browser: unknown, system: unknown): BrowserName | undefined {
  const known = {
    ...(typeof browser === 'string' && { browser }),
    ...(typeof system === 'string' && { system }),
  };
  return Object.keys(known).length === 0 ? undefined : known;
}
