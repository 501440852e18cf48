/** Every view by itself: it escapes what it is given, and finds its words. */

import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { loadWords } from '../../src/http/views/i18n.ts';
import { createViews, type Views } from '../../src/http/views/render.ts';

const root = path.join(import.meta.dirname, '../..');
const HOSTILE = '"><svg onload=alert(1)><%= 7*7 %>\'`';

const AT = '2030-01-01T00:00:00.000Z';

/** What the account pages list, hostile wherever a person or an app could have put it. */
const account: Record<string, unknown> = {
  groups: [
    {
      key: 'names',
      fields: [
        {
          name: 'name',
          type: 'text',
          value: HOSTILE,
          autocomplete: 'name',
          longest: 10,
          wrong: true,
        },
        {
          name: 'gender',
          value: HOSTILE,
          autocomplete: 'sex',
          wrong: true,
          choices: [{ name: HOSTILE, choices: [{ value: HOSTILE, name: HOSTILE }] }],
        },
      ],
    },
  ],
  sessions: [{ uid: HOSTILE, at: AT, factors: ['pwd', 'otp'] }],
  grants: [
    {
      ...{ ends: 'client', value: HOSTILE, remembered: true },
      ...{ client: HOSTILE, at: AT, scopes: [{ key: 'other', name: HOSTILE }] },
    },
  ],
  keys: [{ id: HOSTILE, name: HOSTILE, at: AT, until: AT, scopes: [HOSTILE] }],
  authenticator: { at: AT, used: AT },
  until: AT,
  offered: true,
  devices: [{ hash: HOSTILE, name: HOSTILE, at: AT, until: AT }],
  passkeys: [{ id: HOSTILE, name: HOSTILE, at: AT, used: AT, synced: true }],
  passkey: { action: HOSTILE, options: HOSTILE, name: HOSTILE, autofill: true },
  offers: [{ vendor: 'avycenna', title: HOSTILE, scopes: [HOSTILE] }],
  oldClients: [{ dialect: HOSTILE, title: HOSTILE, rule: 'refuse' }],
  appPasswords: [{ id: HOSTILE, name: HOSTILE, title: HOSTILE, at: AT, used: AT }],
  appPasswordOffers: [{ dialect: HOSTILE, title: HOSTILE }],
  lives: [0, 1, 30],
  answer: [{ name: HOSTILE, value: HOSTILE }],
};

const LISTS = [
  'scopes',
  'links',
  'emails',
  'bars',
  'lines',
  'pieces',
  'groups',
  'sessions',
  'grants',
  'keys',
  'offers',
  'lives',
  'answer',
  'upstreams',
  'blocks',
  'passkeys',
  'oldClients',
  'appPasswords',
  'appPasswordOffers',
];

/**
 * Answers any member with hostile text, and any list with one hostile entry; `absent` is not there, or empty.
 * What was asked for is put into `asked`. The members of the target are those that a partial is handed on.
 */
const hostile = (asked: Set<string>, absent?: string): Record<string, unknown> =>
  new Proxy<Record<string, unknown>>(
    { login: HOSTILE, uid: HOSTILE, token: HOSTILE },
    {
      get(_, name) {
        if (typeof name === 'symbol') return undefined;
        asked.add(name);
        if (name === absent) return LISTS.includes(name) ? [] : undefined;
        if (name === 'kind') return 'internal';
        if (name === 'alert') return { kind: 'sign-in-refused' };
        if (name === 'upstreams') return ['google', 'apple'];
        if (name === 'blocks')
          return [{ kind: 'fields' }, { kind: 'upstreams', upstreams: [{ name: HOSTILE, title: HOSTILE }] }];
        if (name === 'zone') return 'UTC';
        if (name === 'uri') return { sent: HOSTILE, registered: [HOSTILE] };
        if (name === 'list') return [{ id: HOSTILE, name: HOSTILE }];
        if (name in account) return account[name];
        if (['scopes', 'links', 'emails', 'pieces', 'bars', 'lines'].includes(name)) {
          return [
            {
              key: name === 'links' ? 'policy' : 'other',
              name: HOSTILE,
              href: HOSTILE,
              text: HOSTILE,
              at: name === 'links' ? AT : HOSTILE,
              provider: HOSTILE,
              issuer: HOSTILE,
              subject: HOSTILE,
              to: HOSTILE,
              address: HOSTILE,
              client: HOSTILE,
              day: HOSTILE,
              x: HOSTILE,
            },
          ];
        }
        return HOSTILE;
      },
    },
  );

describe('views', () => {
  const words = loadWords(path.join(root, 'config/locales'));
  const views: Views = createViews({
    folder: path.join(root, 'views'),
    words,
    brand: { name: HOSTILE, logo: HOSTILE, links: [{ key: 'support', href: HOSTILE }] },
    asset: (name) => ({ address: `/assets/${name}`, integrity: 'sha384-x' }),
  });
  const names = readdirSync(path.join(root, 'views/pages')).map((file) => file.replace(/\.ejs$/, ''));

  for (const view of names) {
    it(`S7 ${view} escapes everything it is given`, () => {
      const asked = new Set<string>();
      expect(views.render({ view, data: hostile(asked) }).html).to.contain('&lt;svg onload');
      // What is not there leads past other conditions of the template.
      for (const absent of [undefined, ...asked].filter((name) => name !== 'kind')) {
        const html = withoutOurScript(views.render({ view, data: hostile(new Set(), absent) }).html);
        expect(html, absent).to.not.contain('<svg onload');
        expect(html, absent).to.not.match(/="[^"]*"><svg onload/);
        expect(html, absent)
          .to.not.contain('>49<')
          .and.not.match(/<script|\son\w+="|style="/i);
      }
    });

    it(`${view} has a title, one heading, and words for every key it uses`, () => {
      const html = views.render({ view, data: { ...plain, kind: KINDS[view] ?? 'internal' } }).html;
      expect(html.match(/<h1>/g)).to.have.length(1);
      expect(html).to.not.match(/pages\.[a-z-]+/);
      expect(html).to.match(/<html lang="en">/);
      const known = words.has(`pages.titles.${view}`);
      expect(known).to.equal(true);
    });
  }

  for (const view of names) {
    it(`${view} offers a next step: a link or a button that leads on`, () => {
      const { html } = views.render({
        view,
        data: { ...plain, kind: KINDS[view] ?? 'internal', url: 'https://idp.test/' },
      });
      const main = /<main[\s\S]*<\/main>/.exec(html)?.[0] ?? '';
      expect(main).to.match(
        /<a (?:class="[^"]*" )?href="(?:\/|https:)|<button(?! class="link" type="button" hidden)/,
      );
    });
  }

  for (const view of names) {
    it(`${view} names its fields, and ties an error to the field that it is about`, () => {
      const alert = { kind: ALERTS[view] ?? 'sign-in-refused' };
      const data = { ...plain, alert, kind: KINDS[view] ?? 'internal' };
      const { html } = views.render({ view, data });
      const ids = new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id));
      const fields = [...html.matchAll(/<(?:input|select)\b[^>]*>/g)].map(([field]) => field);
      const entered = fields.filter((field) => !/type="(?:hidden|checkbox|radio)"|aria-hidden/.test(field));
      for (const field of entered) {
        const id = /\sid="([^"]+)"/.exec(field)?.[1] ?? 'none';
        expect(html, field).to.contain(`<label for="${id}"`);
      }
      for (const [, about = ''] of html.matchAll(/aria-describedby="([^"]*)"/g))
        for (const id of about.split(' ')) expect(ids, about).to.include(id);
      if (!html.includes('role="alert"') || entered.length === 0) return;
      expect(html).to.match(/aria-invalid="true"/);
      // A profile has many fields, each with words of its own.
      if (view !== 'account-profile') expect(html).to.match(/<input[^>]*aria-describedby="[^"]*\balert\b/);
    });
  }

  it('are under 40 lines each', async () => {
    const { readFileSync } = await import('node:fs');
    for (const view of names) {
      const lines = readFileSync(path.join(root, `views/pages/${view}.ejs`), 'utf8').split('\n').length;
      expect(lines, view).to.be.at.most(41);
    }
  });

  it('have words for every reason and error that a page can show', () => {
    for (const key of [
      'not-found',
      'forbidden',
      'too-large',
      'unavailable',
      'internal',
      'bad-request',
      'invalid_client',
    ]) {
      for (const part of ['heading', 'what', 'next'])
        expect(words.has(`pages.error.${key}.${part}`), key).to.equal(true);
    }
  });
});

/** The kind of a page that comes in several. */
const KINDS: Readonly<Record<string, string>> = { 'confirm-person': 'link' };

/** The alert of a page whose fields have alerts of their own. */
const ALERTS: Readonly<Record<string, string>> = {
  register: 'invalid-address',
  'account-keys': 'invalid-key',
  'account-factors': 'invalid-fields',
  device: 'device-code-unknown',
};

/** The scripts that a page may name, in the one form that the layout gives them. */
function withoutOurScript(html: string): string {
  const ours =
    /<script src="\/assets\/(?:show-password|form-post|simplewebauthn|passkeys)\.js" integrity="sha384-x" defer><\/script>/g;
  return html.replace(ours, '');
}

const plain = {
  ...account,
  devices: [{ hash: 'hash', name: '', at: AT, until: AT }],
  sessions: [{ uid: 'session-uid', at: AT, factors: ['pwd'] }],
  grants: [{ ends: 'grant', value: 'grant-id', remembered: true, client: 'App', at: AT, scopes: [] }],
  zone: 'UTC',
  factors: 2,
  left: 3,
  recent: true,
  upstreams: ['google', 'apple'],
  blocks: [{ kind: 'fields' }, { kind: 'upstreams', upstreams: ['google'] }],
  lacks: 'password',
  provider: 'Google',
  scopes: [{ key: 'openid', name: 'openid' }],
  links: [{ key: 'policy', href: 'https://app.test/policy', provider: 'Google', at: AT }],
  emails: [{ address: '/x', subject: 'S', to: 'a@b.test', at: '2030-01-01T00:00:00.000Z' }],
  bars: [{ x: 2, y: 0, height: 120, restY: 60, restHeight: 60, day: '2030-01-01', requests: 2 }],
  lines: [{ client: 'App/1', endpoint: 'vsee GET /me', requests: 2, rest: 1, last: '2030-01-01 00:00' }],
  pieces: [{ text: 'T' }],
  alert: { kind: 'sign-in-refused' },
  client: 'App',
  account: 'a@b.test',
  login: '',
  title: undefined,
};
