/** The catalogues: every language says everything, and no page says anything by itself. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import i18next from 'i18next';
import { keepEmailWhole } from '../../src/core/text.ts';
import { loadWords } from '../../src/http/views/i18n.ts';
import { createEmails } from '../../src/mail/templates.ts';
import { relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page } from '../support/web-session.ts';

const root = path.join(import.meta.dirname, '../..');
const LOCALES = path.join(root, 'config/locales');
const LANGUAGES = ['en', 'de', 'es'] as const;

type Catalogue = { readonly [key: string]: string | Catalogue };

function leaves(catalogue: Catalogue, prefix = ''): [string, string][] {
  return Object.entries(catalogue).flatMap(([key, value]) =>
    typeof value === 'string' ? [[prefix + key, value]] : leaves(value, `${prefix}${key}.`),
  );
}

const catalogueOf = (language: string) =>
  new Map(leaves(JSON.parse(readFileSync(path.join(LOCALES, `${language}.json`), 'utf8')) as Catalogue));

const placeholders = (text = '') => [...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, name]) => name).sort();

describe('the words', () => {
  const english = catalogueOf('en');

  it('are there in the languages that discovery names', () => {
    expect(readdirSync(LOCALES).sort()).to.deep.equal(LANGUAGES.map((language) => `${language}.json`).sort());
    expect(english.size).to.be.above(300);
  });

  for (const language of LANGUAGES) {
    it(`${language} has every key and no other, none of them empty, each with the same places to fill in`, () => {
      const words = catalogueOf(language);
      expect([...words.keys()]).to.deep.equal([...english.keys()]);
      for (const [key, text] of words) {
        expect(text.trim(), key).to.not.equal('');
        expect(text, key).to.equal(text.trim());
        expect(placeholders(text), key).to.deep.equal(placeholders(english.get(key)));
      }
    });
  }

  it('are filled in as i18next fills them in', async () => {
    const texts = Object.fromEntries(
      LANGUAGES.map((language) => {
        const text = readFileSync(path.join(LOCALES, `${language}.json`), 'utf8');
        return [language, { translation: JSON.parse(keepEmailWhole(text)) }];
      }),
    );
    const reference = i18next.createInstance();
    const interpolation = { escapeValue: false };
    await reference.init({ resources: texts, lng: 'en', fallbackLng: 'en', interpolation });
    const words = loadWords(LOCALES);
    for (const language of LANGUAGES) {
      for (const [key, text] of [...english, ['no.such.key', '']] as const) {
        const names = placeholders(text).filter((name) => name !== undefined);
        const values = Object.fromEntries(
          names.map((name, at) => [name, [`<${name}> $& {{brand}}`, 7][at % 2]]),
        );
        const given = names.includes('count') ? { ...values, count: 2 } : values;
        const as = reference.t(key, { ...given, lng: language });
        expect(words.say(language, key, given), key).to.equal(as);
        if (names.length === 0) expect(words.say(language, key), key).to.equal(as);
      }
    }
  });

  it('are translated: hardly a sentence is the same in two languages', () => {
    for (const language of ['de', 'es']) {
      const words = catalogueOf(language);
      const same = [...english].filter(([key, text]) => text.includes(' ') && words.get(key) === text);
      expect(same, language).to.deep.equal([]);
    }
  });

  it('are those that people know: none that was given up', () => {
    const input = {
      en: /\bletters?\b|e-mail|\btickets?\b|\bdoors?\b|\bproofs?\b|somebody|whoever|\bholdings\b|\bpresent password/i,
      de: /\bBriefe?\b|Ticket|\bTür|Nachweis|Jetziges Passwort/i,
      es: /\bcartas?\b|\bmensajes? (?:de|con|reciente)|ticket|puerta|\bpruebas?\b/i,
    };
    for (const language of LANGUAGES)
      for (const [key, text] of catalogueOf(language)) expect(text, key).to.not.match(input[language]);
  });

  it('say email in one way in each language, and never break it', () => {
    const spelled = { en: /\bemails?\b/i, de: /E-Mail/, es: /\bcorreos?\b/i };
    for (const language of LANGUAGES)
      for (const key of ['pages.sign-in.login', 'pages.sign-in-code.missing', 'mail.footer'])
        expect(catalogueOf(language).get(key), key).to.match(spelled[language]);
    const german = loadWords(LOCALES).say('de', 'pages.sign-in.login');
    expect(german).to.contain('E\u2011Mail').and.not.contain('E-Mail');
  });

  it('of one step are the same: its title is its heading, on every page of it', () => {
    for (const language of LANGUAGES) {
      const words = catalogueOf(language);
      const code = ['sign-in-code', 'register-code', 'account-code', 'forgot-sent'];
      const headings = code.flatMap((view) => [`pages.${view}.heading`, `pages.titles.${view}`]);
      expect(new Set(headings.map((key) => words.get(key))), language).to.have.property('size', 1);
      const person = ['pages.titles.confirm-person', 'pages.confirm-person.second-code.heading'];
      for (const key of person)
        expect(words.get(key), key).to.equal(words.get('pages.confirm-person.second-password.heading'));
      for (const view of ['forgot', 'register', 'account-sign-ins', 'account-access', 'choose-account'])
        expect(words.get(`pages.titles.${view}`), view).to.equal(words.get(`pages.${view}.heading`));
    }
  });

  /** What a template says beside its expressions and its tags. */
  function bareWords(template: string): string[] {
    const plain = template
      .replace(/<%[\s\S]*?%>/g, '')
      .replace(/<style[\s\S]*?<\/style>/g, '')
      .replace(
        /\s(?:class|id|name|type|method|action|href|src|for|value|style|content|role|rel|scope|target|media|lang|d|viewBox|charset|autocomplete|inputmode|autocapitalize|spellcheck|aria-[a-z]+by|aria-hidden|aria-invalid|datetime|formaction|pattern|xmlns|fill|focusable|sandbox|download|height|width|v?align|srcset|transform|stroke[a-z-]*)="[^"]*"/g,
        '',
      );
    const attributes = [...plain.matchAll(/\s([a-z-]+)="([^"]*\p{L}{2}[^"]*)"/gu)].map(
      ([, , value = '']) => value,
    );
    const texts = plain.replace(/<[^>]*>/g, '\n').split('\n');
    return [...attributes, ...texts].map((text) => text.trim()).filter((text) => /\p{L}{2}/u.test(text));
  }

  it('stand in no view', () => {
    const views = readdirSync(path.join(root, 'views'), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ejs'),
    );
    expect(views.length).to.be.above(40);
    const said = views.flatMap((file) =>
      bareWords(readFileSync(path.join(root, 'views', file), 'utf8')).map((words) => `${file}: ${words}`),
    );
    expect(said).to.deep.equal([]);
    // The way of looking sees what it should.
    expect(bareWords('<p title="Hello you"><%= t(1) %> Sign in<br></p>')).to.deep.equal([
      'Hello you',
      'Sign in',
    ]);
  });

  it('of an email are in the language of the account', () => {
    const shade = { accent: '#1f6f5c', onAccent: '#ffffff' };
    const emails = createEmails({
      from: 'Portico <a@b.test>',
      issuer: 'https://id.test',
      brand: { name: 'Portico', colours: { light: shade, dark: shade } },
    });
    const render = (locale?: string) =>
      emails.render({
        name: 'code',
        to: 'a@b.test',
        organization: 'default',
        data: { code: '123456', lifetime: 600 },
        ...(locale === undefined ? {} : { locale }),
      });
    expect(render('de').subject).to.equal('Ihr Code zum Anmelden');
    expect(render('de-AT').text).to.contain('läuft in 10 Minuten ab');
    expect(render('es-MX').html).to.contain('<html lang="es">').and.contain('10 minutos');
    for (const other of [undefined, 'fr', 'tlh-Latn', '__proto__', ''])
      expect(render(other).subject, other).to.equal('Your sign-in code');
  });
});

describe('the language of a page', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ dialects: [] });
  });
  after(() => server.close());

  async function open(accept: string | undefined, extra: Record<string, string> = {}): Promise<Page> {
    const { url } = await (await relyingParty(server.issuer)).begin(extra);
    const session = openWebSession({ headers: accept === undefined ? {} : { 'accept-language': accept } });
    const page = await session.open(url);
    if (typeof page === 'string') throw new Error(`The browser was sent to ${page}.`);
    return page;
  }

  for (const [input, accept, locales] of [
    ['en', '*', undefined],
    ['de', 'de-CH, en;q=0.5', undefined],
    ['es', 'fr, es;q=0.8, de;q=0.5', undefined],
    ['de', 'es', 'fr-CA de-AT en'],
    ['es', 'es', 'fr it'],
    ['en', 'x'.repeat(4000), '<script> ../../etc/passwd __proto__'],
  ] as const) {
    it(`is ${input} for Accept-Language ${accept.slice(0, 30)} and ui_locales ${locales}`, async () => {
      const page = await open(accept, locales === undefined ? {} : { ui_locales: locales });
      expect(page.body).to.contain(`<html lang="${input}">`);
      expect(page.body).to.contain({ en: 'Password', de: 'Passwort', es: 'Contraseña' }[input]);
    });
  }

  it('stays what the app asked for after a refusal and on the way to consent', async () => {
    const { url } = await (await relyingParty(server.issuer)).begin({ ui_locales: 'de' });
    const session = openWebSession({ headers: { 'accept-language': 'es' } });
    const first = (await session.open(url)) as Page;
    const login = 'mara@clinic.test';
    const refused = (await session.submit(first, { login, password: 'Not-The-Password-11' })) as Page;
    expect(refused.body).to.contain('lang="de"').and.contain('oder Passwort ist falsch');
    const consent = (await session.submit(refused, { login, password: 'Harbour-Lantern-Quartz-41' })) as Page;
    expect(consent.body).to.contain('lang="de"').and.contain('Web App bittet um Zugriff');
  });

  it('is the browser’s where no app is about', async () => {
    const session = openWebSession({ headers: { 'accept-language': 'es-AR' } });
    for (const where of ['/', '/nowhere', '/device', '/interaction/gone', '/reset?token=x', '/authorize'])
      expect(await session.open(server.url + where), where)
        .to.have.property('body')
        .that.contains('lang="es"');
  });

  it('is offered in the metadata', async () => {
    const metadata = await fetch(`${server.url}/.well-known/openid-configuration`);
    expect(await metadata.json())
      .to.have.property('ui_locales_supported')
      .that.deep.equals([...LANGUAGES]);
  });
});
