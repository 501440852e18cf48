/** What an operator sees of an account's sign-ins, and ends, beside a server that runs. */
import path from 'node:path';
import { expect } from 'chai';
import { introspect, oidcAgain, oidcSignIn, refreshOidc, vseeChannel } from '../nodes/calls.ts';
import { giveApp } from '../support/authenticator-app.ts';
import { recordsApi } from '../support/clients.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

describe('portico account', function () {
  this.timeout(60_000);
  let server: TestServer;
  let terminal: Terminal;
  before(async () => {
    server = await startTestServer();
    terminal = openTerminal({
      issuer: server.issuer,
      store: { embedded: { file: path.join(server.folder, 'portico.db') } },
      mail: { kind: 'smtp', smtp: { url: server.mail.url } },
      keys: { encryption: Buffer.alloc(32, 7).toString('base64') },
    });
  });
  after(async () => {
    terminal.close();
    await server.close();
  });

  it('says that an email is lost, where mail.kind is mailbox', async () => {
    const alone = openTerminal();
    try {
      await alone.session(['organization', 'create', 'north']);
      const names = ['--organization', 'north', '--email', 'ada@north.test', '--verified'];
      const made = await alone.session(['account', 'create', ...names, '--json']);
      expect(made.stderr).to.equal('');
      await alone.inStore(async ({ accounts }) => {
        const account = await accounts.byEmail('north', 'ada@north.test');
        if (account === undefined) throw new Error('Ada has no account.');
        const app = { salt: 'c2FsdA', step: 0, createdAt: new Date().toISOString() };
        await accounts.update({ ...account, factors: { app } });
      });
      const ran = await alone.session(['account', 'reset-factors', 'ada@north.test', '--yes']);
      expect(ran.stdout).to.contain('has no second factor any more');
      expect(ran.stderr).to.contain('The email about it is not kept: mail.kind is mailbox');
    } finally {
      alone.close();
    }
  });

  async function done(args: string[]) {
    const ran = await terminal.session(['account', ...args]);
    expect(ran.code, ran.stderr).to.equal(0);
    return ran;
  }
  async function refused(args: string[], words: string) {
    const ran = await terminal.session(['account', ...args]);
    expect(ran.code).to.equal(1);
    expect(ran.stderr).to.contain(words).and.not.to.contain('    at ');
  }
  const list = async (...args: string[]) => (await done([...args, '--json'])).json();
  const mara = ['mara@clinic.test', '--organization', 'default'];
  const events = async () =>
    (await server.running.stores.audit.latest({ limit: 5 }))
      .filter(({ detail }) => detail?.channel === 'command-line')
      .map(({ event }) => event);

  it('CMD6 search finds accounts of one organization by a part of each of their names, page by page', async () => {
    const ada = ['--organization', 'default', '--email', 'ada.search@x.test', '--username', 'Zwölf'];
    await done([
      'create',
      ...ada,
      '--name',
      'Ada Lovelace',
      '--phone',
      '+1 555 555-0142',
      '--generate-password',
    ]);
    const found = async (part: string, ...more: string[]) =>
      (await list('search', part, '--organization', 'default', ...more)).map(({ email }) => email);
    for (const part of ['ADA.SEARCH', 'zWÖLf', 'a love', '5550142', '+1 (555) 555']) {
      expect(await found(part), part).to.deep.equal(['ada.search@x.test']);
    }
    expect(await found('nobody-is-called-so')).to.deep.equal([]);
    const all = await list('search', '@', '--organization', 'default');
    expect(all.length).to.be.greaterThan(3);
    expect(all[0]).to.not.have.property('passwordHash');
    const paged: unknown[] = [];
    for (let after: string[] = []; ; ) {
      const ran = await done([
        'search',
        '@',
        '--organization',
        'default',
        '--limit',
        '2',
        ...after,
        '--json',
      ]);
      paged.push(...ran.json());
      const [, next] = /There are more: --after (\S+)/.exec(ran.stderr) ?? [];
      if (next === undefined) break;
      after = ['--after', next];
    }
    expect(paged).to.deep.equal(all);
    await terminal.session(['organization', 'create', 'elsewhere']);
    expect(await list('search', 'ada.search', '--organization', 'elsewhere')).to.deep.equal([]);
    await refused(['search', ' ', '--organization', 'default'], 'Say a part');
    await refused(
      ['search', 'a', '--organization', 'default', '--limit', '0'],
      '--limit must be from 1 to 1000.',
    );
  });

  it('CMD7 sessions and grants say by which client, since when and when last; sign-out ends one, or all', async () => {
    const { issuer } = server;
    const line = await oidcSignIn(issuer);
    const other = await oidcSignIn(issuer);
    const active = async (token: string) => (await introspect(issuer, token)).active;
    const sessions = await list('sessions', ...mara);
    expect(sessions).to.have.length(2);
    for (const { clients, signedInAt, lastUsedAt } of sessions) {
      expect(clients).to.deep.equal([line.party.client.clientId]);
      expect(Date.parse(String(lastUsedAt))).to.be.at.least(Date.parse(String(signedInAt)) - 1000);
    }
    const grants = await list('grants', ...mara);
    expect(grants.map(({ clientId }) => clientId)).to.deep.equal(
      [sessions[0]?.clients, sessions[1]?.clients].flat(),
    );
    const next = await refreshOidc(issuer, line.refresh);
    expect(next.status).to.equal(200);
    const used = (await list('grants', ...mara)).map(({ lastUsedAt }) => Date.parse(String(lastUsedAt)));
    const before = grants.map(({ lastUsedAt }) => Date.parse(String(lastUsedAt)));
    expect(used.filter((at, index) => at > (before[index] ?? 0))).to.have.length(1);
    expect((await done(['sessions', ...mara])).stdout).to.match(/^SESSION +CLIENTS +SINCE +USED +BROWSER\n/);
    expect((await done(['grants', ...mara])).stdout).to.match(/^GRANT +CLIENT +SINCE +USED +SCOPES\n/);

    // Nothing ends that was not confirmed.
    await refused(['sign-out', ...mara], 'Add --yes to confirm.');
    expect((await done(['sign-out', ...mara, '--dry-run'])).stdout).to.contain(`session ${sessions[0]?.uid}`);
    expect(await list('sessions', ...mara)).to.have.length(2);
    expect([await active(line.access), await active(other.access)]).to.deep.equal([true, true]);

    // One grant of the two.
    const grant = String(grants[0]?.grantId);
    await done(['sign-out', ...mara, '--grant', grant, '--yes']);
    expect((await events())[0]).to.equal('grant.end');
    const living = [await active(line.access), await active(other.access)];
    expect(living.filter(Boolean)).to.have.length(1);
    expect((await list('grants', ...mara)).map(({ grantId }) => grantId)).to.not.include(grant);
    await refused(['sign-out', ...mara, '--grant', grant, '--yes'], `has no grant ${grant}.`);

    // One session of the two.
    const session = String(sessions[0]?.uid);
    await done(['sign-out', ...mara, '--session', session, '--yes']);
    expect((await events())[0]).to.equal('session.end');
    expect((await list('sessions', ...mara)).map(({ uid }) => uid)).to.deep.equal([sessions[1]?.uid]);
    await refused(['sign-out', ...mara, '--session', session, '--grant', grant], 'Give --session or --grant');
    await refused(
      ['sign-out', 'pat@x.test', '--session', String(sessions[1]?.uid), '--yes'],
      'has no session',
    );
  });

  it('CMD8 sign-out of everything ends browsers, clients and dialects alike, and leaves a trace', async () => {
    const { issuer } = server;
    const line = await oidcSignIn(issuer);
    const vsee = await vseeChannel.signIn(issuer);
    const vseePerson = await server.running.stores.audit.latest({ limit: 1 });
    const patient = vseePerson[0]?.subject ?? '';
    await done(['sign-out', ...mara, '--yes']);
    expect(await events()).to.include.members(['session.end', 'grant.end']);
    await done(['sign-out', patient, '--yes']);
    expect((await introspect(issuer, line.access)).active).to.equal(false);
    expect((await refreshOidc(issuer, line.refresh)).status).to.equal(400);
    expect((await introspect(issuer, vsee.access, recordsApi)).active).to.equal(false);
    expect(await oidcAgain(line).catch((error: Error) => error.message)).to.match(/^A page was shown/);
    expect(await list('sessions', ...mara)).to.deep.equal([]);
    expect((await done(['grants', ...mara])).stdout).to.equal('No client holds tokens.\n');
    const before = await events();
    expect((await done(['sign-out', ...mara, '--yes'])).stdout).to.equal('Ended: nothing.\n');
    expect(await events()).to.deep.equal(before);
  });

  it('N10 reset-factors removes them, ends every sign-in, is audited and told; the password stays', async () => {
    const { issuer, running } = server;
    const line = await oidcSignIn(issuer);
    const account = await running.stores.accounts.byEmail('default', 'mara@clinic.test');
    const id = account?.id ?? '';
    const { secret, salt } = await giveApp(running.identity, id);
    await server.mail.take('mara@clinic.test');
    await refused(['reset-factors', ...mara], 'Add --yes to confirm.');
    expect((await running.stores.accounts.byId(id))?.factors).to.be.an('object');
    const { stdout, stderr } = await done(['reset-factors', ...mara, '--yes']);
    expect(stderr).to.equal('');
    expect(stdout).to.equal(`Account ${id} has no second factor any more.\n`);
    expect((await running.stores.accounts.byId(id))?.factors).to.equal(undefined);
    const { subject } = await server.mail.take('mara@clinic.test');
    expect(subject).to.equal('Your passkeys and authenticator app were removed');
    expect((await introspect(issuer, line.access)).active).to.equal(false);
    expect(await oidcAgain(line).catch((error: Error) => error.message)).to.match(/^A page was shown/);
    expect(await events()).to.include('factor.reset');
    // With the password alone.
    await oidcSignIn(issuer);
    expect((await done(['reset-factors', ...mara, '--yes'])).stdout).to.contain('had no second factor');
    expect((await done(['show', ...mara, '--json'])).stdout)
      .to.not.contain(secret)
      .and.not.contain(salt);
  });
});
