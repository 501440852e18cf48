/**
 * The system's Chromium through playwright-core (its headless shell where that is installed), for what only a real browser shows: keyboards, scripts,
 * cross-site requests, frames, looks. One browser serves a test file; each test has a context of its own.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

export type { Browser, Page } from 'playwright-core';

/** Chromium without its own windows and menus, which nobody sees here and which cost more than the pages. */
const SHELL = '/usr/bin/chromium-headless-shell';
const WHOLE = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Throws when there is no Chromium: a journey that was not walked must not look walked. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch(howToLaunch([SHELL, ...WHOLE]));
}

/**
 * A page of a browser whose person has switched cookies off in its settings. It costs a browser of its own,
 * because the setting belongs to the browser's profile, which the headless shell does not read.
 */
export async function openPageWithoutCookies(): Promise<{ page: Page; close(): Promise<void> }> {
  const profile = mkdtempSync(path.join(tmpdir(), 'portico-profile-'));
  mkdirSync(path.join(profile, 'Default'));
  const settings = { profile: { default_content_setting_values: { cookies: BLOCK } } };
  writeFileSync(path.join(profile, 'Default/Preferences'), JSON.stringify(settings));
  const context = await chromium.launchPersistentContext(profile, howToLaunch(WHOLE));
  context.setDefaultTimeout(PATIENCE);
  return {
    page: await context.newPage(),
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Chromium's number for it. */
const BLOCK = 2;

/** Milliseconds to wait for what a page is to show: a busy machine takes its time. */
const PATIENCE = 30_000;

function howToLaunch(candidates: readonly string[]) {
  const executablePath = candidates.find((candidate) => existsSync(candidate));
  if (executablePath === undefined) {
    throw new Error(
      `Chromium is needed at one of ${candidates.join(', ')} (Debian: apt-get install chromium).`,
    );
  }
  return { executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] };
}

/** A page in a context of its own: no cookies, its own looks. Close it with `page.context().close()`. */
export async function newPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(PATIENCE);
  return context.newPage();
}

/**
 * Waits until a field has the focus. A page gives it after it has loaded, with the first picture it draws:
 * what is typed before that is lost.
 */
export async function focused(page: Page): Promise<void> {
  await page.locator(':focus').waitFor();
}

/** A phone in the hand. */
export const PHONE: BrowserContextOptions = {
  viewport: { width: 375, height: 667 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};
