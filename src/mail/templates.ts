/**
 * Renders emails: HTML and plain text from each email template of views/mail, words from the catalogue, name,
 * logo and colours from the brand. Templates get words and the email's data, nothing else; data is escaped
 * where it is printed. Templates are compiled once, and called with one object made here: nothing that a
 * person sends reaches ejs's options (CVE-2022-29078).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import ejs from 'ejs';
import i18next from 'i18next';
import { keepEmailWhole } from '../core/text.ts';
import type { Email, EmailBrand, RenderedEmail, Sender } from './mailer.ts';

export interface Emails {
  /** Throws when the catalogue has no such email. `brand`: the server's own where none is given. */
  render(email: Email, brand?: EmailBrand): RenderedEmail;
}

const VIEWS = new URL('../../views/mail/', import.meta.url);
const LOCALES = new URL('../../config/locales/', import.meta.url);

/**
 * Where the button of a notice leads. A notice shows nothing of its data but the kind of a factor: the one that an
 * account exists is made with the data of the code that it is sent in place of.
 */
const NOTICES: Readonly<Record<string, string>> = {
  'password-changed': '/forgot',
  'password-reset-done': '/account',
  'account-exists': '/account',
  'address-changed': '/account',
  'identity-linked': '/account/sign-ins',
  'identity-unlinked': '/account/sign-ins',
  'wrong-codes': '/account',
  'factor-added': '/account/factors',
  'factor-removed': '/account/factors',
  'factors-reset': '/account/factors',
  'recovery-codes-few': '/account/factors',
  'wrong-factors': '/forgot',
};

/** `from`: sender of every email; an organization with a brand puts its own name before the address. */
export function createEmails(options: { from: string; issuer: string; brand: EmailBrand }): Emails {
  const { issuer } = options;
  const from = senderIn(options.from);
  const [html, text] = [readTemplate('email.html.ejs'), readTemplate('email.txt.ejs')];
  const wordsFor = readCatalogue();

  return {
    render(email, brand = options.brand) {
      const { name } = email;
      const words = wordsFor(email.locale);
      if (!words.has(`mail.${name}.subject`)) throw new Error(`There is no email '${name}'.`);
      const { lifetime, code, link } = contentOf(email, issuer);
      const duration = typeof lifetime === 'number' ? durationOf(lifetime) : undefined;
      const life = duration && words.t(`mail.life.${duration.unit}`, { count: duration.count });
      const factor =
        words.has(`mail.factors.${email.data.factor}`) && words.t(`mail.factors.${email.data.factor}`, {});
      const say = (key: string) => words.t(`mail.${key}`, { product: brand.name, life, factor });
      const viewIn = (shared: (key: string) => string) => ({
        ...{ brand, code, link, language: words.language, shared },
        t: (key: string) => shared(`${name}.${key}`),
        subject: shared(`${name}.subject`),
        life: life && shared(`${name}.life`),
        hint: words.has(`mail.${name}.hint`) ? shared(`${name}.hint`) : undefined,
        colours: { light: unlikeACode(brand.colours.light), dark: unlikeACode(brand.colours.dark) },
        initial: [...brand.name][0]?.toUpperCase() ?? '',
      });
      return {
        from: { name: brand.sender ?? from.name, address: from.address },
        to: email.to,
        subject: say(`${name}.subject`),
        text: wrapped(text(viewIn(say))),
        // In HTML no line ends after the "E-" of the German word.
        html: html(viewIn((key) => keepEmailWhole(say(key)))),
      };
    },
  };
}

function contentOf({ name, organization, data }: Email, issuer: string): Email['data'] {
  const page = NOTICES[name];
  if (page === undefined) return data;
  return { link: `${issuer}${page}?organization=${encodeURIComponent(organization)}` };
}

/** 'Name <address>', or an address alone. */
function senderIn(from: string): Sender {
  const [, name = '', address = from] = /^(.*)<([^<>]+)>\s*$/.exec(from) ?? [];
  return { name: name.trim().replace(/^"(.*)"$/, '$1'), address: address.trim() };
}

/** A colour of six digits would be the only other thing in an email with a code that looks like the code. */
function unlikeACode(colours: EmailBrand['colours']['light']): EmailBrand['colours']['light'] {
  const safe = (colour: string) => (/^#\d{6}$/.test(colour) ? `${colour.slice(0, -1)}a` : colour);
  return { accent: safe(colours.accent), onAccent: safe(colours.onAccent) };
}

function readTemplate(file: string): (view: Readonly<Record<string, unknown>>) => string {
  const text = readFileSync(new URL(file, VIEWS), 'utf8');
  return ejs.compile(text, { strict: true, localsName: 'view' });
}

function readCatalogue() {
  const resources: Record<string, { translation: Record<string, unknown> }> = {};
  for (const file of readdirSync(LOCALES)) {
    if (!file.endsWith('.json')) continue;
    const translation = JSON.parse(readFileSync(new URL(file, LOCALES), 'utf8'));
    resources[basename(file, '.json')] = { translation };
  }
  const instance = i18next.createInstance();
  // Templates escape; escaping here too would show entities in the text part.
  const interpolation = { escapeValue: false };
  void instance.init({ resources, fallbackLng: 'en', initAsync: false, interpolation });
  return (locale = 'en') => {
    const language = [locale, locale.split('-')[0] ?? ''].find((name) => name in resources) ?? 'en';
    const fixed = instance.getFixedT(language);
    return {
      language,
      has: (key: string) => instance.exists(key),
      t: (key: string, values: Record<string, unknown>): string => fixed(key, values),
    };
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
function durationOf(seconds: number): { unit: 'minutes' | 'hours' | 'days'; count: number } {
  if (seconds % 86_400 === 0) return { unit: 'days', count: seconds / 86_400 };
  if (seconds % 3_600 === 0) return { unit: 'hours', count: seconds / 3_600 };
  return { unit: 'minutes', count: Math.max(1, Math.floor(seconds / 60)) };
}
