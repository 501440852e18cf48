/**
 * What the browser journeys share: a Chromium, a whole server, and a site of applications that the browser
 * is sent back to. Everything that a browser complains about is collected, so that a journey also shows
 * that no page breaks its own policy.
 */

import { mkdirSync } from 'node:fs';
import path from 'node:path';
import axe from 'axe-core';
import { expect } from 'chai';
import type { BrowserContextOptions } from 'playwright-core';
import { type Browser, focused, launchBrowser, newPage, type Page, PHONE } from '../support/browser.ts';
import { rehome, serve } from '../support/client-app.ts';
import { ownApp, type TestClient, webApp } from '../support/clients.ts';
import { type RelyingParty, relyingParty, type Started } from '../support/relying-party.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/server.ts';
import { resetPasswordEmailTo } from './email-links.ts';

export const MARA = { login: 'mara@clinic.test', password: 'Harbour-Lantern-Quartz-41' };
export const DOCTOR = { login: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' };

export interface Journeys {
  readonly server: TestServer;
  readonly browser: Browser;
  /** test/support/clients.ts's applications, at home on the site of applications. */
  readonly webApp: TestClient;
  readonly ownApp: TestClient;
  readonly apps: Site;
  party(client?: TestClient): Promise<RelyingParty>;
  /** A page of a fresh browser; its complaints fail the test in `settle`. */
  visit(options?: BrowserContextOptions): Promise<Page>;
  /** Closes the pages of this test and throws if a browser had something to complain about. */
  settle(options?: { expected?: RegExp }): Promise<void>;
  close(): Promise<void>;
}

export async function startJourneys(options: TestServerOptions = {}): Promise<Journeys> {
  const [server, browser, apps] = await Promise.all([startTestServer(options), launchBrowser(), startSite()]);
  apps.html = '<!doctype html><html lang="en"><title>App</title><h1>The app</h1>';
  const [ownHome, webHome] = [
    await rehome(server, ownApp, `${apps.url}own-app`),
    await rehome(server, webApp, `${apps.url}web-app`),
  ];
  const parties = new Map<string, Promise<RelyingParty>>();
  const pages: Page[] = [];
  const complaints: string[] = [];
  return {
    server,
    browser,
    apps,
    webApp: webHome,
    ownApp: ownHome,
    party(client = webHome) {
      const known = parties.get(client.clientId) ?? relyingParty(server.issuer, client);
      parties.set(client.clientId, known);
      return known;
    },
    async visit(context = {}) {
      const page = await newPage(browser, context);
      pages.push(page);
      listen(page, complaints);
      return page;
    },
    async settle({ expected } = {}) {
      await Promise.all(pages.splice(0).map((page) => page.context().close()));
      const left = complaints
        .splice(0)
        .filter((complaint) => expected === undefined || !expected.test(complaint));
      expect(left).to.deep.equal([]);
    },
    async close() {
      await browser.close();
      await Promise.all([apps.close(), server.close()]);
    },
  };
}

/** A policy that was broken, a script that threw, a dialog that a script opened. */
function listen(page: Page, complaints: string[]): void {
  page.on('console', (message) => {
    if (/Content.Security.Policy|Refused to/i.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
}

/** Sends the browser to sign in, as an application does. */
export async function begin(
  page: Page,
  party: RelyingParty,
  extra: Record<string, string> = {},
): Promise<Started> {
  const started = await party.begin(extra);
  await page.goto(started.url);
  return started;
}

export async function enter(
  page: Page,
  { login, password }: { login: string; password: string },
): Promise<void> {
  await page.getByLabel('Email or username').fill(login);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** The whole way in, consent included where it is asked; ends on the application's page. */
export async function signIn(page: Page, party: RelyingParty, who = MARA): Promise<Started> {
  const started = await begin(page, party);
  await enter(page, who);
  const allow = page.getByRole('button', { name: 'Allow', exact: true });
  await allow.or(page.getByText('The app')).waitFor();
  if (await allow.isVisible()) await allow.click();
  await page.getByText('The app').waitFor();
  return started;
}

/** What the address of the application's page says. */
export function answerOf(page: Page): URLSearchParams {
  return new URL(page.url()).searchParams;
}

/** WCAG 2.2 AA and axe's best practices, with no exception. */
export async function expectAccessible(page: Page, what = page.url()): Promise<void> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe: tester } = globalThis as unknown as { axe: typeof axe };
    // 2.5.8 of WCAG 2.2 is asked for by name: axe leaves it out by itself.
    const { violations: result } = await tester.run({ rules: { 'target-size': { enabled: true } } });
    return result.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(violations, what).to.deep.equal([]);
}

const LOOKS: readonly [string, BrowserContextOptions][] = [
  ['phone-light', { ...PHONE, colorScheme: 'light' }],
  ['phone-dark', { ...PHONE, colorScheme: 'dark' }],
  ['desktop-light', { viewport: { width: 1100, height: 760 }, colorScheme: 'light' }],
  ['desktop-dark', { viewport: { width: 1100, height: 760 }, colorScheme: 'dark' }],
];

const SCREENSHOTS = path.join(import.meta.dirname, '../../docs/screenshots');

/** Walks to a page in each look, checks it, and with SCREENSHOTS=1 takes its picture into docs/screenshots. */
export async function inEveryLook(
  journeys: Journeys,
  name: string,
  walk: (page: Page) => Promise<void>,
): Promise<void> {
  for (const [look, options] of LOOKS) {
    const page = await journeys.visit(options);
    await walk(page);
    await settled(page);
    await expectAccessible(page, `${name}, ${look}`);
    await expectNoSideways(page, `${name}, ${look}`);
    if (process.env.SCREENSHOTS === '1') {
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({
        path: path.join(SCREENSHOTS, `${name}-${look}.png`),
        fullPage: true,
        scale: 'css',
      });
    }
    if (look === 'desktop-light') await expectReachable(page, name);
  }
}

/** Wears its stylesheet, and has given the focus away: before that it looks and behaves otherwise. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState();
  if ((await page.locator('[autofocus]').count()) > 0) await focused(page);
}

/** What a zoomed page and a keyboard show, whatever the page is. */
async function expectReachable(page: Page, name: string): Promise<void> {
  await expectKeyboard(page, name);
  // 200 % on the desk of LOOKS, and WCAG's 320 pixels (1.4.10), which is 400 % of 1280.
  for (const width of [550, 320]) {
    await page.setViewportSize({ width, height: 380 });
    await expectNoSideways(page, `${name}, ${width} pixels wide`);
  }
  await page.setViewportSize({ width: 1100, height: 760 });
  await page.evaluate("document.documentElement.style.fontSize = '200%'");
  await expectNoSideways(page, `${name}, letters twice as large`);
}

/** The Tab key visits everything that can be used, in the order of the page, and each says that it is there. */
async function expectKeyboard(page: Page, name: string): Promise<void> {
  const stops = await page.evaluate<number>(`(() => {
    const usable = 'a[href], button, input:not([type="hidden"]), select, textarea, summary';
    const all = [...document.querySelectorAll(usable)].filter(
      (element) => element.tabIndex >= 0 && element.checkVisibility() && !element.matches(':disabled'),
    );
    all.forEach((element, place) => {
      element.dataset.place = String(place);
    });
    all[0]?.focus();
    // A frame and a group of choices have stops of their own.
    return document.querySelector('iframe, input[type="radio"]') === null ? all.length : 0;
  })()`);
  const visited: (string | undefined)[] = [];
  const tab = async () => {
    await page.keyboard.press('Tab');
    return page.evaluate<{ at?: string; outline: string }>(
      `({ at: document.activeElement.dataset.place, outline: getComputedStyle(document.activeElement).outlineStyle })`,
    );
  };
  for (let place = 1; place < stops; place += 1) {
    let { at, outline } = await tab();
    // A date is several stops: its day, its month, its year and its calendar.
    for (let inside = 0; inside < 3 && at === visited.at(-1); inside += 1) ({ at, outline } = await tab());
    visited.push(at);
    expect(outline, `${name}: focus of stop ${at}`).to.not.equal('none');
  }
  const expected = Array.from({ length: Math.max(0, stops - 1) }, (_, place) => String(place + 1));
  expect(visited, `${name}: order of the Tab key`).to.deep.equal(expected);
}

async function expectNoSideways(page: Page, what: string): Promise<void> {
  const over = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
  expect(over, `${what}: scrolls sideways`).to.be.at.most(0);
}

/** The link of a reset email to Mara, from the email. */
export async function resetLink({ server }: Journeys, email = MARA.login): Promise<string> {
  await resetPasswordEmailTo(server, email);
  const letter = await server.mail.take(email);
  return /https?:\/\/\S+\/reset\?token=\S+/.exec(letter.text)?.[0] ?? '';
}

/** A site of its own on this machine, under another host name than the server's. */
export interface Site {
  /** Ends in a slash. */
  readonly url: string;
  /** What every address answers. */
  html: string;
  /** The body of the last POST. */
  readonly posted: string;
  close(): Promise<void>;
}

export async function startSite(): Promise<Site> {
  const state = { html: '', posted: '' };
  const site = await serve((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      if (request.method === 'POST') state.posted = body;
      response.writeHead(200, { 'content-type': 'text/html' }).end(state.html);
    });
  });
  return Object.assign(state, { url: `${site.url}/`, close: site.close });
}
