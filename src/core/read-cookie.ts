/**
 * A cookie of a request. Koa's own reader makes a regular expression of each name and keeps it for good, and some names
 * here are made of what the client sends.
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (let from = 0; header !== undefined && from <= header.length; ) {
    const semicolon = header.indexOf(';', from);
    const end = semicolon === -1 ? header.length : semicolon;
    while (header[from] === ' ') from += 1;
    if (header.startsWith(name, from) && header[from + name.length] === '=') {
      const value = header.slice(from + name.length + 1, end);
      return value.startsWith('"') ? value.slice(1, -1) : value;
    }
    from = end + 1;
  }
  return undefined;
}
