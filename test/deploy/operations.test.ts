import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { introspect, oidcSignIn, refreshOidc } from '../nodes/calls.ts';
import { freePort } from '../support/ports.ts';
import { startTestServer } from '../support/server.ts';

const root = path.join(import.meta.dirname, '../..');
const guide = readFileSync(path.join(root, 'docs/operations.md'), 'utf8');

describe('docs/operations.md', function () {
  this.timeout(60_000);

  it('has a command that saves a store at work; another server goes on from what it wrote', async () => {
    const [, command = ''] = /```\n(umask 077\nnode -e .*VACUUM INTO.*)\n```/.exec(guide) ?? [];
    expect(command).to.contain('data/portico.db');
    const port = await freePort();
    const config = { issuer: `http://127.0.0.1:${port}`, http: { port } };
    const server = await startTestServer({ config });
    const line = await oidcSignIn(server.issuer);
    const folder = mkdtempSync(path.join(tmpdir(), 'portico-backup-'));
    try {
      const there = command.replace('data/portico.db', path.join(server.folder, 'portico.db'));
      const PATH = `${path.dirname(process.execPath)}:${process.env.PATH}`;
      await promisify(execFile)('sh', ['-c', there], { cwd: folder, env: { ...process.env, PATH } });
      expect(statSync(path.join(folder, 'backup.db')).mode & 0o077, 'for its owner alone').to.equal(0);
      // What comes after the backup is not in it.
      expect((await refreshOidc(server.issuer, line.refresh)).status).to.equal(200);
      await server.close();
      mkdirSync(path.join(folder, 'restored'));
      renameSync(path.join(folder, 'backup.db'), path.join(folder, 'restored/portico.db'));
      const restored = await startTestServer({ config, folder: path.join(folder, 'restored') });
      try {
        expect(await introspect(restored.issuer, line.access)).to.include({ active: true });
        expect((await refreshOidc(restored.issuer, line.refresh)).status).to.equal(200);
      } finally {
        await restored.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('B10 X1 says rightly that profiles can be read in the store, and what signs people in cannot', async () => {
    expect(guide).to.contain('profiles are stored as they are');
    const server = await startTestServer();
    const line = await oidcSignIn(server.issuer);
    await server.close({ keepStore: true });
    const stored = readFileSync(path.join(server.folder, 'portico.db'), 'latin1');
    rmSync(server.folder, { recursive: true, force: true });
    for (const profile of ['mara@clinic.test', 'Mara']) expect(stored).to.contain(profile);
    expect(stored).to.contain('$argon2id$');
    for (const secret of [line.access, line.refresh]) expect(stored).not.to.contain(secret);
    // What stands in the content of a session or a grant.
    for (const content of ['"loginTs"', '"authorizations"', '"openid":{"scope"'])
      expect(stored).not.to.contain(content);
  });

  it('names only keys that there are, and commands that there are', async () => {
    const keys = readFileSync(path.join(root, 'docs/configuration.md'), 'utf8');
    const sections = 'http|store|mail|keys|sessions|hashing|audit|log|oidc';
    for (const [, key = ''] of guide.matchAll(new RegExp(`\`((?:${sections})\\.[a-zA-Z.]+)`, 'g')))
      expect(keys, key).to.contain(key);
    const { program } = await import('../../src/cli.ts');
    const commands = program().commands;
    for (const [, group, name] of guide.matchAll(
      /portico (config|keys|store|organization|audit|logout) ([a-z-]+)/g,
    )) {
      const result = commands.find((command) => command.name() === group);
      expect(
        result?.commands.map((command) => command.name()),
        `portico ${group}`,
      ).to.include(name);
    }
  });
});

describe('SECURITY.md', () => {
  it('names tests that there are, and that bear the id of the kind which they show', () => {
    const rows = readFileSync(path.join(root, 'SECURITY.md'), 'utf8').matchAll(
      /^\| (B\d+)? ?\|.*\| (`test.*) \|$/gm,
    );
    let kind = '';
    const kinds = new Set<string>();
    for (const [, id = kind, tests = ''] of rows) {
      kind = id;
      kinds.add(id);
      for (const [, named = ''] of tests.matchAll(/`([^`]+)`/g)) {
        const bears = new RegExp(`\\b${id}\\b`);
        expect(
          textsAt(path.join(root, named)).some((text) => bears.test(text)),
          `${named} for ${id}`,
        ).to.equal(true);
      }
    }
    expect([...kinds]).to.deep.equal(Array.from({ length: 10 }, (_, index) => `B${index + 1}`));
  });
});

/** Of a file, or of every file below a folder. */
function textsAt(at: string): string[] {
  if (!statSync(at).isDirectory()) return [readFileSync(at, 'utf8')];
  return readdirSync(at).flatMap((name) => textsAt(path.join(at, name)));
}
