/**
 * Sends long texts of hostile shapes to a place and says where the server's thread works too long for one.
 * What takes no time at its longest need not be compared with anything; what takes some is measured again,
 * beside a quarter of it: linear work takes four times as long for the longer text.
 */
import { leastWorkOf, workOf } from './cpu-time.ts';
import { HOSTILE_SHAPES } from './hostile-text.ts';
import { type Incoming, openClient } from './http-client.ts';

/** Somewhere a client can put a text. */
export interface Place {
  readonly name: string;
  /** Bytes on the wire that the place takes: what is longer is refused for its size alone. */
  readonly longest: number;
  /** The text as it travels: escaped, encoded. */
  wire(text: string): string;
  send(wire: string): Promise<unknown>;
}

export const FORM = 'application/x-www-form-urlencoded';
/** Bytes of a request's head that a text may fill. */
export const HEAD = 15_000;

const SHORT = 4 * 1024;
/** A place that takes no more is sent its longest only. */
const NOT_LONG = 16 * 1024;
/** Milliseconds that another request may have to wait. */
const MOST = 100;
/** Linear work takes 4 times as long for 4 times the text, work in the square 16 times. */
const FACTOR = 8;
/** Milliseconds: below it a measurement says nothing about growth. */
const FLOOR = 3;

/** Where a shape keeps the thread, by the first that does. Undefined: nowhere. */
export async function slowText(places: readonly Place[]): Promise<string | undefined> {
  for (const place of places) {
    for (const [shape, of] of Object.entries(HOSTILE_SHAPES)) {
      const sent = (bytes: number) => place.send(fitting(place, of, bytes));
      for (const bytes of place.longest < NOT_LONG ? [place.longest] : [SHORT, place.longest]) {
        if ((await workOf(() => sent(bytes))) < FACTOR * FLOOR) continue;
        const short = await leastWorkOf(() => sent(bytes / 4), 3);
        const long = await leastWorkOf(() => sent(bytes), 3);
        if (long <= MOST && long < FACTOR * Math.max(short, FLOOR)) continue;
        return `${place.name}, ${shape}: ${short} ms for ${bytes / 4} bytes, ${long} ms for ${bytes}`;
      }
    }
  }
  return undefined;
}

/** The shape, as long as `bytes` on the wire allow. */
function fitting(place: Place, of: (bytes: number) => string, bytes: number): string {
  const wire = place.wire(of(bytes));
  const size = Buffer.byteLength(wire);
  return size <= bytes ? wire : place.wire(of(Math.floor((bytes * bytes) / size) - 8));
}

type Headers = Readonly<Record<string, string>>;

/** In a form, as a client may send it: only what would end the field is escaped. */
export const escaped = (text: string) => text.replaceAll('%', '%25').replaceAll('&', '%26');

/** A client of a server of tests that sends to places. */
export class Sender {
  readonly #unread = new Set<string>();
  readonly #client;
  #requests = 0;

  constructor(url: string) {
    this.#client = openClient(url);
  }

  close(): void {
    this.#client.close();
  }

  /** Requests that were answered before their text was looked at: too large, over a limit, gone, an error. */
  takeUnread(): string[] {
    const unread = [...this.#unread];
    this.#unread.clear();
    return unread;
  }

  /** From an address of its own each time, so that no limit answers before the text is looked at. */
  async send(method: string, path: string, headers: Headers, body?: string): Promise<Incoming> {
    this.#requests += 1;
    const address = `10.${this.#requests >> 16}.${(this.#requests >> 8) & 255}.${this.#requests & 255}`;
    const reply = await this.#client.send({
      method,
      path,
      headers: { 'x-forwarded-for': address, ...headers },
      ...(body !== undefined && { body }),
    });
    if ([410, 413, 429, 431].includes(reply.status) || reply.status >= 500) {
      this.#unread.add(`${method} ${path.slice(0, 100)}: ${reply.status}`);
    }
    return reply;
  }

  queryPlace(path: string, parameter: string, { headers = {}, longest = HEAD } = {}): Place {
    return {
      name: `GET ${path} ${parameter}`,
      longest,
      wire: encodeURIComponent,
      send: (wire) =>
        this.send('GET', `${path}${path.includes('?') ? '&' : '?'}${parameter}=${wire}`, headers),
    };
  }

  /** `others`: what the form holds besides. */
  formPlace(form: {
    path: string;
    headers: Headers;
    field: string;
    longest: number;
    others?: Headers;
  }): Place {
    const { path, headers, field, longest } = form;
    const others = new URLSearchParams(form.others);
    others.delete(field);
    return {
      name: `POST ${path} ${field}`,
      longest,
      wire: escaped,
      send: (wire) =>
        this.send('POST', path, { 'content-type': FORM, ...headers }, `${field}=${wire}&${others}`),
    };
  }
}
