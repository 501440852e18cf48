/** `portico import` of people with their passwords, and `portico export` of them. */
import { pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { OperatorError } from '../../src/core/errors.ts';
import { createPasswordHasher } from '../../src/identity/passwords/hasher.ts';
import { hashKinds, noteHashes } from '../../src/identity/sign-in/verify-password.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

const SECRET = 'Granary-Window-Feather-63';
const BCRYPT = '$2b$04$abcdefghijklmnopqrstuuCQ9E8xJ9zqJQ0h2m3oJ9s2E5y1Zb0Fa';
/** A thousand rounds: guessed too fast. */
const KEY = pbkdf2Sync(SECRET, 'salt', 1000, 32, 'sha256').toString('base64');
const WEAK = `pbkdf2_sha256$1000$salt$${KEY}`;

const ORGANIZATIONS = ['default', 'other', 'copy', 'table', 'kinds'];

describe('portico import of people with passwords', function () {
  this.timeout(60_000);
  let terminal: Terminal;
  const hasher = createPasswordHasher({ queue: 10 });
  before(async () => {
    terminal = openTerminal({
      dialects: {
        visitnote: { enabled: true },
        vsee: { enabled: true },
        avycenna: { enabled: true, legacy: { url: 'http://127.0.0.1:9', stage: 'proxy' } },
      },
    });
    for (const organization of ORGANIZATIONS) await said(['organization', 'create', organization]);
  });
  after(() => terminal.close());

  async function said(args: readonly string[], input?: string) {
    const ran = await terminal.session(args, { ...(input !== undefined && { input }) });
    expect(ran.code, ran.stderr).to.equal(0);
    return ran;
  }

  const ndjson = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n');
  const write = (name: string, rows: readonly unknown[]) => terminal.write(name, ndjson(rows));
  const TO = ['--organization', 'default', '--dialect', 'visitnote', '--json'];
  const load = async (file: string, ...more: string[]) =>
    (await said(['import', file, ...TO, ...more])).json();

  const inStore: Terminal['inStore'] = (work) => terminal.inStore(work);
  const byId = (id: string) => inStore(({ accounts }) => accounts.byAlias('visitnote', id));
  const isRight = async (id: string, password: string) =>
    (await hasher.verify(password, (await byId(id))?.passwordHash)).right;

  it('M24 IM1 keeps strong hashes as they are, wraps weak ones, hashes passwords, and twice changes nothing', async () => {
    const file = write('hashes.ndjson', [
      { vendor_id: 'h-1', email: 'h1@x.test', password_hash: BCRYPT },
      { vendor_id: 'h-2', email: 'h2@x.test', password_hash: WEAK },
      { vendor_id: 'h-3', email: 'h3@x.test', password: SECRET },
      { vendor_id: 'h-4', email: 'h4@x.test' },
    ]);
    const dry = await load(file, '--dry-run');
    expect(dry).to.deep.include({
      created: 4,
      costly: 2,
      passwords: { bcrypt: 1, 'pbkdf2, wrapped': 1, plain: 1 },
    });
    expect(dry.seconds).to.be.greaterThan(0);
    expect(await load(file)).to.include({ rows: 4, created: 4, costly: 2 });
    expect((await byId('h-1'))?.passwordHash).to.equal(BCRYPT);
    expect(await byId('h-1')).not.to.have.any.keys('legacy', 'openedAt');
    expect(await isRight('h-2', SECRET)).to.equal(true);
    expect(await isRight('h-3', SECRET)).to.equal(true);
    expect(await byId('h-4')).not.to.have.property('passwordHash');
    const before = (await byId('h-3'))?.passwordHash;
    for (const more of [[], ['--overwrite-passwords']])
      expect(await load(file, ...more)).to.include({ created: 0, updated: 0, kept: 4, costly: 0 });
    expect((await byId('h-3'))?.passwordHash).to.equal(before);
    const database = readFileSync(path.join(terminal.folder, 'portico.db'), 'latin1');
    const log = readFileSync(path.join(terminal.folder, 'portico.db-wal'), {
      encoding: 'latin1',
      flag: 'a+',
    });
    expect(database + log)
      .not.to.contain(KEY)
      .and.not.to.contain(SECRET);
  });

  it('IM1 follows a seed: named members change, a password only when that is asked for', async () => {
    const row = {
      vendor_id: 's-1',
      email: 's1@x.test',
      email_verified: true,
      given_name: 'Ida',
      password: 'first words',
    };
    await load(write('s1.ndjson', [row]));
    const { id: accountId = '' } = (await byId('s-1')) ?? {};
    const link = { purpose: 'reset', organization: 'default', accountId, data: '', createdAt: new Date() };
    const expiresAt = new Date(Date.now() + 3_600_000);
    await inStore(({ linkTokens }) => linkTokens.put('emailed', { ...link, expiresAt }));
    const isGood = () => inStore(({ linkTokens }) => linkTokens.read('emailed', 'reset', new Date()));
    const changed = { ...row, email_verified: false, given_name: 'Ina', password: 'other words' };
    expect(await load(write('s2.ndjson', [changed]))).to.include({ updated: 1 });
    expect(await byId('s-1')).to.deep.include({ claims: { given_name: 'Ina' }, emailVerified: true });
    expect(await isRight('s-1', 'first words')).to.equal(true);
    expect(await isGood()).to.include({ accountId });
    expect(await load(write('s2.ndjson', [changed]), '--overwrite-passwords')).to.include({ updated: 1 });
    expect(await isRight('s-1', 'other words')).to.equal(true);
    expect(await isGood(), 'what was begun with the old password').to.equal(undefined);
  });

  it('M9 joins no account that its person opened here, unless both sides have proved the address', async () => {
    await inStore(async ({ accounts }) => {
      const at = new Date();
      const own = {
        organization: 'default',
        status: 'active',
        claims: {},
        roles: [],
        aliases: {},
        vendor: {},
      } as const;
      const more = { openedAt: 'hosted', createdAt: at, updatedAt: at, version: 1 };
      const open = (id: string, emailVerified: boolean) => ({
        ...{ ...own, roles: [], aliases: {}, vendor: {}, claims: {}, ...more },
        ...{ id: `acc_${id}`, email: `${id}@x.test`, username: id, emailVerified },
      });
      const made = await accounts.insertMany([open('squatter', false), open('proved', true)]);
      expect(made).to.deep.equal(['inserted', 'inserted']);
    });
    const report = path.join(terminal.folder, 'squat.ndjson');
    const file = write('squatted.ndjson', [
      { email: 'squatter@x.test', email_verified: true, roles: ['admin'], password_hash: BCRYPT },
      { username: 'squatter', roles: ['admin'] },
      { email: 'proved@x.test', roles: ['admin'] },
    ]);
    expect(await load(file, '--report', report)).to.include({ conflict: 3, updated: 0 });
    const both = { vendor_id: 'p-1', email: 'proved@x.test', email_verified: true, roles: ['nurse'] };
    expect(await load(write('proved.ndjson', [both]))).to.include({ conflict: 0, updated: 1 });
    expect(await byId('p-1')).to.deep.include({ id: 'acc_proved', roles: ['nurse'] });
    const squatter = await inStore(({ accounts }) => accounts.byEmail('default', 'squatter@x.test'));
    expect(squatter?.roles).to.deep.equal([]);
  });

  it('M9 joins no account of another dialect, unless both sides have proved the address', async () => {
    const row = { vendor_id: 'o-1', email: 'o1@x.test' };
    await load(write('first.ndjson', [row]));
    const link = { issuer: 'https://accounts.google.com', subject: 'g-o' };
    const file = write('second.ndjson', [
      { vendor_id: '77', email: 'o1@x.test', password_hash: BCRYPT, identities: [link] },
    ]);
    const to = ['import', file, '--organization', 'default', '--dialect', 'vsee', '--json'];
    expect((await said(to)).json()).to.deep.include({
      reasons: { 'email: belongs to an account here, and not both sides have proved it': 1 },
    });
    const account = await byId('o-1');
    expect(account).not.to.have.property('passwordHash');
    expect(account?.aliases).to.deep.equal({ visitnote: 'o-1' });
    expect(await load(write('first.ndjson', [row]))).to.include({ kept: 1 });
  });

  it('IM2 refuses what is in the file twice, the same in a dry run', async () => {
    const report = path.join(terminal.folder, 'twins.ndjson.report');
    const file = write('twins.ndjson', [
      { vendor_id: 't-1', email: 't1@x.test' },
      { vendor_id: 't-1', email: 't1@x.test', given_name: 'Twin' },
      { vendor_id: 't-2', email: 'T1@x.test' },
      { vendor_id: 't-3', identities: [{ issuer: 'https://accounts.google.com', subject: 'g-t' }] },
      { vendor_id: 't-4', identities: [{ issuer: 'https://accounts.google.com', subject: 'g-t' }] },
      { email: 't1@x.test' },
      { vendor_id: 't-5', username: 'Tim' },
      { vendor_id: 't-6', username: 'tim' },
      { vendor_id: 't-7', aliases: { vsee: '7', visitnote: 'other' } },
      { vendor_id: 't-8', aliases: { vsee: '7' } },
    ]);
    const counts = { rows: 10, created: 4, duplicate: 2, conflict: 4, row: 0, gone: 0 };
    expect(await load(file, '--dry-run')).to.include(counts);
    expect(await load(file, '--report', report)).to.include(counts);
    const lines = readFileSync(report, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ line, first }) => [line, first])).to.deep.equal([
      ...[
        [2, 1],
        [3, 1],
        [5, 4],
        [6, 1],
        [8, 7],
        [10, 9],
      ],
    ]);
    expect(await load(file)).to.include({ ...counts, created: 0, kept: 4 });
    expect((await byId('t-1'))?.claims).to.deep.equal({});
  });

  it('IM2 leaves nothing behind of a row that is refused, and a dry run refuses it too', async () => {
    await load(
      write('two.ndjson', [
        { vendor_id: 'r-1', email: 'r1@x.test' },
        { vendor_id: 'r-2', email: 'r2@x.test', username: 'rita' },
      ]),
    );
    const link = { issuer: 'https://accounts.google.com', subject: 'g-r' };
    const file = write('taken.ndjson', [
      { vendor_id: 'r-1', email: 'r2@x.test', identities: [link] },
      { vendor_id: 'r-1b', email: 'r1b@x.test' },
    ]);
    const refused = { conflict: 1, updated: 0, created: 1 };
    expect(await load(file, '--dry-run')).to.include(refused);
    expect(await load(file)).to.include(refused);
    expect(await inStore(({ identities }) => identities.find('default', link.issuer, link.subject))).to.equal(
      undefined,
    );
    const named = write('named.ndjson', [{ vendor_id: 'r-1', username: 'Rita' }]);
    for (const more of [['--dry-run'], []])
      expect((await load(named, ...more)).reasons).to.deep.equal({
        'username: belongs to another account': 1,
      });
  });

  it('M25 takes hashes of no more kinds than a refused sign-in can make', async () => {
    const row = (cost: number) => ({
      email: `k${cost}@x.test`,
      password_hash: `$argon2id$v=19$m=${cost},t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`,
    });
    const file = write(
      'kinds.ndjson',
      Array.from({ length: 20 }, (_, place) => row(64 + place)),
    );
    const to = ['import', file, '--organization', 'kinds', '--json'];
    for (const more of [['--dry-run'], []]) {
      const counts = (await said([...to, ...more])).json();
      expect(counts).to.deep.include({
        created: 16,
        reasons: { 'password_hash: the organization has hashes of 16 other kinds': 4 },
      });
    }
    expect((await said(to)).json()).to.include({ created: 0, kept: 16, row: 4 });
    await inStore(async (stores) => {
      const note = (hash: string, organization = 'both') => noteHashes(stores, organization, [hash]);
      await Promise.all([note(BCRYPT), note(WEAK)]);
      expect([...(await hashKinds(stores, 'both'))]).to.have.members(['bcrypt', 'pbkdf2 sha256 32']);
      const outcome = await note(row(99).password_hash, 'kinds').catch((error: unknown) => error);
      expect(outcome).to.be.instanceOf(OperatorError);
    });
  });

  it('IM3 counts in a dry run every kind of reject, by reason, and shows nothing of what is in the rows', async () => {
    const report = path.join(terminal.folder, 'dry.report');
    const file = write('planted.ndjson', [
      ...[
        { vendor_id: 'd-1', email: `${SECRET} x` },
        { vendor_id: 'd-2', email: `${SECRET} y` },
      ],
      { vendor_id: 'd-3', password_hash: SECRET },
      { vendor_id: 'd-4', password_hash: BCRYPT, password: SECRET },
      { vendor_id: 'd-4', password: BCRYPT },
      { vendor_id: 'd-5', aliases: { vsee: 5 } },
      { vendor_id: 'd-5', aliases: { [SECRET]: 'x' } },
      { vendor_id: 'h-1', email: 'h4@x.test' },
      { vendor_id: 'd-6', api_keys: [{ name: 'x', sha256: SECRET }] },
      { vendor_id: 'd-7' },
      { vendor_id: 'd-7' },
      { given_name: SECRET },
    ]);
    const ran = await said(['import', file, ...TO, '--dry-run', '--report', report]);
    const counts = ran.json();
    expect(counts).to.deep.include({
      rows: 12,
      created: 1,
      updated: 0,
      row: 9,
      duplicate: 1,
      conflict: 1,
      gone: 0,
    });
    expect(counts.reasons).to.deep.equal({
      'email: must be an e-mail address': 2,
      'password_hash: must be of a hash family that docs/import.md lists': 1,
      'password_hash: there is a password too': 1,
      'password: is a hash, which belongs in password_hash': 1,
      'aliases.*: must be text: put it in quotes': 1,
      'aliases.*: must be the name of a dialect': 1,
      'api_keys.0.sha256: must be a SHA-256 in hexadecimal digits': 1,
      'vendor_id: is in an earlier row': 1,
      'email: belongs to another account': 1,
      'must have a vendor_id, an email, a username, an alias or an identity': 1,
    });
    expect(ran.stdout + ran.stderr + readFileSync(report, 'utf8'))
      .not.to.contain(SECRET)
      .and.not.to.contain('@x.test');
  });

  it('IM1 brings API keys by their SHA-256, with their ids, and refuses the key of another person', async () => {
    const key = { id: 'key_1', name: 'reports', sha256: 'a1'.repeat(32), scopes: ['read:users'] };
    const rows = [{ vendor_id: 'a-1', email: 'a1@x.test', api_keys: [key] }, { vendor_id: 'a-2' }];
    const file = write('keys.ndjson', rows);
    expect(await load(file)).to.include({ created: 2 });
    expect(await load(file)).to.include({ kept: 2 });
    const owner = (await byId('a-1'))?.id ?? '';
    const [stored, ...others] = await inStore(({ apiKeys }) => apiKeys.listByAccount(owner));
    expect(others).to.deep.equal([]);
    expect(stored).to.deep.include({
      id: 'key_1',
      name: 'reports',
      vendor: 'visitnote',
      scopes: ['read:users'],
    });
    expect(stored?.keyHash).not.to.contain('a1a1');
    const stolen = write('stolen.ndjson', [
      { vendor_id: 'a-2', api_keys: [{ name: 'x', sha256: key.sha256 }] },
    ]);
    expect((await load(stolen)).reasons).to.deep.equal({ 'api_keys: one belongs to another account': 1 });
  });

  it('M25 leaves weak hashes to the legacy system where that is asked for', async () => {
    const file = write('lazy.ndjson', [
      { vendor_id: 'l-1', password_hash: WEAK },
      { vendor_id: 'l-2', password_hash: BCRYPT },
    ]);
    const to = ['--organization', 'other', '--dialect', 'avycenna'];
    await said(['import', file, ...to, '--weak', 'lazily']);
    const [weak, strong] = await inStore(({ accounts }) =>
      Promise.all(['l-1', 'l-2'].map((id) => accounts.byAlias('avycenna', id))),
    );
    expect(weak).to.deep.include({ openedAt: 'avycenna', legacy: { avycenna: { password: 'legacy' } } });
    expect(weak).not.to.have.property('passwordHash');
    expect(strong).to.deep.include({ passwordHash: BCRYPT, legacy: { avycenna: { password: 'legacy' } } });
    const refused = await terminal.session(['import', file, ...TO, '--weak', 'lazily']);
    expect(refused.stderr).to.contain('say whose legacy system is asked then');
  });

  it('reads standard input, and columns by other names', async () => {
    const map = terminal.write(
      'map.yaml',
      'mail: email\nfull: [given_name, family_name]\nnotes: null\nteam: roles\n',
    );
    const csv = `mail,full,notes,team\nmap@x.test,Ana Maria Sousa,${SECRET},nurse doctor\n`;
    const to = ['--organization', 'other', '--shape', 'csv', '--map', map, '--json'];
    expect((await said(['import', '-', ...to], csv)).json()).to.include({ created: 1 });
    expect((await said(['import', '-', ...to], csv)).json()).to.include({ created: 0, kept: 1 });
    const account = await inStore(({ accounts }) => accounts.byEmail('other', 'map@x.test'));
    expect(account).to.deep.include({
      claims: { given_name: 'Ana Maria', family_name: 'Sousa' },
      roles: ['nurse', 'doctor'],
    });
    const again = await terminal.session(['import', '-', ...to, '--resume']);
    expect(again.stderr).to.contain('Standard input cannot be read again');
    const wrong = terminal.write('wrong.yaml', 'mail: emial\n');
    const misspelt = await terminal.session(['import', '-', ...to.slice(0, 4), '--map', wrong]);
    expect(misspelt.stderr).to.contain('mail must lead to a column');
  });

  it('IM5 exports what it imports, in both shapes, hashes included', async () => {
    const rows = [
      {
        ...{
          email: 'ada@x.test',
          email_verified: true,
          username: 'Ada',
          password_hash: BCRYPT,
          status: 'inactive',
        },
        ...{
          given_name: 'Ada "A", B',
          family_name: 'NULL',
          nickname: '=HYPERLINK("http://x.test";"Ada")',
          phone_number: '+1 555 0100',
          phone_number_verified: false,
          roles: ['head nurse', 'x'],
        },
        address: { region: 'CA', formatted: 'One\nWay' },
        ...{
          aliases: { visitnote: 'e-1', vsee: '20001' },
          vendor: { vsee: { type: 5, list: ['a'] }, visitnote: { on: true, no: 'true' } },
        },
        identities: [
          { issuer: 'https://accounts.google.com', subject: 'e-1' },
          { issuer: 'https://x.test', subject: ' 2' },
        ],
        ...{ created_at: '2020-01-02T03:04:05.006Z', updated_at: '2021-01-02T03:04:05.006Z' },
      },
      {
        email: 'weak@x.test',
        email_verified: false,
        password_hash: WEAK,
        roles: ['nurse'],
        created_at: '2020-01-02T03:04:05.006Z',
      },
      { username: 'only-a-name', created_at: '2020-01-02T03:04:05.006Z' },
    ];
    const exported = async (organization: string, ...more: string[]) => {
      const ran = await said(['export', '--organization', organization, ...more]);
      expect(ran.stderr).to.equal('3 people\n');
      return ran.stdout;
    };
    const sorted = (text: string) => text.trim().split('\n').sort().slice().join('\n');
    /** Aliases belong to one account in all organizations. */
    const move = async (from: string, to: string, shape: 'ndjson' | 'csv') => {
      const all = await exported(from, '--with-hashes', '--shape', shape);
      const file = terminal.write(`${from}.${shape}`, all);
      await inStore(async ({ accounts, identities }) => {
        for (const { id } of await accounts.page(from, { limit: 10 })) {
          await identities.removeByAccount(id);
          await accounts.remove(id);
        }
      });
      const ran = await said(['import', file, '--organization', to, '--json']);
      expect(ran.json(), JSON.stringify(ran.json())).to.include({ rows: 3, created: 3 });
      const again = await said(['import', file, '--organization', to, '--json']);
      expect(again.json(), again.stdout).to.include({ kept: 3 });
      return all;
    };
    await said(['import', write('all.ndjson', rows), '--organization', 'copy']);
    const first = await move('copy', 'table', 'ndjson');
    expect(JSON.parse(sorted(first).split('\n')[0] ?? '')).to.deep.equal(rows[0]);
    const second = await move('table', 'copy', 'csv');
    expect(second).to.contain('vendor.vsee.type:json').and.to.contain('roles:json');
    // A spreadsheet takes what begins so for a formula.
    expect(second)
      .to.contain('nickname:json')
      .and.to.contain('phone_number,')
      .and.not.to.match(/(?:^|,)"?=/m);
    const third = await exported('copy', '--with-hashes');
    const parsed = (text: string) =>
      sorted(text)
        .split('\n')
        .map((line) => JSON.parse(line));
    expect(parsed(third)).to.deep.equal(parsed(first));
    const bare = await exported('copy');
    expect(bare).not.to.contain('$').and.not.to.contain('password_hash');
    const trail = await terminal.session(['audit', 'list', '--event', 'account.export', '--json']);
    expect(trail.json()[0]?.detail).to.deep.include({ hashes: false, shape: 'ndjson', count: 3 });
  });
});
