/**
 * The configured accent as a stylesheet. People choose a colour; whether text on it and links in it can be
 * read is worked out here, for the light and the dark scheme (WCAG 2.2: 4.5 to 1).
 */
type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
/** The dark scheme's card. */
const DARK_CARD: Rgb = [0x17, 0x1d, 0x1b];
const READABLE = 4.5;

/** `accent`: '#rrggbb'. */
export function brandSheet(accent: string): string {
  const chosen = parse(accent);
  const light = readableOn(WHITE, chosen, BLACK);
  const dark = readableOn(DARK_CARD, chosen, WHITE, 7);
  return [
    `:root{--accent:${hex(light)};--on-accent:${onTop(light)}}`,
    `@media (prefers-color-scheme:dark){:root{--accent:${hex(dark)};--on-accent:${onTop(dark)}}}`,
    '',
  ].join('\n');
}

/** Moves a colour towards another until it stands out enough from the ground. */
function readableOn(ground: Rgb, colour: Rgb, towards: Rgb, ratio = READABLE): Rgb {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = mix(colour, towards, share);
    if (contrast(mixed, ground) >= ratio) return mixed;
  }
  return towards;
}

function onTop(ground: Rgb): string {
  return contrast(WHITE, ground) >= READABLE ? '#ffffff' : '#0a1612';
}

function parse(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

function hex(colour: Rgb): string {
  return `#${colour.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
}

function mix(from: Rgb, to: Rgb, share: number): Rgb {
  const part = (index: 0 | 1 | 2) => from[index] + (to[index] - from[index]) * share;
  return [part(0), part(1), part(2)];
}

/** WCAG 2.2, relative luminance and contrast ratio. */
function contrast(a: Rgb, b: Rgb): number {
  const [lighter, darker] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: Rgb): number {
  const linear = (part: number) => {
    const value = part / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
}
