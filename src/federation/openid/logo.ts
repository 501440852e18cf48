/**
 * The picture on an upstream's button. It stands in the page itself, so a drawing of the configuration may hold shapes
 * and their looks alone: no script, no style, no link, no text.
 */
const ATTRIBUTE = /\s+([a-z][a-z\d-]*)\s*=\s*"([^"<>&]*)"/gy;
const TAG = /\s*<(\/?)([a-z]+)((?:\s+[a-z][a-z\d-]*\s*=\s*"[^"<>&]*")*)\s*(\/?)>/y;

const SHAPES = new Set(['g', 'path', 'circle', 'ellipse', 'rect', 'polygon', 'polyline', 'line']);
const LOOKS = new Set(
  (
    'd fill fill-rule clip-rule fill-opacity opacity stroke stroke-width stroke-linecap stroke-linejoin transform ' +
    'cx cy r rx ry x y x1 y1 x2 y2 width height points'
  ).split(' '),
);
const LONGEST = 8192;

/** The drawing as it stands in a page; undefined when it has anything but shapes. */
export function logoOf(svg: string): string | undefined {
  const [, root = '', inner] =
    /^\s*<svg((?:\s+[\w:-]+\s*=\s*"[^"<>&]*")*)\s*>(.*)<\/svg>\s*$/s.exec(svg) ?? [];
  const [, viewBox] = /\sviewBox\s*=\s*"([\d\s.,-]{7,60})"/.exec(root) ?? [];
  if (svg.length > LONGEST || inner === undefined || viewBox === undefined) return undefined;
  const drawing = shapesOf(inner);
  return drawing === undefined ? undefined : svgOf(viewBox, drawing);
}

/** The first letter of a name in a circle. */
export function initialMark(title: string): string {
  const initial = /[\p{L}\p{N}]/u.exec(title)?.[0].toUpperCase() ?? '';
  return svgOf(
    '0 0 24 24',
    '<circle cx="12" cy="12" r="11" fill="none" stroke="currentColor" stroke-width="1.5"/>' +
      `<text x="12" y="16.5" text-anchor="middle" font-size="13" fill="currentColor">${initial}</text>`,
  );
}

function svgOf(viewBox: string, drawing: string): string {
  return `<svg viewBox="${viewBox}" width="20" height="20" aria-hidden="true" focusable="false">${drawing}</svg>`;
}

/** Written anew, tag by tag: what is not understood does not get through. */
function shapesOf(inner: string): string | undefined {
  const open: string[] = [];
  let at = 0;
  let drawing = '';
  while (inner.slice(at).trim() !== '') {
    TAG.lastIndex = at;
    const found = TAG.exec(inner);
    if (found === null) return undefined;
    const [all, closing, name = '', attributes = '', single] = found;
    at += all.length;
    if (!SHAPES.has(name)) return undefined;
    if (closing === '/') {
      if (open.pop() !== name || attributes !== '' || single === '/') return undefined;
      drawing += `</${name}>`;
      continue;
    }
    const looks = looksOf(attributes);
    if (looks === undefined) return undefined;
    if (single !== '/') open.push(name);
    drawing += `<${name}${looks}${single}>`;
  }
  return open.length === 0 ? drawing : undefined;
}

function looksOf(attributes: string): string | undefined {
  const all = Array.from(attributes.matchAll(ATTRIBUTE), ([, name = '', value = '']) => ({ name, value }));
  if (all.some(({ name, value }) => !LOOKS.has(name) || /url|:|\\/i.test(value))) return undefined;
  return all.map(({ name, value }) => ` ${name}="${value}"`).join('');
}
