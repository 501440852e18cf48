/**
 * A plug-in is one folder and one line. In a copy of the tree a test adds a sixth dialect (a copy of _example)
 * and a third upstream, starts the server, and signs in through each; then it looks at what it has changed.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { stringify } from 'yaml';
import { ownApp } from './support/clients.ts';
import { relyingParty } from './support/relying-party.ts';
import { CLIENTS } from './support/server.ts';
import { type ServerProcess, startServerProcess } from './support/server-process.ts';
import { startUpstream, type TestUpstream } from './support/upstream.ts';
import { openWebSession } from './support/web-session.ts';

const root = path.join(import.meta.dirname, '..');
const TREE = ['bin', 'config', 'package.json', 'public', 'src', 'views'];
const ADA = { email: 'ada@acme.test', password: 'Quarry-Meadow-Signal-12' };

const UPSTREAM = `import { key, text } from '../../config/kinds.ts';
import { defineUpstream, defineSettings } from '../protocol/plug-in.ts';

const NAMES = { name: 'acme', title: 'Acme ID' };

export const acme = defineUpstream({
  ...NAMES,
  logo: '<svg viewBox="0 0 24 24" width="20" height="20" id="acme-logo"><circle cx="12" cy="12" r="9"/></svg>',
  settings: defineSettings(
    { ...NAMES, clientIdAt: 'Client id', issuer: 'https://id.acme.example' },
    { clientSecret: key(text.optional(), 'Its secret.', { secret: 'value' }) },
    { beside: ['clientSecret'], needed: ['clientId'] },
  ),
  authoritative: () => false,
  scope: 'openid email profile',
  clientSecret: ({ clientSecret }) => async () => clientSecret,
});
`;

describe('a plug-in', function () {
  this.timeout(90_000);
  let copy: string;
  let untouched: Map<string, string>;
  let upstream: TestUpstream;
  let server: ServerProcess;

  before(async () => {
    copy = mkdtempSync(path.join(tmpdir(), 'portico-plug-ins-'));
    for (const name of TREE) cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
    symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
    untouched = filesOf(copy);
    addDialect(path.join(copy, 'src/dialects'));
    addUpstream(path.join(copy, 'src/federation'));
    upstream = await startUpstream();
    server = await startServerProcess({
      root: copy,
      seeds: [seedFile(copy), CLIENTS],
      config: {
        demo: true,
        dialects: { acme: { enabled: true } },
        federation: { acme: { enabled: true, issuer: upstream.issuers.acme, ...upstream.clients.acme } },
      },
    });
  });
  after(async () => {
    await server?.stop();
    await upstream?.close();
    rmSync(copy, { recursive: true, force: true });
  });

  it('of a vendor signs people in, and brings the sample call of the start block', async () => {
    const post = (route: string, body: object) =>
      fetch(`${server.url}/acme/v1/${route}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const person = { email: 'new@acme.test', password: ADA.password };
    expect((await post('register', { ...person, name: 'Ada New' })).status).to.equal(201);
    const signedIn = (await (await post('sign-in', person)).json()) as Record<string, string>;
    const me = await fetch(`${server.url}/acme/v1/me`, {
      headers: { authorization: `Bearer ${signedIn.token}` },
    });
    expect(await me.json()).to.include({ email: 'new@acme.test', name: 'Ada New' });
    expect(signedIn.refreshToken).to.match(/^acme_[0-9a-f]{64}$/);
    expect(server.output()).to.contain(`# acme\n  curl -s ${server.url}/acme/v1/sign-in`);
  });

  it('of an upstream stands on the sign-in page with its name and logo, and signs people in', async () => {
    const party = await relyingParty(server.issuer, ownApp);
    const started = await party.begin();
    const session = openWebSession();
    const page = await session.open(started.url, [ownApp.redirectUri]);
    if (typeof page === 'string') throw new Error(`The browser is at ${page}.`);
    expect(page.body).to.contain('id="acme-logo"').and.to.contain('Continue with Acme ID');
    upstream.nextPerson('acme', { sub: 'acme-1', email: 'mia@acme.test', email_verified: true });
    const form = page.forms.find(({ action }) => action.endsWith('/with/acme'));
    if (form === undefined) throw new Error('No form leads to the upstream.');
    const leaving = await session.submit(page, {}, { form });
    if (typeof leaving === 'string') throw new Error(`The browser is at ${leaving}.`);
    const [, away = ''] = (leaving.headers.get('refresh') ?? '').split('url=');
    const answer = await fetch(away, { redirect: 'manual' });
    const end = await session.open(answer.headers.get('location') ?? '', [ownApp.redirectUri]);
    if (typeof end !== 'string') throw new Error(`The sign-in ended at ${end.status}:\n${end.body}`);
    const claims = (await party.finish(started, end)).claims();
    expect(claims?.amr).to.deep.equal(['fed']);
    expect(claims?.sub).to.match(/^acc_/);
  });

  it('is one folder and one line of its registry', () => {
    const now = filesOf(copy);
    const added = [...now.keys()].filter((file) => !untouched.has(file));
    const changed = [...now].filter(([file, text]) => untouched.has(file) && untouched.get(file) !== text);
    expect(changed.map(([file]) => file)).to.have.members([
      'src/dialects/registry.ts',
      'src/federation/registry.ts',
    ]);
    for (const [file, text] of changed) {
      const lines = (untouched.get(file) ?? '').split('\n');
      expect(text.split('\n').filter((line) => !lines.includes(line))).to.have.lengthOf(1);
      expect(text.split('\n')).to.have.lengthOf(lines.length + 1);
    }
    const folders = new Set(added.map((file) => path.posix.dirname(file)));
    expect([...folders]).to.have.members(['src/dialects/acme', 'src/federation/acme']);
  });
});

/** Each file below the folder that the project has, with its text. */
function filesOf(folder: string): Map<string, string> {
  const names = TREE.flatMap((name) => {
    if (name.includes('.')) return [name];
    const below = readdirSync(path.join(folder, name), { recursive: true, withFileTypes: true });
    return below
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
  });
  return new Map(names.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));
}

/** The folder as a vendor's engineer would copy it, with another name in its files. */
function addDialect(dialects: string): void {
  const folder = path.join(dialects, 'acme');
  cpSync(path.join(dialects, '_example'), folder, { recursive: true });
  for (const file of readdirSync(folder)) {
    const from = path.join(folder, file);
    const text = readFileSync(from, 'utf8').replaceAll('example', 'acme').replaceAll('exr_', 'acme_');
    writeFileSync(from, text);
    renameSync(from, path.join(folder, file.replace('example', 'acme')));
  }
  addLine(path.join(dialects, 'registry.ts'));
}

function addUpstream(federation: string): void {
  mkdirSync(path.join(federation, 'acme'));
  writeFileSync(path.join(federation, 'acme/acme.ts'), UPSTREAM);
  addLine(path.join(federation, 'registry.ts'));
}

/** At the end of the registry. */
function addLine(file: string): void {
  const line = "  acme: async () => (await import('./acme/acme.ts')).acme,\n";
  writeFileSync(file, readFileSync(file, 'utf8').replace(/(registry: [^;]*?\n)(};)/, `$1${line}$2`));
}

/** The organization offers the upstream alone beside the password, and has a person whom the vendor knows. */
function seedFile(folder: string): string {
  const file = path.join(folder, 'acme.yaml');
  writeFileSync(
    file,
    stringify({
      organizations: [
        { id: 'default', name: 'Acme', registration: true, branding: { ways: ['password', 'acme'] } },
        { id: 'clinicdev', name: 'Clinic Dev' },
      ],
      accounts: [{ organization: 'default', ...ADA, email_verified: true, vendor: { acme: {} } }],
    }),
  );
  return file;
}
