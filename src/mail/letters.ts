/**
 * Renders letters: HTML and plain text from views/mail, words from the catalogue. Templates get words and
 * the letter's data, nothing else; data is escaped where it is printed. Templates are compiled once, and
 * called with one object made here: nothing that a person sends reaches ejs's options (CVE-2022-29078).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import ejs, { type TemplateFunction } from 'ejs';
import i18next from 'i18next';
import type { Letter, RenderedLetter } from './mailer.ts';

export interface Letters {
  /** Throws when there is no such template. */
  render(letter: Letter): RenderedLetter;
}

const VIEWS = new URL('../../views/mail/', import.meta.url);
const LOCALES = new URL('../../config/locales/', import.meta.url);

/** `from`: sender of every letter. `product`: the name that letters are signed with. */
export function createLetters(options: { from: string; product: string }): Letters {
  const { from, product } = options;
  const templates = readTemplates();
  const catalogue = readCatalogue();

  return {
    render({ name, to, locale, data }) {
      const words = catalogue.wordsFor(locale);
      const t = (key: string, values: Record<string, unknown> = {}) =>
        words.t(`mail.${key}`, { product, ...values });
      const lifetime = typeof data.lifetime === 'number' ? duration(data.lifetime) : undefined;
      const life = lifetime === undefined ? '' : t(`life.${lifetime.unit}`, { count: lifetime.count });
      const view = { ...data, t: (key: string) => t(`${name}.${key}`, { life }), shared: t, product };
      const subject = t(`${name}.subject`);
      const page = (kind: 'html' | 'txt') => {
        const body = templates(`${name}.${kind}`)({ letter: view });
        const footer = t('footer');
        return templates(`layout.${kind}`)({
          letter: { ...view, body, footer, subject, language: words.language },
        });
      };
      return { from, to, subject, text: wrapped(page('txt')), html: page('html') };
    },
  };
}

function readTemplates(): (name: string) => TemplateFunction {
  const compiled = new Map<string, TemplateFunction>();
  for (const file of readdirSync(VIEWS)) {
    if (!file.endsWith('.ejs')) continue;
    const text = readFileSync(new URL(file, VIEWS), 'utf8');
    compiled.set(basename(file, '.ejs'), ejs.compile(text, { strict: true, localsName: 'view' }));
  }
  return (name) => {
    const template = compiled.get(name);
    if (template === undefined) throw new Error(`There is no letter template '${name}'.`);
    return template;
  };
}

interface Words {
  readonly language: string;
  t(key: string, values: Record<string, unknown>): string;
}

function readCatalogue(): { wordsFor(locale: string | undefined): Words } {
  const resources: Record<string, { translation: Record<string, unknown> }> = {};
  for (const file of readdirSync(LOCALES)) {
    if (!file.endsWith('.json')) continue;
    resources[basename(file, '.json')] = {
      translation: JSON.parse(readFileSync(new URL(file, LOCALES), 'utf8')),
    };
  }
  const instance = i18next.createInstance();
  // Templates escape; escaping here too would show entities in the text part.
  void instance.init({
    resources,
    fallbackLng: 'en',
    initAsync: false,
    interpolation: { escapeValue: false },
  });
  return {
    wordsFor(locale) {
      const language =
        [locale, locale?.split('-')[0]].find((name) => name !== undefined && name in resources) ?? 'en';
      const fixed = instance.getFixedT(language);
      return { language, t: (key, values) => fixed(key, values) };
    },
  };
}

const WIDTH = 72;

/** Short lines travel as they are, without soft line breaks of an encoding. A link is never broken. */
function wrapped(text: string): string {
  const lines = text.split('\n').map((line) => {
    if (line.length <= WIDTH || line.includes('://')) return line;
    return line.replace(new RegExp(`(.{1,${WIDTH}})(?: |$)`, 'g'), '$1\n').trimEnd();
  });
  return `${lines.join('\n').trimEnd()}\n`;
}

/** The largest unit that divides the seconds, minutes at least. */
function duration(seconds: number): { unit: 'minutes' | 'hours' | 'days'; count: number } {
  if (seconds % 86_400 === 0) return { unit: 'days', count: seconds / 86_400 };
  if (seconds % 3_600 === 0) return { unit: 'hours', count: seconds / 3_600 };
  return { unit: 'minutes', count: Math.max(1, Math.floor(seconds / 60)) };
}
