/**
 * A browser without JavaScript: fetch with a cookie jar, one redirect at a time, and the forms of a page.
 * What works here works for a person whose browser runs no script.
 */
import { CookieJar } from 'tough-cookie';

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly forms: readonly Form[];
}

export interface Form {
  /** Absolute. */
  readonly action: string;
  readonly method: 'get' | 'post';
  /** Hidden and preset fields. */
  readonly fields: Readonly<Record<string, string>>;
  /** Names of all fields, in order. */
  readonly names: readonly string[];
}

export interface WebSession {
  readonly jar: CookieJar;
  /** One request; cookies are sent and kept, redirects are not followed. */
  request(url: string, options?: RequestInit): Promise<Response>;
  /**
   * Follows redirects from `url` until a page answers or the next address would begin with one of `until`,
   * which is then returned instead.
   */
  open(url: string, until?: readonly string[]): Promise<Page | string>;
  /** Sends a form of a page, `fields` over its own, and goes on as open() does. */
  submit(page: Page, fields: Record<string, string>, options?: SubmitOptions): Promise<Page | string>;
}

export interface SubmitOptions {
  readonly until?: readonly string[];
  /** Which form of the page; default: the first that posts. */
  readonly form?: Form;
}

export function openWebSession(defaults: { headers?: Record<string, string> } = {}): WebSession {
  const jar = new CookieJar();

  const request = async (url: string, options: RequestInit = {}): Promise<Response> => {
    const headers = new Headers({ accept: 'text/html,*/*', ...defaults.headers });
    new Headers(options.headers).forEach((value, name) => {
      headers.set(name, value);
    });
    const cookies = await jar.getCookieString(url);
    if (cookies !== '') headers.set('cookie', cookies);
    const response = await fetch(url, { ...options, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie())
      await jar.setCookie(cookie, url, { ignoreError: true });
    return response;
  };

  const follow = async (url: string, first: Response, until: readonly string[]): Promise<Page | string> => {
    let at = url;
    let response = first;
    for (let hops = 0; hops < 20; hops += 1) {
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || location === null) return readPage(at, response);
      at = new URL(location, at).href;
      if (until.some((start) => at.startsWith(start))) return at;
      response = await request(at);
    }
    throw new Error(`More than 20 redirects from ${url}.`);
  };

  return {
    jar,
    request,
    open: async (url, until = []) => follow(url, await request(url), until),
    async submit(
      page,
      fields,
      { until = [], form = page.forms.find(({ method }) => method === 'post') } = {},
    ) {
      if (form === undefined) throw new Error(`There is no form at ${page.url}:\n${page.body}`);
      const body = new URLSearchParams({ ...form.fields, ...fields });
      const url = form.method === 'get' ? `${form.action}?${body}` : form.action;
      const post = {
        method: 'POST',
        body,
        headers: { origin: new URL(page.url).origin, referer: page.url, 'sec-fetch-site': 'same-origin' },
      };
      return follow(url, await request(url, form.method === 'get' ? {} : post), until);
    },
  };
}

async function readPage(url: string, response: Response): Promise<Page> {
  const body = await response.text();
  return { url, status: response.status, headers: response.headers, body, forms: formsOf(body, url) };
}

function formsOf(html: string, url: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].map(([, tag = '', inside = '']) => {
    const inputs = [...inside.matchAll(/<(?:input|textarea|select)\b([^>]*)>/gis)].map(
      ([, input = '']) => input,
    );
    const named = inputs.filter((input) => attribute(input, 'name') !== undefined);
    const preset = named.filter(
      (input) =>
        attribute(input, 'value') !== undefined &&
        (!/type="?(checkbox|radio)/i.test(input) || /\bchecked\b/i.test(input)),
    );
    return {
      action: new URL(attribute(tag, 'action') ?? url, url).href,
      method: attribute(tag, 'method')?.toLowerCase() === 'post' ? 'post' : 'get',
      fields: Object.fromEntries(
        preset.map((input) => [attribute(input, 'name'), attribute(input, 'value')]),
      ),
      names: named.map((input) => attribute(input, 'name') ?? ''),
    };
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#34;': '"',
  '&#39;': "'",
};

function attribute(tag: string, name: string): string | undefined {
  const result = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
  const value = result?.[1] ?? result?.[2] ?? result?.[3];
  return value?.replace(/&(?:amp|lt|gt|quot|#34|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}
