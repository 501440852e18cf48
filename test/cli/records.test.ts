import { once } from 'node:events';
import { expect } from 'chai';
import { accountRecord } from '../conformance/stores/back-end.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

/** One store, on which an operator works from the first organization to the last account. */
describe('The command line', () => {
  let terminal: Terminal;
  before(() => {
    terminal = openTerminal();
  });
  after(() => terminal.close());

  async function done(args: string[], input?: string) {
    const ran = await terminal.session(args, input === undefined ? {} : { input });
    expect(ran.code, ran.stderr).to.equal(0);
    return ran;
  }
  async function refused(args: string[], words: string | RegExp, input?: string) {
    const ran = await terminal.session(args, input === undefined ? {} : { input });
    expect(ran.code).to.equal(1);
    expect(ran.stderr).to.match(
      words instanceof RegExp ? words : new RegExp(words.replaceAll(/[.?()]/g, '\\$&')),
    );
    expect(ran.stderr, 'no stack trace').not.to.contain('    at ');
  }

  it('says how to begin where there is no organization', async () => {
    await refused(['organization', 'show', 'default'], 'portico organization create default');
  });

  it('says where it has made a store, which may be another folder than the server’s', async () => {
    const elsewhere = openTerminal();
    try {
      const first = await elsewhere.session(['client', 'list']);
      expect(first.stderr).to.match(/^There was no store at \/.+\.db: this command has made one\.$/m);
      expect((await elsewhere.session(['client', 'list'])).stderr).to.equal('');
    } finally {
      elsewhere.close();
    }
  });

  it('makes, shows, changes and lists organizations', async () => {
    await done([
      'organization',
      'create',
      'clinic',
      '--name',
      'Clinic',
      '--host',
      'Clinic.example',
      '--vendor',
      'vsee.sso=true',
    ]);
    await done(['organization', 'create', 'other']);
    const shown = (await done(['organization', 'show', 'clinic', '--json'])).json();
    expect(shown).to.deep.equal({
      id: 'clinic',
      name: 'Clinic',
      hosts: ['clinic.example'],
      vendor: { vsee: { sso: true } },
    });
    await done([
      'organization',
      'set',
      'clinic',
      '--vendor',
      'vsee.vseeid_prefix=cl',
      '--vendor',
      'vsee.sso=null',
      '--no-hosts',
    ]);
    expect((await done(['organization', 'show', 'clinic', '--json'])).json()).to.deep.include({
      name: 'Clinic',
      hosts: [],
      vendor: { vsee: { vseeid_prefix: 'cl' } },
    });
    const policy = async (...factors: string[]) => {
      const changes = factors.flatMap((each) => ['--factors', each]);
      await done(['organization', 'set', 'clinic', ...changes]);
      return Object((await done(['organization', 'show', 'clinic', '--json'])).json()).factors;
    };
    const noted = await policy('require=required', 'offered=passkey', 'grace_days=7');
    expect(noted).to.deep.include({ require: 'required', offered: ['passkey'], grace_days: 7 });
    // When it began to be required does not move with what is changed later.
    expect(Date.parse(noted.since)).to.be.within(Date.now() - 60_000, Date.now());
    expect(await policy('grace_days=null', 'remember_days=0')).to.deep.equal({
      ...{ require: 'required', offered: ['passkey'], since: noted.since, remember_days: 0 },
    });
    await refused(['organization', 'set', 'clinic', '--factors', 'require=all'], /factors\.require/);
    await refused(['organization', 'set', 'clinic', '--factors', 'roles=doctor'], /factors\.roles/);
    expect(await policy('require=null', 'offered=null', 'since=null', 'remember_days=null')).to.equal(
      undefined,
    );
    expect((await done(['organization', 'list'])).stdout).to.match(
      /^ID +NAME +HOSTS\nclinic +Clinic +-\nother +other +-\n$/,
    );
    await refused(['organization', 'create', 'clinic'], 'portico organization set clinic');
    await refused(['organization', 'create', 'a b'], 'letters, digits');
    await refused(['organization', 'set', 'clinic', '--vendor', 'vsee'], 'vendor.member=value');
    await done(['organization', 'set', 'other', '--host', 'taken.example']);
    await refused(
      ['organization', 'set', 'clinic', '--host', 'taken.example'],
      'belongs to organization other',
    );
  });

  it('ORG2 gives an email domain to one organization, in one spelling, and clients others to serve', async () => {
    await done(['organization', 'set', 'clinic', '--email-domain', 'Bücher.example']);
    const domains = async () =>
      (await done(['organization', 'show', 'clinic', '--json'])).json().emailDomains;
    expect(await domains()).to.deep.equal(['xn--bcher-kva.example']);
    const taken = ['organization', 'set', 'other', '--email-domain', 'xn--bcher-kva.example'];
    await refused(taken, 'email domain xn--bcher-kva.example belongs to organization clinic');
    await refused(['organization', 'set', 'other', '--email-domain', 'nodomain'], 'nodomain is no domain');
    const create = [
      'client',
      'create',
      '--organization',
      'clinic',
      '--redirect-uri',
      'https://several.example/cb',
    ];
    const several = [...create, '--id', 'several', '--json', '--organizations'];
    await refused([...several, 'other nowhere'], 'There is no organization nowhere');
    const made = (await done([...several, 'other', '--choose-organization', 'list'])).json();
    expect(made.metadata).to.deep.include({ organizations: ['other'], choose_organization: 'list' });
    await done(['client', 'set', 'several', '--organizations', 'all', '--choose-organization', 'inherit']);
    const { metadata } = (await done(['client', 'show', 'several', '--json'])).json();
    expect(metadata).to.have.property('organizations', 'all');
    expect(metadata).to.not.have.property('choose_organization');
    await done(['client', 'delete', 'several', '--yes']);
    await done(['organization', 'set', 'clinic', '--no-email-domains']);
    expect(await domains()).to.deep.equal([]);
    await done(['organization', 'set', 'other', '--email-domain', 'xn--bcher-kva.example']);
  });

  it('dresses the pages of an organization, member by member, and refuses what a seed file could not say', async () => {
    const set = ['organization', 'set', 'other'];
    await done([
      ...set,
      '--brand',
      'name=Other & Co',
      '--brand',
      'accent=#1f6f5c',
      '--brand',
      'ways=["code"]',
    ]);
    await done([...set, '--brand', 'accent=null', '--brand', 'sign_in=name-first']);
    const brandingOf = async () => (await done(['organization', 'show', 'other', '--json'])).json().branding;
    expect(await brandingOf()).to.deep.equal({
      name: 'Other & Co',
      ways: ['code'],
      sign_in: 'name-first',
    });
    await refused(
      [...set, '--brand', 'accent=red'],
      'brand.accent is "red": must be a colour such as #1f6f5c',
    );
    await refused(
      [...set, '--brand', 'logo=javascript:alert(1)'],
      /brand\.logo is "javascript.*: must be an address of the web/,
    );
    await refused([...set, '--brand', 'colour=#000000'], 'brand.colour: is no known key');
    const registrationOf = async () =>
      (await done(['organization', 'show', 'other', '--json'])).json().registration;
    await done([...set, '--registration', 'on']);
    await done([...set, '--name', 'Other & Co']);
    expect(await registrationOf()).to.equal(true);
    await done([...set, '--registration', 'off']);
    expect(await registrationOf()).to.equal(false);
    const mistyped = await terminal.session([...set, '--registration', 'perhaps']);
    expect(mistyped.stderr).to.contain('Allowed choices are on, off');
    await refused(
      [...set, '--brand', 'ways=["pasword"]'],
      'brand.ways.0 is "pasword": must be password or code',
    );
    await refused([...set, '--brand', 'accent'], 'is not of the form member=value');
    expect(await brandingOf()).to.deep.equal({
      name: 'Other & Co',
      ways: ['code'],
      sign_in: 'name-first',
    });
    await done([...set, '--brand', 'name=null', '--brand', 'ways=null', '--brand', 'sign_in=null']);
    expect(await brandingOf()).to.equal(undefined);
  });

  it('makes, shows, changes, blocks and deletes accounts', async () => {
    const created = (
      await done([
        'account',
        'create',
        '--organization',
        'clinic',
        '--email',
        'Ada@x.example',
        '--verified',
        '--generate-password',
        '--given-name',
        'Ada',
        '--role',
        'a',
        '--role',
        'b',
        '--json',
      ])
    ).json();
    expect(created).to.deep.include({
      email: 'ada@x.example',
      emailVerified: true,
      hasPassword: true,
      roles: ['a', 'b'],
    });
    expect(created.password).to.match(/^[a-z2-9]{20}$/);
    expect(created).not.to.have.property('passwordHash');
    const shown = await done(['account', 'show', 'ada@x.example']);
    expect(shown.stdout).not.to.contain(String(created.password)).and.not.to.contain('argon2');

    const changed = (
      await done([
        'account',
        'set',
        'ada@x.example',
        '--family-name',
        'Byron',
        '--role',
        'c',
        '--email',
        'byron@x.example',
        '--json',
      ])
    ).json();
    expect(changed).to.deep.include({
      id: created.id,
      email: 'byron@x.example',
      emailVerified: false,
      roles: ['c'],
    });
    expect(changed.claims).to.deep.equal({ given_name: 'Ada', family_name: 'Byron' });

    expect((await done(['account', 'block', String(created.id)])).stdout).to.contain('is blocked');
    expect((await done(['account', 'show', 'byron@x.example', '--json'])).json().status).to.equal('blocked');
    await done(['account', 'unblock', 'byron@x.example']);
    expect((await done(['account', 'list', '--organization', 'clinic', '--json'])).json()).to.have.lengthOf(
      1,
    );

    await refused(['account', 'delete', 'byron@x.example'], 'Add --yes');
    await done(['account', 'delete', 'byron@x.example', '--yes']);
    await refused(['account', 'show', 'byron@x.example'], 'There is no account byron@x.example.');
  });

  it('B2 shows where an account was opened, and takes roles away', async () => {
    const email = 'opened@x.example';
    await terminal.inStore(({ accounts }) =>
      accounts.insert(accountRecord({ organization: 'clinic', email, openedAt: 'medisync' })),
    );
    const shown = async () => (await done(['account', 'show', email, '--json'])).json();
    expect(await shown()).to.deep.include({ openedAt: 'medisync', roles: [] });
    await done(['account', 'set', email, '--role', 'doctor', '--role', 'admin']);
    expect(await shown()).to.deep.include({ openedAt: 'medisync', roles: ['doctor', 'admin'] });
    await done(['account', 'set', email, '--role', '']);
    expect(await shown()).to.deep.include({ openedAt: 'medisync', roles: [] });
    const table = await done(['account', 'list', '--organization', 'clinic']);
    expect(table.stdout)
      .to.match(/OPENEDAT/)
      .and.match(new RegExp(`${email} .* medisync\n`));
    await done(['account', 'delete', email, '--yes']);
  });

  it('N13 counts the factors and app passwords of an account, and shows none', async () => {
    const email = 'factors@x.example';
    const made = { createdAt: '2026-11-01T00:00:00.000Z', name: 'Phone', dialect: 'vsee' };
    const appPasswords = ['one', 'two'].map((id) => ({ ...made, id, hash: `hash-of-${id}` }));
    const app = { salt: 'salt-of-it', step: 0, createdAt: made.createdAt };
    await terminal.inStore(({ accounts }) =>
      accounts.insert(accountRecord({ organization: 'clinic', email, factors: { app, appPasswords } })),
    );
    const { stdout, json } = await done(['account', 'show', email, '--json']);
    const factors = { passkeys: 0, apps: 1, recoveryCodes: 0, devices: 0, appPasswords: 2 };
    expect(json()).to.deep.include({ factors });
    expect(stdout).to.not.match(/hash-of|salt-of/);
    expect((await done(['account', 'show', email])).stdout).to.contain('"appPasswords":2');
    await done(['account', 'delete', email, '--yes']);
  });

  it('reads passwords from standard input, and refuses bad ones in words', async () => {
    const create = ['account', 'create', '--organization', 'clinic', '--username', 'bob', '--password-stdin'];
    await refused(create, 'No password came', '');
    await refused(create, 'too short', 'short\n');
    await refused(create, 'too easy to guess', 'password1234\n');
    await done(create, 'a long and honest one\n');
    await refused(create, 'belongs to another account', 'a long and honest one\n');
    await refused([...create, '--generate-password'], 'not both', 'x');
    await refused(['account', 'create', '--organization', 'clinic'], '--email or --username');
    await refused(
      ['account', 'create', '--organization', 'none', '--username', 'x'],
      'There are: clinic, other',
    );
  });

  it('asks which account is meant where several organizations have the address', async () => {
    for (const organization of ['clinic', 'other']) {
      await done(['account', 'create', '--organization', organization, '--email', 'twin@x.example']);
    }
    await refused(
      ['account', 'show', 'twin@x.example'],
      'accounts in clinic, other. Say which: --organization',
    );
    const one = (
      await done(['account', 'show', 'twin@x.example', '--organization', 'other', '--json'])
    ).json();
    expect(one.organization).to.equal('other');
  });

  it('registers clients, and shows their secret once', async () => {
    const base = ['client', 'create', '--organization', 'clinic'];
    const created = (
      await done([
        ...base,
        '--id',
        'web',
        '--name',
        'Web',
        '--redirect-uri',
        'https://a.example/cb',
        '--scope',
        'openid',
        '--json',
      ])
    ).json();
    expect(created).to.deep.include({
      clientId: 'web',
      organization: 'clinic',
      confidential: true,
      firstParty: false,
    });
    expect(created.metadata).to.deep.include({ redirect_uris: ['https://a.example/cb'], scope: 'openid' });
    expect(created.clientSecret).to.match(/^[\w-]{43}$/);
    const shown = await done(['client', 'show', 'web']);
    expect(shown.stdout).not.to.contain(String(created.clientSecret)).and.not.to.contain('ecretHash');
    await done([
      ...base,
      '--id',
      'app',
      '--public',
      '--native',
      '--redirect-uri',
      'http://127.0.0.1/cb',
      '--first-party',
    ]);
    await done([
      ...base,
      '--id',
      'api',
      '--grant',
      'client_credentials',
      '--introspects',
      'vsee-legacy',
      '--all-organizations',
    ]);
    expect((await done(['client', 'list', '--organization', 'clinic'])).stdout).to.match(
      /api .*confidential[\s\S]*app .*public/,
    );
    await refused([...base, '--id', 'web', '--redirect-uri', 'https://a.example/cb'], 'Choose another --id');
    await refused(base, 'redirect_uris must have at least one URI');
    await refused([...base, '--redirect-uri', 'nonsense'], 'redirect_uris.0 must be a URL');
    await refused(
      [...base, '--public', '--redirect-uri', 'https://a.example', '--introspects', 'x'],
      'client_secret to introspect',
    );
    const set = ['client', 'set', 'web'];
    await done([...set, '--name', 'Web App', '--brand', 'name=Web Kids', '--brand', 'accent=#b45309']);
    await done([...set, '--brand', 'accent=null', '--brand', 'terms=https://a.example/terms']);
    const dressed = (await done(['client', 'show', 'web', '--json'])).json();
    expect(dressed.metadata).to.deep.equal({
      ...(created.metadata as object),
      client_name: 'Web App',
      branding: { name: 'Web Kids', terms: 'https://a.example/terms' },
    });
    expect(dressed.confidential).to.equal(true);
    await refused([...set, '--brand', 'accent=#12'], 'brand.accent is "#12": must be a colour');
    await refused([...set, '--brand', 'sign_in=name-first'], 'brand.sign_in: is no known key');
    await refused(['client', 'set', 'nobody', '--name', 'x'], 'portico client list');
    const metadataOf = async () => (await done(['client', 'show', 'web', '--json'])).json().metadata;
    await done([...set, '--registration', 'off', '--sign-in', 'name-first']);
    await done([...set, '--registration', 'inherit']);
    expect(await metadataOf())
      .to.include({ sign_in: 'name-first' })
      .and.not.to.have.property('registration');
    await done([...set, '--sign-in', 'inherit']);
    expect(await metadataOf()).to.deep.equal(dressed.metadata);
    await refused(
      [...base, '--redirect-uri', 'https://a.example/cb', '--brand', 'logo=x'],
      'brand.logo is "x"',
    );
    await done([...base, '--id', 'kids', '--redirect-uri', 'https://a.example/cb', '--brand', 'name=24']);
    const kids = (await done(['client', 'show', 'kids', '--json'])).json().metadata;
    expect(kids).to.have.property('branding').that.deep.equals({ name: '24' });
    await done(['client', 'delete', 'kids', '--yes']);
    await done(['client', 'delete', 'app', '--yes']);
    await refused(['client', 'show', 'app'], 'portico client list');
  });

  it('makes and revokes API keys, and shows them once', async () => {
    const created = (
      await done([
        'api-key',
        'create',
        '--organization',
        'clinic',
        '--vendor',
        'vsee',
        '--name',
        'portal',
        '--json',
      ])
    ).json();
    expect(created.key).to.match(/^[0-9a-f]{32}$/);
    expect(created.secret).to.match(/^[0-9a-f]{32}$/);
    const own = [
      'api-key',
      'create',
      '--organization',
      'clinic',
      '--vendor',
      'avycenna',
      '--name',
      'n',
      '--scope',
      'read',
    ];
    expect((await done([...own, '--account', 'bob', '--json'])).json().key).to.match(/^avk_[0-9a-f]{64}$/);
    const list = await done(['api-key', 'list', '--organization', 'clinic']);
    expect(list.stdout).to.contain(String(created.id)).and.not.to.contain(String(created.key));
    expect(
      JSON.stringify((await done(['api-key', 'list', '--organization', 'clinic', '--json'])).json()),
    ).not.to.match(/hash/i);
    await refused(own, 'Say whose: --account');
    await refused(
      ['api-key', 'create', '--organization', 'clinic', '--vendor', 'medisync', '--name', 'n'],
      'medisync has no API keys',
    );
    await done(['api-key', 'revoke', String(created.id)]);
    await refused(['api-key', 'revoke', String(created.id)], 'portico api-key list');
  });

  it('T6 lists and rotates signing keys, without showing one', async () => {
    const before = await done(['keys', 'list', '--json']);
    expect(before.json().map((key) => `${key.alg} ${key.state}`)).to.have.members([
      'ES256 current',
      'RS256 current',
    ]);
    await done(['keys', 'rotate']);
    const after = await done(['keys', 'list', '--json']);
    const states = new Map(after.json().map((key) => [key.kid, key.state]));
    for (const { kid } of before.json()) expect(states.get(kid)).to.equal('previous');
    expect([...states.values()].filter((state) => state === 'current')).to.have.lengthOf(2);
    expect(before.stdout + after.stdout).not.to.match(/"(d|p|q|jwk)"/);
  });

  it('loads a seed file, twice, and tells what it would do before', async () => {
    const file = terminal.write(
      'people.yaml',
      'organizations: [{ id: seeded }]\naccounts: [{ organization: seeded, email: s@x.example, password: seeded password }]',
    );
    expect((await done(['seed', file, '--dry-run', '--json'])).json().accounts).to.deep.equal({
      create: 1,
      update: 0,
      keep: 0,
    });
    await refused(['organization', 'show', 'seeded'], 'There is no organization seeded');
    expect((await done(['seed', file])).stdout).to.match(/accounts +1 were created/);
    const twice = (await done(['seed', file, '--json'])).json();
    expect(twice).to.deep.include({ accounts: { create: 0, update: 0, keep: 1 }, keptPasswords: 1 });
    const broken = terminal.write(
      'broken.yaml',
      'accounts: [{ organization: seeded, emial: x }]\nclient: []',
    );
    await refused(['seed', broken], /has 2 issues; nothing was loaded/);
    await refused(['seed', 'gone.yaml'], 'gone.yaml: does not exist');
  });

  it('shows the audit trail: whole, of one organization, of one account', async () => {
    const read = async (...args: string[]) =>
      (await done(['audit', 'list', ...args, '--json'])).json() as unknown as Record<string, unknown>[];
    await done(['account', 'set', 'bob', '--role', 'doctor']);
    await done(['account', 'set', 'bob', '--role', 'doctor']);
    const whole = await read('--limit', '10000');
    expect(whole.map(({ event }) => event)).to.include.members(['api-key.create', 'api-key.delete']);
    expect(await read('--limit', '2')).to.deep.equal(whole.slice(0, 2));
    const ofClinic = await read('--organization', 'clinic', '--limit', '10000');
    expect(ofClinic).to.deep.equal(whole.filter(({ organization }) => organization === 'clinic'));
    const bob = (await done(['account', 'show', 'bob', '--json'])).json();
    const ofBob = await read('--account', 'bob');
    expect(ofBob.map(({ event }) => event)).to.deep.equal(['profile.update', 'account.register']);
    expect(ofBob).to.deep.equal(whole.filter(({ subject }) => subject === bob.id));
    const table = await done(['audit', 'list', '--organization', 'clinic', '--limit', '10000']);
    expect(table.stdout.trimEnd().split('\n')).to.have.length(ofClinic.length + 1);
    expect(table.stdout).to.contain('api-key.delete');
    expect((await done(['audit', 'list', '--organization', 'other'])).stdout).to.match(
      /no record|organization/,
    );
    await refused(['audit', 'list', '--limit', '0'], '--limit must be from 1 to 10000');
    await refused(['audit', 'list', '--account', 'nobody'], 'There is no account nobody');
    await refused(['audit', 'list', '--organization', 'nowhere'], 'There is no organization nowhere');
  });

  it('CMD5 filters the audit trail, and reads it to its end, page by page and line by line', async () => {
    const read = async (...args: string[]) =>
      (await done(['audit', 'list', ...args, '--json'])).json() as unknown as Record<string, unknown>[];
    const whole = await read('--limit', '10000');
    const cases: [string[], (record: Record<string, unknown>) => boolean][] = [
      [['--event', 'account.register'], ({ event }) => event === 'account.register'],
      [['--client', 'portico-cli', '--outcome', 'success'], () => true],
      [['--channel', 'command-line'], () => true],
      [['--channel', 'hosted'], () => false],
      [['--outcome', 'refused'], () => false],
      [['--from', '1h'], () => true],
      [['--to', '1h'], () => false],
      [['--from', '2020-01-01', '--to', '2021-01-01T00:00Z'], () => false],
      [['--account', 'acc_of-long-ago'], () => false],
    ];
    for (const [args, fits] of cases) {
      expect(await read(...args, '--limit', '10000'), args.join(' ')).to.deep.equal(whole.filter(fits));
    }
    const paged: unknown[] = [];
    for (let after: string[] = []; ; ) {
      const ran = await done(['audit', 'list', '--limit', '7', ...after, '--json']);
      paged.push(...ran.json());
      const [, next] = /There are more: --after (\S+)/.exec(ran.stderr) ?? [];
      if (next === undefined) break;
      after = ['--after', next];
    }
    expect(paged).to.deep.equal(whole);
    const lines = (await done(['audit', 'list', '--all', '--json-lines'])).stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).to.deep.equal(whole);
    expect((await done(['audit', 'list', '--all'])).stdout.match(/^\d{4}-/gm)).to.have.length(whole.length);
    expect((await done(['audit', 'list', '--all', '--event', 'none'])).stdout).to.equal(
      'There is no record of that.\n',
    );
    await refused(['audit', 'list', '--all', '--json'], 'use --json-lines');
    await refused(['audit', 'list', '--after', 'there'], '--after must be as this command printed it');
    await refused(['audit', 'list', '--from', 'yesterday'], 'yesterday is no moment such as 2026-03-01');
  });

  it('CMD5 reads a long trail no further, and ends quietly, when its reader has seen enough', async () => {
    const filler = {
      ...{ at: new Date(), event: 'filler', outcome: 'success' as const },
      detail: { text: 'x'.repeat(2000) },
    };
    await terminal.inStore(async ({ audit }) => {
      for (let begun = 0; begun < 3000; begun += 500)
        await Promise.all(Array.from({ length: 500 }, () => audit.append(filler)));
    });
    const { child, output } = terminal.spawn(['audit', 'list', '--all', '--json-lines', '--event', 'filler']);
    const exited = once(child, 'exit');
    await once(child.stdout ?? child, 'data');
    child.stdout?.destroy();
    expect(await exited, output().slice(-1000)).to.deep.equal([0, null]);
  });
});
