/**
 * The words of the pages, from config/locales/<language>.json (i18next catalogues). The language is the
 * client's `ui_locales`, then the browser's Accept-Language, then English.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import i18next from 'i18next';
import { keepEmailWhole } from '../../core/text.ts';

export interface Words {
  /** The text of a key in a language that is there; interpolated values are not escaped, templates do that. */
  say(language: string, key: string, values?: Readonly<Record<string, unknown>>): string;
  has(key: string): boolean;
  /** The first of these languages that is there. */
  choose(input: readonly string[]): string;
}

const FALLBACK = 'en';

/** Where a text takes a value. */
const PLACE = /\{\{\s*(\w+)\s*\}\}/g;

export function loadWords(folder: string): Words {
  const resources: Record<string, { translation: Record<string, unknown> }> = {};
  for (const file of readdirSync(folder)) {
    if (!file.endsWith('.json')) continue;
    const text = keepEmailWhole(readFileSync(join(folder, file), 'utf8'));
    resources[file.slice(0, -5)] = { translation: JSON.parse(text) };
  }
  const catalogue = i18next.createInstance();
  void catalogue.init({
    resources,
    lng: FALLBACK,
    fallbackLng: FALLBACK,
    initAsync: false,
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  /** Texts as they are written, by language: a page says thirty of them. */
  const written = new Map(Object.keys(resources).map((language) => [language, new Map<string, string>()]));
  const textOf = (language: string, key: string): string => {
    const known = written.get(language)?.get(key);
    if (known !== undefined) return known;
    const text = catalogue.t(key, { lng: language, skipInterpolation: true });
    if (catalogue.exists(key)) written.get(language)?.set(key, text);
    return text;
  };
  return {
    say(language, key, values = {}) {
      // i18next knows which text goes with which number.
      if (Object.hasOwn(values, 'count')) return catalogue.t(key, { ...values, lng: language });
      const text = textOf(language, key);
      return text.includes('{{')
        ? text.replace(PLACE, (_place, name: string) => String(values[name] ?? ''))
        : text;
    },
    has: (key) => catalogue.exists(key),
    choose(input) {
      for (const tag of input) {
        const language = tag.toLowerCase().split('-', 1)[0] ?? '';
        if (Object.hasOwn(resources, language)) return language;
      }
      return FALLBACK;
    },
  };
}

/** Accept-Language in order of preference (RFC 9110, 12.5.4); at most ten. */
export function acceptedLanguages(header: string | undefined): string[] {
  return (header ?? '')
    .slice(0, 500)
    .split(',', 10)
    .map((part) => {
      const [tag = '', quality] = part.trim().split(/\s*;\s*q=/i);
      return { tag, quality: quality === undefined ? 1 : Number(quality) || 0 };
    })
    .filter(({ tag, quality }) => /^[a-z]{2,3}(?:-[a-z0-9]+)*$/i.test(tag) && quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag);
}
