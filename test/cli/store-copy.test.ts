import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import {
  introspect,
  type OidcLine,
  oidcAgain,
  oidcSignIn,
  type Pair,
  refreshOidc,
  send,
  vseeChannel,
} from '../nodes/calls.ts';
import { recordsApi } from '../support/clients.ts';
import { freePort } from '../support/ports.ts';
import { CLIENTS, PEOPLE } from '../support/server.ts';
import { startServerProcess } from '../support/server-process.ts';
import { sharedServers } from '../support/servers.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

describe('portico store copy', function () {
  this.timeout(120_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-move-'));
  let config: Record<string, unknown> & { store: Record<string, unknown> };
  let terminal: Terminal;
  let port: number;
  /** What people held before the move. */
  let line: OidcLine;
  let vsee: Pair;
  let keysBefore: unknown;
  const COPY = ['store', 'copy', '--from', 'embedded', '--to', 'distributed'];

  const start = (kind: 'embedded' | 'distributed') =>
    startServerProcess({
      folder,
      port,
      seeds: [PEOPLE, CLIENTS],
      config: { ...config, store: { ...config.store, kind } },
    });
  const keysOf = async (issuer: string) => (await send(`${issuer}/jwks`)).json();

  before(async function () {
    this.timeout(300_000);
    const servers = await sharedServers();
    if (!servers) return this.skip();
    port = await freePort();
    writeFileSync(path.join(folder, 'server-key'), randomBytes(32).toString('base64'));
    config = {
      issuer: `http://127.0.0.1:${port}`,
      store: {
        embedded: { file: path.join(folder, 'portico.db') },
        mongo: { url: servers.mongo.url, database: `moved-${randomUUID()}` },
        redis: { url: servers.redis.url },
      },
      keys: { encryptionFile: path.join(folder, 'server-key') },
    };
    terminal = openTerminal(config);
    const server = await start('embedded');
    line = await oidcSignIn(server.issuer);
    vsee = await vseeChannel.signIn(server.issuer);
    keysBefore = await keysOf(server.issuer);
    const whileServing = await terminal.run(COPY);
    expect(whileServing.code).to.equal(1);
    expect(whileServing.stderr).to.contain('is in use. Stop the Portico that runs on it');
    await server.stop();
  });
  after(() => {
    terminal?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('copies from the embedded to the distributed store, and knows no other way', async () => {
    for (const method of [
      ['--from', 'distributed', '--to', 'embedded'],
      ['--from', 'embedded', '--to', 'embedded'],
    ]) {
      const { code, stderr } = await terminal.run(['store', 'copy', ...method]);
      expect(code).to.equal(1);
      expect(stderr).to.contain('Only --from embedded --to distributed');
    }
  });

  it('tells with --dry-run what there is, and changes nothing', async () => {
    for (let run = 0; run < 2; run += 1) {
      const { code, json } = await terminal.run([...COPY, '--dry-run', '--json']);
      expect(code).to.equal(0);
      expect(json()).to.deep.include({ resumes: false });
      expect((json().counts as Record<string, number>).accounts).to.be.greaterThan(5);
    }
  });

  it('lets nobody sign in again: tokens, sessions, signing keys and dialects go on', async () => {
    const { code, stdout, stderr } = await terminal.run(COPY);
    expect(code, stderr).to.equal(0);
    expect(stdout)
      .to.match(/accounts +\d+/)
      .and.to.match(/\d+ records were read back and are the same/);
    expect(stderr).to.match(/copied (\d+) of \1 accounts/);
    const server = await start('distributed');
    try {
      const { issuer } = server;
      expect(await introspect(issuer, line.access)).to.include({ active: true });
      expect(await introspect(issuer, vsee.access, recordsApi)).to.include({ active: true });
      expect(await keysOf(issuer)).to.deep.equal(keysBefore);
      const again = await oidcAgain(line);
      expect(await introspect(issuer, again.access), 'from the session, without a page').to.include({
        active: true,
      });
      const refreshed = await refreshOidc(issuer, line.refresh);
      expect(refreshed.status, refreshed.text).to.equal(200);
      const next = await vseeChannel.refresh(issuer, vsee.refresh);
      expect(next.status, next.text).to.equal(200);
    } finally {
      await server.stop();
    }
    const repeated = await terminal.run(COPY);
    expect(repeated.code).to.equal(1);
    expect(repeated.stderr).to.contain('holds a copy already').and.not.to.contain('    at ');
  });

  it('says which server of the target is away', async () => {
    const mongo = { url: `mongodb://127.0.0.1:${await freePort()}`, database: 'nowhere' };
    const away = terminal.write('away.yaml', stringify({ ...config, store: { ...config.store, mongo } }));
    const { code, stderr } = await terminal.run(COPY, { env: { PORTICO_CONFIG: away } });
    expect(code).to.equal(1);
    expect(stderr).to.contain('The mongo store cannot be reached.').and.not.to.contain('    at ');
  });
});
