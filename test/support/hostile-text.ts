/** Texts that make careless servers work: each fills `bytes` of UTF-8 with what some normalizer or pattern is slow at. */

const filled = (unit: string, bytes: number) => unit.repeat(Math.floor(bytes / Buffer.byteLength(unit)));
const between = (start: string, unit: string, end: string) => (bytes: number) =>
  start + filled(unit, bytes - Buffer.byteLength(start + end)) + end;

export const HOSTILE_SHAPES: Readonly<Record<string, (bytes: number) => string>> = {
  'combining marks that are out of order': between('a', '\u0315\u0300', ''),
  'one sort of marks, then the other': (bytes) =>
    `a${filled('\u0315', (bytes - 1) / 2)}${filled('\u0300', (bytes - 1) / 2)}`,
  'blanks between letters': between('a', ' ', 'b'),
  'pluses between letters': between('a', '+', 'b'),
  'beginnings of tokens': between('', 'eyJ-', ''),
  'beginnings of addresses': between('a@', 'a.', '@'),
  'names of secrets': between('', 'x-password-', '='),
  'quotes and escapes': between('"', '\\"token":"', ''),
  'brackets, commas and separators': between('[', '],[;=', ''),
  'digits that are no number': between('', '9', 'x'),
};
