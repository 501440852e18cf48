/**
 * docs/first-application.md, word for word: its applications are the files of examples/, and each is registered
 * with the command that the page gives and started.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { commandsIn, readPage, terminalBeside } from '../cli/page-commands.ts';
import type { Terminal } from '../cli/run-portico.ts';
import { INES } from '../support/client-app.ts';
import { asksForPassword } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';
import { EXAMPLES, isPrepared, type RunningProgram, startProgram } from './others/programs.ts';

const root = path.join(import.meta.dirname, '../..');
const page = readPage('first-application.md');
const [, ...parts] = page.split(/^## /m);
const sections = new Map(parts.map((part) => [part.split('\n', 1)[0], part]));

describe('docs/first-application.md', () => {
  let server: TestServer;
  let terminal: Terminal;

  before(async () => {
    // So short that the applications which keep their tokens refresh them at once.
    server = await startTestServer({ config: { oidc: { lifetimes: { accessToken: 10 } } } });
    terminal = terminalBeside(server);
  });
  after(async () => {
    terminal.close();
    await server.close();
  });

  it('shows the files of examples/ as they are, and each application that is tested', () => {
    const shown = [...page.matchAll(/^\[`[^`]+`\]\(\.\.\/(examples\/\S+)\)\n\n```\w+\n(.*?)^```$/gms)];
    expect(shown.length).to.be.at.least(EXAMPLES.length);
    for (const [, file = '', text] of shown)
      expect(text, file).to.equal(readFileSync(path.join(root, file), 'utf8'));
    expect([...sections.keys()]).to.deep.equal(EXAMPLES.map(({ name }) => name));
  });

  for (const example of EXAMPLES) {
    describe(example.name, () => {
      let app: RunningProgram;

      before(async function () {
        if (!isPrepared(example)) this.skip();
        this.timeout(180_000);
        app = await startProgram(example, async (url) => {
          const { clientId, clientSecret } = await register(sections.get(example.name) ?? '', url);
          return { ISSUER: server.issuer, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret };
        });
      });
      after(() => app?.stop());

      it('signs in, shows who is signed in, and signs out of Portico too', async () => {
        const session = openWebSession();
        const home = await answered(session, `${app.url}/`);
        expect(home.url.split('?')[0], home.body).to.equal(`${app.url}/`);
        const { name, login: email, roles } = INES;
        expect(JSON.parse(home.body)).to.deep.equal({ name, email, roles });
        const left = await answered(session, `${app.url}/logout`);
        expect([left.url.split('?')[0], left.body]).to.deep.equal([
          `${app.url}/signed-out`,
          'You are signed out.',
        ]);
        const again = await answered(session, `${app.url}/`, { untilPassword: true });
        expect(asksForPassword(again), again.url).to.equal(true);
      });
    });
  }

  /** Runs the command of the section, with the address at which the test starts the application. */
  async function register(section: string, url: string): Promise<{ clientId: string; clientSecret: string }> {
    const [command = []] = commandsIn(section, { 'http://localhost:8080': url });
    const ran = await terminal.session([...command, '--json']);
    expect(ran.code, ran.stderr).to.equal(0);
    const { clientId, clientSecret } = ran.json();
    return { clientId: String(clientId), clientSecret: String(clientSecret) };
  }
});

/** Answers page after page as Ines does, in the application and in Portico, until one asks nothing. */
async function answered(session: WebSession, url: string, { untilPassword = false } = {}): Promise<Page> {
  const { login, password } = INES;
  let at = await session.open(url);
  for (let pages = 0; pages < 6 && typeof at !== 'string' && at.forms.length > 0; pages += 1) {
    const asked = asksForPassword(at);
    if (asked && untilPassword) return at;
    at = await session.submit(at, asked ? { login, password } : {});
  }
  if (typeof at === 'string') throw new Error(`no page at ${at}`);
  return at;
}
