/** `portico try` as somebody runs it beside a development server, in a terminal of its own. */
import path from 'node:path';
import { expect } from 'chai';
import { freePort } from '../support/ports.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

const DEMO = path.join(import.meta.dirname, '../../config/seed/demo.yaml');

/** Who of the demo seed signs in, and what the vendor says at the end. */
const VENDORS: Readonly<Record<string, { person: string; dead: string }>> = {
  visitnote: { person: 'ada@harbour.example of default', dead: '"message": "Invalid or expired token"' },
  medisync: { person: 'bruno@harbour.example of default', dead: '"code": "AUTH_REQUIRED"' },
  careportals: { person: 'dana@lakeside.example of lakeside', dead: '"message": "Unauthorized"' },
  avycenna: {
    person: 'chidi@harbour.example of default',
    dead: '"detail": "Could not validate credentials"',
  },
  vsee: { person: 'elif@lakeside.example of lakeside', dead: '"message": "Invalid or expired token."' },
};

describe('portico try', function () {
  this.timeout(60_000);
  let server: ServerProcess;
  let terminal: Terminal;

  before(async () => {
    server = await startServerProcess({ seeds: [DEMO] });
    terminal = openTerminal({ issuer: server.issuer, seed: [DEMO] });
  });
  after(async () => {
    terminal.close();
    await server.stop();
  });

  for (const [vendor, { person, dead }] of Object.entries(VENDORS)) {
    it(`${vendor} signs a demo person in, shows the token from both sides, and revokes it`, async () => {
      const { code, stdout, stderr } = await terminal.session(['try', vendor]);
      expect(code, stderr).to.equal(0);
      const [title, ...steps] = stdout.split(/\n\n(?=\d\. )/);
      expect(title).to.equal(`${vendor} at ${server.issuer}, as ${person}`);
      expect(steps).to.have.lengthOf(6);
      const [signIn = '', me = '', known = '', revoked = '', unknown = '', refused = ''] = steps;
      expect(signIn)
        .to.match(/^1\. The vendor's sign-in: POST \/\S+\n {3}20[01]\n/)
        .and.to.contain('token"');
      expect(me).to.match(/^2\. .*GET \/\S+\n {3}200\n/);
      expect(known).to.match(/^3\. .*POST \/introspect, as demo-records-api\n {3}200\n/);
      expect(known).to.contain('"active": true').and.to.contain(`"client_id": "${vendor}-legacy"`);
      expect(known).to.match(/"sub": "acc_/);
      expect(revoked).to.match(/^4\. .*POST \/revoke\n {3}200/);
      expect(unknown).to.match(/"active": false\s*\}/);
      expect(refused)
        .to.match(/\n {3}401\n/)
        .and.to.contain(dead);
    });
  }

  it('takes any person and any client, the password from standard input', async () => {
    const args = ['try', 'vsee', '--login', 'ada@harbour.example', '--organization', 'default'];
    const empty = openTerminal({ issuer: 'http://127.0.0.1:9', seed: [] });
    const { code, stdout, stderr } = await empty.session(
      [...args, '--url', server.url, '--client', 'demo-records-api', '--secret', 'Ledger-Orchard-Signal-80'],
      { input: 'harbour lantern quartz\n' },
    );
    empty.close();
    expect(code, stderr).to.equal(0);
    expect(stdout).to.contain('as ada@harbour.example of default');
  });

  describe('says what to do', () => {
    const cases: [string, string[], RegExp][] = [
      [
        'for a vendor that there is not',
        ['sandwich'],
        /no sample of a sign-in at 'sandwich'.*visitnote.*vsee/,
      ],
      ['where the vendor lets nobody in', ['visitnote', '--password', 'x', '--login', 'ada'], /did not let/],
      ['for a client that may not ask', ['vsee', '--client', 'demo-partner'], /`introspects` lacks/],
      ['for a wrong secret', ['vsee', '--client', 'demo-partner', '--secret', 'x'], /--client and --secret/],
      ['for a client without a secret', ['vsee', '--client', 'stranger'], /Say the secret of stranger/],
      ['without an organization', ['careportals', '--login', 'a@b.test'], /--organization where a@b.test/],
    ];
    for (const [what, args, message] of cases) {
      it(what, async () => {
        const { code, stderr } = await terminal.session(['try', ...args], { input: 'x' });
        expect(code).to.equal(1);
        expect(stderr).to.match(message).and.to.not.contain('    at ');
      });
    }

    const otherwise: [string, Record<string, unknown>, RegExp][] = [
      ['where the dialect is off', { dialects: { vsee: { enabled: false } } }, /dialects\.vsee\.enabled/],
      ['where the seed has nobody', { seed: [] }, /--login and --organization/],
      ['where the seed has no client', { seed: ['people.yaml'] }, /--client and --secret/],
    ];
    for (const [what, config, message] of otherwise) {
      it(what, async () => {
        const other = openTerminal({ issuer: server.issuer, ...config });
        other.write(
          'people.yaml',
          'accounts: [{organization: lakeside, email: a@b.test, password: abcdefghijkl, vendor: {vsee: {type: 200}}}]',
        );
        const { code, stderr } = await other.session(['try', 'vsee']);
        other.close();
        expect(code).to.equal(1);
        expect(stderr).to.match(message);
      });
    }

    it('where no server runs', async () => {
      const url = `http://127.0.0.1:${await freePort()}`;
      const { code, stderr } = await terminal.session(['try', 'vsee', '--url', url]);
      expect(code).to.equal(1);
      expect(stderr).to.contain(`No server answers at ${url}. Start it (npm start)`);
    });

    it('where something else answers', async () => {
      const { code, stderr } = await terminal.session([
        'try',
        'vsee',
        '--url',
        server.upstream.issuers.google,
      ]);
      expect(code).to.equal(1);
      expect(stderr).to.match(/is no Portico/);
    });
  });
});
