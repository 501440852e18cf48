/**
 * Pages from views/: EJS, each compiled once. A template sees what its page gives it under `page`, and no
 * more: never a body, a query or an options object of a request (CVE-2022-29078). `<%=` escapes; the only
 * unescaped output is the layout's own content.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ejs from 'ejs';
import { brandSheetAddress } from './brand-stylesheet.ts';
import type { Words } from './i18n.ts';

export interface Brand {
  readonly name: string;
  readonly logo?: string;
  /** For dark schemes, where it is another one. */
  readonly logoDark?: string;
  /** '#rrggbb'. */
  readonly accent?: string;
  readonly links: readonly { readonly key: string; readonly href: string }[];
}

export interface PageInput {
  /** A file in views/pages, without its ending. */
  readonly view: string;
  /** What the template reads as `page`. Its members are chosen one by one, never copied from a request. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Languages by preference. */
  readonly languages?: readonly string[];
  /** Instead of the server's own. */
  readonly brand?: Brand | undefined;
  /** For content that does not fit a small card. */
  readonly wide?: boolean;
}

export interface Asset {
  readonly address: string;
  readonly integrity: string;
}

export interface Views {
  /** A whole document, and whether it loads a script. Throws for a view that is not there. */
  render(input: PageInput): { html: string; scripts: boolean };
  /** Words of the pages by themselves, in the first of these languages that is there. */
  say(languages: readonly string[], key: string): string;
  /** The language that a page for these is in. */
  choose(languages: readonly string[]): string;
  readonly brand: Brand;
}

type Template = (locals: Readonly<Record<string, unknown>>) => string;

const OPTIONS: ejs.Options & { async?: false } = {
  strict: true,
  localsName: 'it',
  destructuredLocals: [
    'page',
    't',
    'brand',
    'asset',
    'partial',
    'content',
    'language',
    'title',
    'wide',
    'sheets',
    'needs',
    'scripts',
  ],
};

export function createViews(options: {
  /** views/ */
  folder: string;
  words: Words;
  brand: Brand;
  /** A file of public/. */
  asset: (name: string) => Asset;
}): Views {
  const templates = compileAll(options.folder);
  const template = (path: string): Template => {
    const result = templates.get(path);
    if (result === undefined) throw new Error(`There is no view ${path}.`);
    return result;
  };
  return {
    brand: options.brand,
    say: (languages, key) => options.words.say(options.words.choose(languages), `pages.${key}`),
    choose: (languages) => options.words.choose(languages),
    render(input) {
      const language = options.words.choose(input.languages ?? []);
      const brand = input.brand ?? options.brand;
      const scripts = new Map<string, Asset>();
      const asset = (name: string) => options.asset(name).address;
      const locals = {
        page: input.data,
        brand,
        sheets: [
          asset('portico.css'),
          ...(brand.accent === undefined ? [] : [brandSheetAddress(brand.accent)]),
        ],
        asset,
        /** A script of public/ that what is shown can do without. */
        needs: (name: string) => void scripts.set(name, options.asset(name)),
        scripts,
        language,
        content: '',
        title: titleOf(input, options.words, language),
        wide: input.wide === true,
        t: (key: string, values?: Record<string, unknown>) =>
          options.words.say(language, `pages.${key}`, values),
      };
      const partial = (name: string, data: Record<string, unknown> = {}): string =>
        template(`partials/${name}`)({ ...locals, partial, page: data });
      const content = template(`pages/${input.view}`)({ ...locals, partial });
      const html = template('layout/layout')({ ...locals, partial, content });
      return { html, scripts: scripts.size > 0 };
    },
  };
}

/** A page that says a sentence of a dialect's brings its own title. */
function titleOf(input: PageInput, words: Words, language: string): string {
  const { title } = input.data;
  return typeof title === 'string' ? title : words.say(language, `pages.titles.${input.view}`);
}

/** Everything at start: a template that does not compile stops the server, not a page. */
function compileAll(folder: string): Map<string, Template> {
  const templates = new Map<string, Template>();
  for (const kind of ['layout', 'partials', 'pages']) {
    for (const file of readdirSync(join(folder, kind))) {
      if (!file.endsWith('.ejs')) continue;
      const path = join(folder, kind, file);
      templates.set(
        `${kind}/${file.slice(0, -4)}`,
        ejs.compile(readFileSync(path, 'utf8'), { ...OPTIONS, client: false, filename: path }),
      );
    }
  }
  return templates;
}
