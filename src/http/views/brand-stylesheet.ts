/**
 * An accent colour as a stylesheet: the server's, or an organization's own. People choose a colour; whether
 * text on it and links in it can be read is worked out here, for the light and the dark scheme (WCAG 2.2:
 * 4.5 to 1). The address of a sheet carries its colour, so it asks no store, is the same on every node, and
 * may be kept for a year. No style stands in a page: its policy forbids that.
 */
import { createHash } from 'node:crypto';
import type { Middleware } from 'koa';

type Rgb = readonly [number, number, number];

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
/** The dark scheme's card. */
const DARK_CARD: Rgb = [0x17, 0x1d, 0x1b];
const READABLE = 4.5;

const FOLDER = '/assets/brand/';
const ADDRESS = /^\/assets\/brand\/([0-9a-f]{6})\.css$/;

interface Sheet {
  readonly text: string;
  readonly hash: string;
}

/** Stylesheets by colour; bounded, because a client may request any colour. */
const created = new Map<string, Sheet>();
const REMEMBERED = 200;

/** Where a page finds the sheet of a colour. `accent`: '#rrggbb'. */
export function brandSheetAddress(accent: string): string {
  const colour = accent.slice(1).toLowerCase();
  return `${FOLDER}${colour}.css?v=${sheetOf(colour).hash}`;
}

export const serveBrandSheets: Middleware = (ctx, next) => {
  const colour = ctx.method === 'GET' || ctx.method === 'HEAD' ? ADDRESS.exec(ctx.path)?.[1] : undefined;
  if (colour === undefined) return next();
  ctx.state.route = `${FOLDER}:colour.css`;
  const { text, hash } = sheetOf(colour);
  const lasting = ctx.query.v === hash;
  ctx.set('Cache-Control', lasting ? 'public, max-age=31536000, immutable' : 'public, max-age=300');
  ctx.type = 'text/css; charset=utf-8';
  ctx.etag = hash;
  ctx.status = 200;
  if (ctx.fresh) ctx.status = 304;
  else ctx.body = text;
};

function sheetOf(colour: string): Sheet {
  const known = created.get(colour);
  if (known !== undefined) return known;
  const text = brandSheet(`#${colour}`);
  const sheet = { text, hash: createHash('sha256').update(text).digest('base64url').slice(0, 16) };
  if (created.size >= REMEMBERED) created.clear();
  created.set(colour, sheet);
  return sheet;
}

function brandSheet(accent: string): string {
  const { light, dark } = shadesOf(accent);
  return [
    `:root{--accent:${light.accent};--on-accent:${light.onAccent}}`,
    `@media (prefers-color-scheme:dark){:root{--accent:${dark.accent};--on-accent:${dark.onAccent}}}`,
    '',
  ].join('\n');
}

export interface Shade {
  readonly accent: string;
  /** For text on it. */
  readonly onAccent: string;
}

/** `accent`: '#rrggbb'. */
export function shadesOf(accent: string): { light: Shade; dark: Shade } {
  const chosen = parse(accent);
  const shade = (colour: Rgb): Shade => ({ accent: hex(colour), onAccent: onTop(colour) });
  return {
    light: shade(readableOn(WHITE, chosen, 'black')),
    dark: shade(readableOn(DARK_CARD, chosen, 'white', 7)),
  };
}

/** Makes a colour darker or lighter, keeping its hue, until it stands out enough from the ground. */
function readableOn(ground: Rgb, colour: Rgb, towards: 'black' | 'white', ratio = READABLE): Rgb {
  const [hue, saturation, start] = toHsl(colour);
  const step = towards === 'white' ? 0.02 : -0.02;
  for (let lightness = start; lightness > 0 && lightness < 1; lightness += step) {
    const moved = fromHsl(hue, saturation, lightness);
    if (contrast(moved, ground) >= ratio) return moved;
  }
  return towards === 'white' ? WHITE : BLACK;
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

/** Hue in degrees; saturation and lightness from 0 to 1. */
function toHsl(colour: Rgb): [number, number, number] {
  const [r, g, b] = colour.map((part) => part / 255) as [number, number, number];
  const most = Math.max(r, g, b);
  const range = most - Math.min(r, g, b);
  const lightness = most - range / 2;
  if (range === 0) return [0, 0, lightness];
  const saturation = range / (1 - Math.abs(2 * lightness - 1));
  const sector = most === r ? ((g - b) / range) % 6 : most === g ? (b - r) / range + 2 : (r - g) / range + 4;
  return [sector * 60, saturation, lightness];
}

function fromHsl(hue: number, saturation: number, lightness: number): Rgb {
  const part = (offset: number) => {
    const k = (offset + hue / 30 + 12) % 12;
    return (
      255 *
      (lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1)))
    );
  };
  return [part(0), part(8), part(4)];
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
