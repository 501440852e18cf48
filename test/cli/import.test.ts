/** `portico import --roster`: people of a legacy system, without passwords. */
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { hasCompleteRoster } from '../../src/identity/legacy/complete-rosters.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

const SECRET = 'Granary-Window-Feather-63';
const PEOPLE = `
organizations:
  - { id: default, name: Default }
  - { id: other, name: Other }
accounts:
  - { organization: default, email: proved@x.test, email_verified: true, password: ${SECRET} }
  - { organization: default, email: squatter@x.test, password: ${SECRET} }
  - { organization: other, email: elsewhere@x.test, aliases: { visitnote: v-elsewhere } }
  - organization: default
    email: linked@x.test
    identities: [{ issuer: "https://accounts.google.com", subject: g-1 }]
`;

describe('portico import', function () {
  this.timeout(60_000);
  let terminal: Terminal;
  before(async () => {
    terminal = openTerminal({
      dialects: {
        visitnote: { enabled: true, legacy: { url: 'http://127.0.0.1:9', stage: 'proxy' } },
        vsee: { enabled: true },
      },
    });
    const loaded = await terminal.session(['seed', terminal.write('people.yaml', PEOPLE)]);
    expect(loaded.code, loaded.stderr).to.equal(0);
  });
  after(() => terminal.close());

  const TO = ['--organization', 'default', '--dialect', 'visitnote', '--roster'];
  const load = (file: string, ...more: string[]) => terminal.session(['import', file, ...TO, ...more]);

  async function loaded(file: string, ...more: string[]) {
    const ran = await load(file, '--json', ...more);
    expect(ran.code, ran.stderr).to.equal(0);
    return ran.json();
  }

  const ndjson = (name: string, rows: readonly unknown[]) =>
    terminal.write(name, rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row))).join('\n'));

  const inStore: Terminal['inStore'] = (work) => terminal.inStore(work);

  const byEmail = (email: string) => inStore(({ accounts }) => accounts.byEmail('default', email));
  const byId = (id: string) => inStore(({ accounts }) => accounts.byAlias('visitnote', id));
  const change = (email: string, members: Partial<AccountRecord>) =>
    inStore(async ({ accounts }) => {
      const present = await accounts.byEmail('default', email);
      expect(present && (await accounts.update({ ...present, ...members }))).to.equal('updated');
    });
  const reasons = (file: string) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));

  const MARA = {
    ...{ vendor_id: 'v-mara', email: 'Mara@Clinic.test', given_name: 'Mara', family_name: 'Ito' },
    ...{ email_verified: true, roles: ['clinician'], vendor: { visitnote: { discipline: 'PT' } } },
    identities: [{ issuer: 'https://accounts.google.com', subject: 'g-mara' }],
  };

  it('makes accounts without passwords, of which the legacy system decides, and twice changes nothing', async () => {
    const file = ndjson('mara.ndjson', [MARA, '', { email: 'no-id@x.test' }]);
    expect(await loaded(file)).to.include({ rows: 2, created: 2, updated: 0, kept: 0 });
    const mara = await byId('v-mara');
    expect(mara).to.deep.include({
      ...{ organization: 'default', email: 'mara@clinic.test', emailVerified: true, openedAt: 'visitnote' },
      ...{ status: 'active', roles: ['clinician'], legacy: { visitnote: { password: 'legacy' } } },
      ...{ claims: { given_name: 'Mara', family_name: 'Ito' }, vendor: { visitnote: { discipline: 'PT' } } },
    });
    expect(mara).not.to.have.property('passwordHash');
    const link = await inStore(({ identities }) =>
      identities.find('default', 'https://accounts.google.com', 'g-mara'),
    );
    expect(link?.accountId).to.equal(mara?.id);
    expect((await byEmail('no-id@x.test'))?.emailVerified).to.equal(false);
    expect(await loaded(file)).to.include({ rows: 2, created: 0, updated: 0, kept: 2 });
    const status = await terminal.session(['migration', 'status', 'visitnote', '--json']);
    expect(status.json()[0]?.people).to.include({ roster: 2 });
  });

  it('reads CSV: dots make tables, an empty cell says nothing', async () => {
    const file = terminal.write(
      'people.csv',
      '\ufeffvendor_id,email,given_name,roles,address.region,vendor.visitnote.needs_onboarding,identities.0.issuer,identities.0.subject\r\n' +
        'v-csv,csv@x.test,"Ana ""A"" \nReis",doctor admin,CA,false,https://appleid.apple.com,a-1\r\n' +
        'v-csv2,,,,,,,\r\n',
    );
    const report = path.join(terminal.folder, 'csv-report');
    expect(await loaded(file, '--report', report)).to.include({ rows: 2, created: 1, row: 1 });
    expect(reasons(report)).to.deep.equal([
      { line: 3, kind: 'row', reason: 'given_name: must not contain control characters' },
    ]);
    const good = file.replace('people', 'good');
    terminal.write('good.csv', readFileSync(file, 'utf8').replace(' \nReis', ' Reis'));
    expect(await loaded(good)).to.include({ rows: 2, created: 1, kept: 1 });
    expect(await byId('v-csv')).to.deep.include({
      ...{ email: 'csv@x.test', roles: ['doctor', 'admin'] },
      ...{ claims: { given_name: 'Ana "A" Reis', address: { region: 'CA' } } },
      vendor: { visitnote: { needs_onboarding: false } },
    });
    expect(await byId('v-csv2')).to.include({ status: 'active' });
  });

  it('changes nothing in a dry run, and says what it would do', async () => {
    const file = ndjson('dry.ndjson', [
      { ...MARA, family_name: 'Other' },
      { vendor_id: 'v-dry', email: 'dry@x.test' },
      { email: 'squatter@x.test' },
      'no JSON',
    ]);
    const counts = await loaded(file, '--dry-run');
    expect(counts).to.include({ rows: 4, created: 1, updated: 1, conflict: 1, row: 1 });
    expect(await byEmail('dry@x.test')).to.equal(undefined);
    expect((await byId('v-mara'))?.claims.family_name).to.equal('Ito');
    expect(await inStore(({ metadata }) => metadata.get('import:x'))).to.equal(undefined);
  });

  it('M9 refuses rows one by one, and repeats nothing of what is in them', async () => {
    await loaded(ndjson('mara.ndjson', [MARA]));
    const rows: readonly (readonly [object | string, string])[] = [
      [{ vendor_id: 'v-1', email: `${SECRET} no address` }, 'email: must be an e-mail address'],
      [{ vendor_id: 'v-2', password: SECRET }, 'has a password; a roster has none'],
      [{ vendor_id: 'v-3', password_hash: SECRET }, 'has a password; a roster has none'],
      [{ vendor_id: 'v-4', [SECRET]: SECRET }, 'has a member that is not known'],
      [{ given_name: SECRET }, 'must have a vendor_id, an email, a username, an alias or an identity'],
      [`{"vendor_id": "${SECRET}`, 'cannot be read'],
      [`["${SECRET}"]`, 'Invalid input: expected object, received array'],
      [
        `{"vendor_id":"v-deep","vendor":{"x":{"y":${'['.repeat(100_000)}${']'.repeat(100_000)}}}}`,
        'cannot be read',
      ],
      ['{"vendor_id":"v-5","__proto__":{"status":"blocked"}}', 'has a member that is not known'],
      [
        { vendor_id: 'v-6', status: SECRET },
        'status: Invalid option: expected one of "active"|"inactive"|"blocked"',
      ],
      [
        { vendor_id: 'v-7', email: 'squatter@x.test', email_verified: true },
        'email: belongs to an account here, and not both sides have proved it',
      ],
      [
        { vendor_id: 'v-8', email: 'proved@x.test' },
        'email: belongs to an account here, and not both sides have proved it',
      ],
      [{ vendor_id: 'v-elsewhere' }, 'vendor_id: belongs to an account of another organization'],
      [{ vendor_id: 'v-9', email: 'mara@clinic.test' }, 'email: belongs to another vendor_id'],
    ];
    const file = ndjson(
      'bad.ndjson',
      rows.map(([row]) => row),
    );
    const report = path.join(terminal.folder, 'report.ndjson');
    const ran = await load(file, '--report', report, '--max-rejects', '14');
    expect(ran.code, ran.stderr).to.equal(0);
    expect(reasons(report).map(({ reason }) => reason)).to.deep.equal(rows.map(([, reason]) => reason));
    expect(reasons(report).map(({ line }) => line)).to.deep.equal(rows.map((_, place) => place + 1));
    expect(readFileSync(report, 'utf8') + ran.stdout + ran.stderr).not.to.contain(SECRET);
    const trail = await terminal.session(['audit', 'list', '--event', 'account.import', '--json']);
    expect(trail.stdout).to.contain('"conflict": 4').and.not.to.contain(SECRET);
  });

  it('M8 makes no account of a person who was deleted here', async () => {
    const first = ndjson('first.ndjson', [{ vendor_id: 'v-late', email: 'late@x.test' }]);
    await loaded(first);
    const { id = '' } = (await byId('v-late')) ?? {};
    const deleted = await terminal.session(['account', 'delete', id, '--yes']);
    expect(deleted.code, deleted.stderr).to.equal(0);
    expect(await loaded(first)).to.include({ created: 0, gone: 1 });
    const byAddress = ndjson('again.ndjson', [{ vendor_id: 'v-new', email: 'late@x.test' }]);
    expect(await loaded(byAddress)).to.include({ created: 0, gone: 1 });
  });

  it('M9 joins an account here only where both sides have proved the address, or have the same upstream identity', async () => {
    const file = ndjson('join.ndjson', [
      { vendor_id: 'v-proved', email: 'proved@x.test', email_verified: true, given_name: 'Other' },
      { vendor_id: 'v-linked', identities: [{ issuer: 'https://accounts.google.com', subject: 'g-1' }] },
    ]);
    expect(await loaded(file)).to.include({ created: 0, updated: 2 });
    const proved = await byId('v-proved');
    // A password of its own stays the only one, and so does the rest.
    expect(proved?.legacy).to.deep.equal({ visitnote: { password: 'portico' } });
    expect(proved?.claims).to.deep.equal({});
    expect((await byId('v-linked'))?.legacy).to.deep.equal({ visitnote: { password: 'legacy' } });
    expect(await loaded(file)).to.include({ updated: 0, kept: 2 });
  });

  it('brings people up to date who have not signed in here, and leaves alone those who have', async () => {
    const row = { vendor_id: 'v-moves', email: 'moves@x.test', given_name: 'Old' };
    await loaded(ndjson('moves.ndjson', [row]));
    const renamed = ndjson('renamed.ndjson', [{ ...row, given_name: 'New', email: 'moved@x.test' }]);
    expect(await loaded(renamed)).to.include({ updated: 1 });
    expect(await byId('v-moves')).to.deep.include({ email: 'moved@x.test', claims: { given_name: 'New' } });
    await change('moved@x.test', { claims: { given_name: 'Mine' }, passwordHash: '$2b$04$x' });
    expect(await loaded(renamed)).to.include({ updated: 0, kept: 1 });
    expect((await byId('v-moves'))?.claims.given_name).to.equal('Mine');
    const taken = ndjson('taken.ndjson', [{ vendor_id: 'v-csv', email: 'moved@x.test' }]);
    expect(await loaded(taken)).to.include({ conflict: 1, updated: 0 });
  });

  it('M9 stops when too many rows are refused, and says that it is complete only when none was', async () => {
    const bad = ndjson('wrong.ndjson', ['{', '{', { vendor_id: 'v-fine' }]);
    const stopped = await load(bad, '--max-rejects', '1');
    expect(stopped.code).to.equal(1);
    expect(stopped.stderr).to.contain('2 of 3 rows were refused, more than --max-rejects 1');
    const rosterOf = () =>
      inStore(({ metadata }) =>
        hasCompleteRoster(metadata, { organization: 'default', dialect: 'visitnote' }),
      );
    const incomplete = await load(bad, '--complete');
    expect(incomplete.code).to.equal(1);
    expect(incomplete.stderr).to.contain('the roster is not complete');
    const nothing = await load(ndjson('nothing.ndjson', []), '--complete');
    expect(nothing.stderr).to.contain('There is no row');
    // Two people who share a username: the address of the second is not in the store.
    const shared = [
      { email: 'one@x.test', username: 'tim' },
      { email: 'two@x.test', username: 'tim' },
    ];
    expect((await load(ndjson('shared.ndjson', shared), '--complete')).stderr).to.contain(
      '1 rows were refused',
    );
    expect(await rosterOf()).to.equal(false);
    const passed = await load(bad, '--resume', '--max-rejects', '1');
    expect(passed.code, 'more than before').to.equal(1);
    const good = ndjson('right.ndjson', [MARA]);
    expect((await load(good, '--complete', '--dry-run')).code).to.equal(0);
    expect(await rosterOf()).to.equal(false);
    const { stdout } = await load(good, '--complete');
    expect(stdout).to.contain('The roster of visitnote in default is complete.');
    expect(await rosterOf()).to.equal(true);
  });

  it('stops at a file that is none, with the place', async () => {
    const refusals: readonly (readonly [string, string | Buffer, RegExp])[] = [
      ['latin1.ndjson', Buffer.from([0x22, 0xe9, 0x22]), /latin1\.ndjson is not UTF-8/],
      ['column.csv', 'vendor_id,emial\n1,2\n', /columns that are not known: "emial"/],
      [
        'proto.csv',
        'vendor_id,vendor.__proto__.x,__proto__\n1,2,3\n',
        /columns that are not known: "__proto__"/,
      ],
      ['twice.csv', 'vendor_id,email,email\n', /columns twice: "email"/],
      ['quote.csv', 'vendor_id\n"never ends\n', /is no CSV/],
      ['opening.csv', `vendor_id,given_name\n1,${SECRET}"x\n`, /invalid opening quote at line 2/],
      ['nameless.csv', `ada@x.test,${SECRET}\n`, /no column that is known/],
      ['long.ndjson', `"${'x'.repeat(1_100_000)}"\n{}`, /long\.ndjson:1 is too long/],
      ['what.txt', '', /--shape ndjson/],
    ];
    for (const [name, content, words] of refusals) {
      const file = path.join(terminal.folder, name);
      writeFileSync(file, content);
      const ran = await load(file);
      expect(ran.code, name).to.equal(1);
      expect(ran.stderr).to.match(words);
      expect(ran.stderr, 'no stack trace').not.to.contain('    at ').and.not.to.contain(SECRET);
      expect(ran.stderr).not.to.contain('ada@');
    }
    const deep = terminal.write('deep.json', `${'['.repeat(2000)}${']'.repeat(2000)}`);
    expect((await load(deep, '--shape', 'auth0')).stderr).to.contain('deep.json is no JSON behind person 0');
    const own = ndjson('own.ndjson', [MARA]);
    for (const [report, words] of [
      [own, '--report would write over the file'],
      [terminal.folder, 'cannot be written'],
    ] as const) {
      const ran = await load(own, '--report', report);
      expect(ran.stderr).to.contain(words).and.not.to.contain('    at ');
    }
    expect(readFileSync(own, 'utf8')).to.contain('mara');
    const uneven = terminal.write(
      'uneven.csv',
      'vendor_id,email\nv-u1\nv-u2,u2@x.test\nv-u3,u3@x.test,more\n',
    );
    expect(await loaded(uneven)).to.include({ rows: 3, created: 1, row: 2 });
    for (const [args, words] of [
      [['--organization', 'nowhere', '--dialect', 'visitnote', '--roster'], 'no organization nowhere'],
      [['--organization', 'default', '--dialect', 'vsee', '--roster'], 'dialects.vsee.legacy'],
      [['--organization', 'default', '--roster'], '--dialect'],
      [['--organization', 'default', '--dialect', 'other'], 'other is no dialect that is switched on'],
      [['--organization', 'default', '--complete'], '--roster'],
    ] as const) {
      const ran = await terminal.session(['import', uneven, ...args]);
      expect(ran.code).to.equal(1);
      expect(ran.stderr).to.contain(words);
    }
    const missing = await load(path.join(terminal.folder, 'none.csv'));
    expect(missing.stderr).to.contain('none.csv cannot be read');
  });

  /** `npm test` kills twice; IMPORT_KILLS=20 is the show. */
  const KILLS = Number(process.env.IMPORT_KILLS ?? 2);

  it('IM4 goes on after each kill where it was, and the file is whole afterwards', async function () {
    this.timeout(30_000 + 30_000 * KILLS);
    const people = 1000 * KILLS + 2500;
    const rows = Array.from({ length: people }, (_, place) => ({
      ...{ vendor_id: `k-${place}`, email: `k${place}@x.test` },
    }));
    const report = path.join(terminal.folder, 'killed.report');
    const file = ndjson('killed.ndjson', [...rows, '{', rows[0]]);
    for (let kill = 0; kill < KILLS; kill += 1) {
      const { child, output } = terminal.spawn(['import', file, ...TO, '--resume', '--report', report]);
      // Rows of a thousand are written as one; what comes behind them may be done or not.
      await inStore(async ({ accounts }) => {
        while (
          (await accounts.byAlias('visitnote', `k-${1000 * kill}`)) === undefined &&
          child.exitCode === null
        )
          await new Promise(setImmediate);
      });
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      expect(child.signalCode, output()).to.equal('SIGKILL');
    }
    const map = terminal.write('other.yaml', 'email: username\n');
    const other = await load(file, '--resume', '--map', map);
    expect(other.code).to.equal(1);
    expect(other.stderr).to.contain('read other rows');
    // Of rows behind the mark.
    appendFileSync(report, '{"line":1}\n');
    const resumed = await load(file, '--resume', '--json', '--report', report);
    expect(resumed.code, resumed.stderr).to.equal(0);
    expect(resumed.json()).to.include({ rows: people + 2, row: 1, duplicate: 1 });
    expect(Number(resumed.json().created) + Number(resumed.json().kept)).to.equal(people);
    // Each thousand is written down once, by whichever run got so far.
    const trail = await inStore(({ audit }) => audit.latest({ event: 'account.import', limit: 1000 }));
    const { file: digest } = trail[0]?.detail ?? {};
    const steps = trail.filter(({ detail }) => detail?.file === digest && detail?.done === undefined);
    const places = steps.map(({ detail }) => detail?.rows);
    expect(places).to.deep.equal([...new Set(places)]);
    expect(reasons(report).map(({ line }) => line)).to.deep.equal([people + 1, people + 2]);
    const again = await loaded(file);
    expect(again).to.include({ created: 0, updated: 0, kept: people, row: 1, duplicate: 1 });
  });
});
