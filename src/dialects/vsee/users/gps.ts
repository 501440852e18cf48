/** Where a person is: an object, its JSON as text, or the form's `gps[lat]` and `gps[long]`. */
import { type Reader, WRONG } from '../fields.ts';

export interface Position {
  lat: number;
  long: number;
}

export const gps: Reader<Position> = {
  documented: { type: ['object', 'string'], description: 'lat -90 to 90 and long -180 to 180' },
  read(value) {
    const sent = typeof value === 'string' ? parsed(value) : value;
    if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return WRONG;
    const position: { lat?: unknown; long?: unknown } = sent;
    const lat = degrees(position.lat, 90);
    const long = degrees(position.long, 180);
    return lat === undefined || long === undefined ? WRONG : { lat, long };
  },
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function degrees(value: unknown, most: number): number | undefined {
  const isNumberText = typeof value === 'string' && /^[+-]?\d{1,3}(\.\d{1,20})?$/.test(value);
  const number = isNumberText ? Number(value) : value;
  return typeof number === 'number' && Math.abs(number) <= most ? number : undefined;
}
