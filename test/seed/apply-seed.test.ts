import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { AccountRecord } from '../../src/model/account.ts';
import { createLog } from '../../src/observe/log.ts';
import { SeedError } from '../../src/seed/read-seed.ts';
import { type SeedAtStartOptions, seedAtStart } from '../../src/seed/seed-at-start.ts';
import { ISSUER, log, openWorld, type TestWorld } from './seed-world.ts';

const PEOPLE = path.join(import.meta.dirname, '../scenarios/people.yaml');
const DEMO = path.join(import.meta.dirname, '../../config/seed/demo.yaml');

describe('A seed file', () => {
  let world: TestWorld;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());

  async function account(email: string, organization = 'default'): Promise<AccountRecord> {
    const result = await world.stores.accounts.byEmail(organization, email);
    if (!result) throw new Error(`${email} is not there.`);
    return result;
  }
  const right = async (email: string, password: string) =>
    (await world.options.hasher.verify(password, (await account(email)).passwordHash)).right;
  /** One organization, and what the test is about. */
  const write = (yaml: string) => world.write(`organizations: [{ id: default }]\n${yaml}`);
  async function issuesOf(work: Promise<unknown>): Promise<string[]> {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof SeedError)) throw new Error(`No SeedError but ${error}`);
    return error.issues.map(({ path: at, message }) => `${at} ${message}`);
  }

  it('writes accounts hundreds at a time, unless their passwords are to be hashed', async () => {
    const people = Array.from(
      { length: 300 },
      (_, place) => `  - { organization: default, email: p${place}@x.test }`,
    );
    const hashed = `  - { organization: default, email: own@x.test, password: harbour lantern }`;
    let [now, most] = [0, 0];
    const { accounts } = world.stores;
    const insert: typeof accounts.insert = async (account) => {
      now += 1;
      most = Math.max(most, now);
      const outcome = await accounts.insert(account);
      now -= 1;
      return outcome;
    };
    const stores = { ...world.stores, accounts: { ...accounts, insert } };
    await world.seed(write(`accounts:\n${[...people, hashed].join('\n')}`), { stores });
    expect(most).to.equal(256);
    expect(await right('own@x.test', 'harbour lantern')).to.equal(true);
    expect(await account('p299@x.test')).not.to.have.property('passwordHash');
  });

  it('makes organizations, accounts, API keys and clients', async () => {
    const report = await world.seed(PEOPLE);
    expect(report.accounts.create).to.equal(15);
    const { stores, options } = world;
    expect(await stores.organizations.byHost('north-clinic.portal.test')).to.deep.include({
      id: 'north_clinic',
    });
    const mara = await account('mara@clinic.test');
    expect(mara).to.deep.include({
      status: 'active',
      emailVerified: true,
      claims: { given_name: 'Mara', family_name: 'Ito' },
      aliases: { visitnote: '5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1a01' },
      createdAt: world.now,
      updatedAt: world.now,
      version: 1,
    });
    expect(mara.passwordHash).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await right('mara@clinic.test', 'Harbour-Lantern-Quartz-41')).to.equal(true);
    const okafor = await account('n.okafor@ward.test');
    expect(okafor.createdAt).to.deep.equal(new Date('2030-01-01T10:00:00.000Z'));
    expect(okafor.updatedAt).to.deep.equal(new Date('2030-01-15T14:30:00.000Z'));
    expect((await account('blocked@clinic.test')).status).to.equal('blocked');
    const key = await stores.apiKeys.byHash(
      options.secrets.hmac('api-key', '6f1d2c3b4a5968778695a4b3c2d1e0f1'),
    );
    expect(key).to.include({ organization: 'clinicdev', vendor: 'vsee', name: 'demo' });
    expect(key?.secretHash).to.equal(options.secrets.hmac('api-secret', '0f1e2d3c4b5a69788796a5b4c3d2e1f0'));
    const client = await stores.clients.byId('records-api');
    expect(client).to.deep.include({ organization: 'default', allOrganizations: true, firstParty: false });
    expect(client?.secretHash).to.equal(options.secrets.hmac('client-secret', 'Ledger-Orchard-Signal-88'));
    expect(client?.metadata).to.deep.equal({
      client_name: 'Records',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: 'client_secret_basic',
    });
  });

  for (const [name, file] of [
    ['the scenarios’ people', PEOPLE],
    ['the demo', DEMO],
  ] as const) {
    it(`loaded twice gives the same store (${name})`, async () => {
      await world.seed(file);
      const first = await world.dump();
      world.now = new Date('2031-01-01T00:00:00.000Z');
      const report = await world.seed(file);
      expect(await world.dump()).to.deep.equal(first);
      for (const part of [report.organizations, report.accounts, report.apiKeys, report.clients]) {
        expect(part).to.include({ create: 0, update: 0 });
      }
    });
  }

  const WITH_APIS = `
organizations: [{ id: default, default_api: "{issuer}/records" }]
apis:
  - id: records
    identifier: "{issuer}/records"
    secret: ledger-orchard-signal
    name: { en: Records, de: Akten }
    scopes: { read: { description: Read records }, purge: { roles: [admin] } }
    claims: { mail: email }
clients:
  - client_id: app
    organization: default
    redirect_uris: [https://app.example/callback]
    apis: { "{issuer}/records": [read] }
    default_api: "{issuer}/records"
`;

  it('makes APIs, and grants them to clients', async () => {
    const { stores, options } = world;
    const file = world.write(WITH_APIS);
    expect((await world.seed(file)).apis).to.include({ create: 1 });
    const identifier = `${ISSUER}/records`;
    expect(await stores.apis.byIdentifier(identifier)).to.deep.equal({
      ...{ id: 'records', identifier, name: { en: 'Records', de: 'Akten' }, format: 'jwt' },
      ...{ algorithm: 'ES256', claims: { mail: 'email' } },
      scopes: { read: { description: 'Read records' }, purge: { roles: ['admin'] } },
      secretHash: options.secrets.hmac('client-secret', 'ledger-orchard-signal'),
    });
    expect((await stores.clients.byId('app'))?.metadata).to.deep.include({
      ...{ apis: { [identifier]: ['read'] }, default_api: identifier },
    });
    expect(await stores.organizations.byId('default')).to.include({ defaultApi: identifier });
    expect((await world.seed(file)).apis).to.include({ create: 0, update: 0, keep: 1 });
  });

  it('API1 names APIs that a client cannot get, and names that are taken', async () => {
    await world.seed(world.write(WITH_APIS));
    const app = 'organization: default, redirect_uris: [https://app.example/cb]';
    const resource = {
      identifier: 'urn:configured',
      scopes: ['a'],
      format: 'jwt',
      algorithm: 'ES256',
    } as const;
    const file = world.write(`
organizations:
  - { id: default, default_api: "urn:nowhere" }
  - { id: north, branding: { ways: [password, kode, google, clinic] } }
apis:
  - { id: app, identifier: "urn:app", organization: nowhere, scopes: {} }
  - { id: north, identifier: "urn:north", organization: north, scopes: {} }
  - { id: other, identifier: "{issuer}/records", scopes: { read: {}, purge: {} } }
clients:
  - { client_id: records, ${app} }
  - { client_id: one, ${app}, apis: { "{issuer}/records": [read, write], "urn:none": [] }, default_api: "urn:none" }
  - { client_id: two, ${app}, apis: { "urn:configured": [a, b] } }
  - { client_id: three, ${app}, default_api: "urn:configured" }
  - { client_id: four, ${app}, apis: { "urn:north": [] } }
  - { client_id: five, ${app}, organizations: [north], apis: { "urn:north": [] } }
`);
    const issues = await issuesOf(
      world.seed(file, {
        resources: [{ ...resource, scopes: ['a'], open: false }],
        upstreams: ['google', 'clinic'],
      }),
    );
    const unknown = 'must be the identifier of an API that exists, in this file, the store or oidc.resources';
    expect(issues).to.have.members([
      `organizations.0.default_api ${unknown}`,
      'organizations.1.branding.ways.1 must be password or code or passkey or google or clinic',
      'apis.0.id is a client; choose another id',
      'apis.2.identifier belongs to the API records',
      'apis.0.organization must be an organization that exists, in this file or in the store',
      'clients.0.client_id is an API; choose another client_id',
      'clients.1.apis must be a scope of {issuer}/records: read, purge',
      `clients.1.apis ${unknown}`,
      `clients.1.default_api ${unknown}`,
      'clients.2.apis must be a scope of urn:configured: a',
      'clients.3.default_api must be among the apis of the client: it was not granted',
      'clients.4.apis must not have urn:north: it is for clients of the organization north',
    ]);
  });

  it('puts the issuer where a URI says {issuer}', async () => {
    await world.seed(DEMO);
    expect((await world.stores.clients.byId('demo'))?.metadata).to.deep.include({
      redirect_uris: [`${ISSUER}/demo/callback`],
      post_logout_redirect_uris: [`${ISSUER}/demo`],
    });
  });

  it('X1 leaves no secret of its own in the store', async () => {
    await world.seed(PEOPLE);
    const stored = JSON.stringify(await world.dump());
    for (const secret of [
      'Harbour-Lantern-Quartz-41',
      'Ledger-Orchard-Signal-88',
      '6f1d2c3b4a5968778695a4b3c2d1e0f1',
      '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
    ]) {
      expect(stored).not.to.contain(secret);
    }
  });

  describe('loaded over what is there', () => {
    const ADA =
      'accounts: [{ organization: default, email: ada@x.example, password: first password, given_name: Ada, roles: [a] }]';

    it('changes what it names, leaves the rest, and moves updatedAt', async () => {
      await world.seed(write(ADA));
      const before = await account('ada@x.example');
      await world.stores.accounts.update({
        ...before,
        claims: { ...before.claims, locale: 'de' },
        emailVerified: true,
      });
      world.now = new Date('2030-06-01T00:00:00.000Z');
      const report = await world.seed(
        write(`accounts:
  - { organization: default, email: ADA@x.example, family_name: Byron, vendor: { vsee: { type: 400 } }, email_verified: false }`),
      );
      expect(report.accounts).to.deep.equal({ create: 0, update: 1, keep: 0 });
      const after = await account('ada@x.example');
      expect(after).to.deep.include({
        id: before.id,
        claims: { given_name: 'Ada', family_name: 'Byron', locale: 'de' },
        roles: ['a'],
        vendor: { vsee: { type: 400 } },
        createdAt: before.createdAt,
        updatedAt: world.now,
        passwordHash: before.passwordHash,
        // Its owner has proved it meanwhile.
        emailVerified: true,
      });
    });

    it('keeps the password that an account has, and says so', async () => {
      await world.seed(write(ADA));
      const report = await world.seed(write(ADA.replace('first', 'other')));
      expect(report.keptPasswords).to.equal(1);
      expect(await right('ada@x.example', 'first password')).to.equal(true);
      expect(world.ended).to.deep.equal([]);
    });

    it('replaces passwords where that is asked for, and ends the sign-ins; the same password is left alone', async () => {
      await world.seed(write(ADA));
      const { id, passwordHash } = await account('ada@x.example');
      await world.seed(write(ADA), { overwritePasswords: true });
      expect((await account('ada@x.example')).passwordHash).to.equal(passwordHash);
      expect(world.ended).to.deep.equal([]);
      await world.seed(write(ADA.replace('first', 'other')), { overwritePasswords: true });
      expect(await right('ada@x.example', 'other password')).to.equal(true);
      expect(world.ended).to.deep.equal([id]);
    });

    it('M24 wraps a hash that is guessed too fast, and knows it again', async () => {
      // Of the password `secret`, as OpenLDAP documents it.
      const hash = 'DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3';
      const file = `accounts: [{ organization: default, email: ada@x.example, password_hash: "{SSHA}${hash}" }]`;
      await world.seed(write(file));
      const { passwordHash } = await account('ada@x.example');
      expect(passwordHash).to.match(/^\$wrapped\$.+\$argon2id\$/);
      expect(passwordHash).to.not.include(hash.slice(0, 26));
      expect(await right('ada@x.example', 'secret')).to.equal(true);
      await world.seed(write(file), { overwritePasswords: true });
      expect((await account('ada@x.example')).passwordHash).to.equal(passwordHash);
      expect(world.ended).to.deep.equal([]);
    });

    it('gives a password to an account that has none', async () => {
      await world.seed(write('accounts: [{ organization: default, email: ada@x.example }]'));
      await world.seed(write(ADA));
      expect(await right('ada@x.example', 'first password')).to.equal(true);
    });

    it('S4 blocks, and ends what the account holds: grants, sessions, keys and emails', async () => {
      await world.seed(write(ADA));
      const ada = (await account('ada@x.example')).id;
      const { apiKeys, linkTokens, codes } = world.stores;
      const created = { organization: 'default', accountId: ada, createdAt: world.now };
      const expiresAt = new Date(world.now.getTime() + 3_600_000);
      const key = { ...created, id: 'key-of-ada', vendor: 'avycenna', name: 'k', scopes: [], keyHash: 'h' };
      await apiKeys.insert(key);
      await linkTokens.put('link', { ...created, purpose: 'reset', data: '', expiresAt });
      await codes.put('code', { ...created, codeHash: 'c', expiresAt, asker: '', tries: 5 });
      await world.seed(write('accounts: [{ organization: default, email: ada@x.example, status: blocked }]'));
      const { id, status } = await account('ada@x.example');
      expect(status).to.equal('blocked');
      expect(world.ended).to.deep.equal([id]);
      expect(await apiKeys.listByAccount(id)).to.deep.equal([]);
      expect(await linkTokens.read('link', 'reset', world.now)).to.equal(undefined);
      expect(await codes.attempt('code', '', 'c', world.now)).to.equal('dead');
      // A file that says nothing about the status does not let the account in again.
      await world.seed(write(ADA));
      expect((await account('ada@x.example')).status).to.equal('blocked');
    });

    it('finds an account by its alias, and gives it its new address', async () => {
      await world.seed(
        write(
          'accounts: [{ organization: default, email: old@x.example, aliases: { vsee: "20000000001" } }]',
        ),
      );
      const { id } = await account('old@x.example');
      await world.seed(
        write(
          'accounts: [{ organization: default, email: new@x.example, aliases: { vsee: "20000000001" } }]',
        ),
      );
      expect((await account('new@x.example')).id).to.equal(id);
      expect(await world.stores.accounts.byEmail('default', 'old@x.example')).to.equal(undefined);
    });

    it('replaces a client as a whole, and an API key whose name or secret changed', async () => {
      const first = `
clients: [{ client_id: app, client_secret: "0123456789abcdef-1", organization: default, redirect_uris: [https://a.example/cb], scope: openid }]
api_keys: [{ organization: default, vendor: vsee, name: one, key: 0123456789abcdef0123456789abcdef }]`;
      await world.seed(write(first));
      await world.seed(write(first.replace(', scope: openid', '').replace('name: one', 'name: two')));
      expect((await world.stores.clients.byId('app'))?.metadata).not.to.have.property('scope');
      const keys = await world.stores.apiKeys.listByOrganization('default');
      expect(keys.map(({ name }) => name)).to.deep.equal(['two']);
    });
  });

  it('B5 takes over hashes of other systems, notes their kinds, and takes over links to upstream identities', async () => {
    const hash = '$2b$04$abcdefghijklmnopqrstuuKqwSIkYbPzGYVBXkCGsCJ9FOsWFAnEW';
    const yaml = `accounts:
  - { organization: default, email: ada@x.example, password_hash: "${hash}", identities: [{ issuer: "https://accounts.google.com", subject: "1" }] }`;
    await world.seed(write(yaml));
    const { id, passwordHash } = await account('ada@x.example');
    expect(passwordHash).to.equal(hash);
    expect(
      (await world.stores.identities.find('default', 'https://accounts.google.com', '1'))?.accountId,
    ).to.equal(id);
    const kinds = await world.stores.metadata.get('password-hashes:default');
    expect(kinds, 'B5 refused sign-ins do its work').to.equal(JSON.stringify([`$2b$04$${'.'.repeat(53)}`]));
    const again = await world.seed(write(yaml));
    expect(again.accounts.keep).to.equal(1);
  });

  it('may be JSON, and give a key to a person', async () => {
    const file = world.write(
      JSON.stringify({
        organizations: [{ id: 'default' }],
        accounts: [{ organization: 'default', email: 'dr@x.example' }],
        api_keys: [
          {
            organization: 'default',
            vendor: 'avycenna',
            name: 'n',
            key: `avk_${'0'.repeat(64)}`,
            account: 'dr@x.example',
            scopes: ['read'],
          },
        ],
      }),
      'seed.json',
    );
    await world.seed(file);
    const [key] = await world.stores.apiKeys.listByAccount((await account('dr@x.example')).id);
    expect(key).to.deep.include({ vendor: 'avycenna', scopes: ['read'] });
  });

  describe('in which a name is somebody else’s', () => {
    beforeEach(() =>
      world.seed(
        world.write(`
organizations: [{ id: default, hosts: [a.example] }, { id: other }]
accounts:
  - { organization: default, email: ada@x.example, aliases: { vsee: "1" }, identities: [{ issuer: "https://i.example", subject: s }] }
  - { organization: default, email: bob@x.example, id: bob }
  - { organization: other, email: ada@x.example, aliases: { vsee: "2" } }
api_keys: [{ organization: default, vendor: vsee, name: n, key: 0123456789abcdef0123456789abcdef }]
`),
      ),
    );

    it('loads nothing at all, and tells every conflict with its path', async () => {
      await world.stores.clients.put({
        ...{ clientId: 'vsee-legacy', organization: 'default', allOrganizations: false, firstParty: true },
        ...{ introspects: [], revokes: [], dialect: 'vsee', metadata: {} },
      });
      const before = await world.dump();
      const issues = await issuesOf(
        world.seed(
          world.write(`
organizations: [{ id: third, hosts: [A.example] }]
accounts:
  - { organization: default, email: fresh@x.example }
  - { organization: default, email: bob@x.example, aliases: { vsee: "1" } }
  - { organization: default, email: x@x.example, aliases: { vsee: "2" } }
  - { organization: default, email: y@x.example, identities: [{ issuer: "https://i.example", subject: s }], id: bob }
  - { organization: nowhere, email: z@x.example }
api_keys:
  - { organization: other, vendor: vsee, name: n, key: 0123456789abcdef0123456789abcdef }
  - { organization: other, vendor: avycenna, name: n, key: 1123456789abcdef0123456789abcdef, account: nobody@x.example }
clients:
  - { client_id: vsee-legacy, organization: default, redirect_uris: [https://a.example/cb] }
`),
        ),
      );
      expect(issues).to.have.members([
        'accounts.4.organization must be an organization that exists, in this file or in the store',
        'organizations.0.hosts.0 belongs to organization default',
        'accounts.1.email belongs to another account than accounts.1.aliases.vsee',
        'accounts.2.aliases.vsee belongs to an account of organization other',
        'accounts.3.identities.0 belongs to another account than accounts.3.id',
        'accounts.3.identities.0 is linked to another account',
        'api_keys.0.key is the key of another organization or vendor',
        'api_keys.1.account must be the e-mail address or id of an account of the organization',
        'clients.0.client_id is the client of the dialect vsee; choose another client_id',
      ]);
      expect(await world.dump()).to.deep.equal(before);
    });

    it('lets the same address be another person’s in another organization', async () => {
      const ada = await account('ada@x.example');
      const other = await account('ada@x.example', 'other');
      expect(ada.id).not.to.equal(other.id);
    });
  });

  it('can be planned without being loaded', async () => {
    const report = await world.plan(PEOPLE);
    expect(report.accounts).to.deep.equal({ create: 15, update: 0, keep: 0 });
    expect(await world.stores.organizations.list()).to.deep.equal([]);
  });

  it('may be loaded by several at once', async () => {
    await Promise.all([world.seed(PEOPLE), world.seed(PEOPLE), world.seed(PEOPLE)]);
    const accounts = await world.stores.accounts.page('default', { limit: 100 });
    expect(accounts).to.have.lengthOf(9);
    expect(await world.stores.apiKeys.listByOrganization('clinicdev')).to.have.lengthOf(1);
  });

  it('tells how far it is', async () => {
    const people = Array.from(
      { length: 250 },
      (_, n) => `  - { organization: default, email: p${n}@x.example }`,
    );
    const told: string[] = [];
    await world.seed(write(`accounts:\n${people.join('\n')}`), {
      progress: (done, all) => told.push(`${done}/${all}`),
    });
    expect(told).to.deep.equal(['100/250', '200/250', '250/250']);
  });

  describe('named in the configuration', () => {
    const start = (
      files: string[],
      more: Partial<Pick<SeedAtStartOptions, 'production' | 'issuer' | 'stores' | 'log'>> = {},
    ) =>
      seedAtStart({
        ...world.options,
        log,
        files,
        production: false,
        access: { endAll: async () => {}, forgetConsents: async () => {} },
        ...more,
      });

    it('is loaded at the first start and not at the second, whoever starts', async () => {
      await Promise.all([start([PEOPLE]), start([PEOPLE])]);
      const mara = await account('mara@clinic.test');
      await world.stores.accounts.update({ ...mara, claims: { given_name: 'Changed' } });
      await start([PEOPLE]);
      expect((await account('mara@clinic.test')).claims).to.deep.equal({ given_name: 'Changed' });
    });

    it('is not loaded by a process that waited until another had loaded it', async () => {
      const lines: string[] = [];
      const { leases } = world.stores;
      let first = true;
      // The other process has loaded the file and ended its lease between two looks of this one.
      const acquire: typeof leases.acquire = async (...lease) => {
        if (first) {
          first = false;
          await start([PEOPLE]);
        }
        return leases.acquire(...lease);
      };
      await start([PEOPLE], {
        stores: { ...world.stores, leases: { ...leases, acquire } },
        log: createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } }),
      });
      expect(lines).to.deep.equal([]);
    });

    it('is loaded again when its content changes', async () => {
      await start([write('accounts: [{ organization: default, email: ada@x.example, given_name: A }]')]);
      await start([write('accounts: [{ organization: default, email: ada@x.example, given_name: B }]')]);
      expect((await account('ada@x.example')).claims.given_name).to.equal('B');
    });

    it('CL12 is loaded again under another issuer where it says {issuer}, and again on the way back', async () => {
      for (const issuer of ['http://localhost:3000', 'http://localhost:4000', 'http://localhost:3000']) {
        await start([DEMO], { issuer });
        const demo = await world.stores.clients.byId('demo');
        expect(demo?.metadata.redirect_uris).to.deep.equal([`${issuer}/demo/callback`]);
      }
      const ada = await account('ada@harbour.example');
      await world.stores.accounts.update({ ...ada, claims: { given_name: 'Changed' } });
      await start([DEMO], { issuer: 'http://localhost:3000' });
      expect((await account('ada@harbour.example')).claims).to.deep.equal({ given_name: 'Changed' });
    });

    it('stops the start when it is wrong, and is tried again at the next', async () => {
      const bad = write('accounts: [{ organization: nowhere, email: a@x.example }]');
      expect(await issuesOf(start([bad]))).to.have.lengthOf(1);
      expect(await issuesOf(start([bad]))).to.have.lengthOf(1);
    });

    it('CL8 stops the start when a client of it could not be used', async () => {
      const bad = write(
        'clients: [{ client_id: app, organization: default, redirect_uris: ["https://a.example/cb"], scope: emial }]',
      );
      const [issue = '', ...more] = await issuesOf(start([bad]));
      expect(issue).to.match(/^clients\.0\.scope must only have openid, /);
      expect([more, await world.stores.clients.byId('app')]).to.deep.equal([[], undefined]);
    });

    it('is refused in production when it is a demo', async () => {
      const copy = world.write(`demo: true\norganizations: [{ id: default }]`, 'innocent.yaml');
      expect(await issuesOf(start([copy], { production: true }))).to.deep.equal([
        'demo is refused in production: its passwords are published',
      ]);
    });

    it('B10 X1 is refused in production when it holds what the demo seed publishes, and loads elsewhere', async () => {
      const demo = readFileSync(DEMO, 'utf8').replace(/^demo: true$/m, '');
      const because = 'is refused in production: it is published with the demo seed';
      const paths = [
        ...[0, 1, 2, 3, 4].map((index) => `accounts.${index}.password`),
        ...['api_keys.0.key', 'api_keys.0.secret', 'clients.2.client_secret', 'clients.4.client_secret'],
      ];
      const whole = world.write(demo, 'copy.yaml');
      expect(await issuesOf(start([whole], { production: true }))).to.deep.equal(
        paths.map((path) => `${path} ${because}`),
      );
      const one = '{ organization: default, email: eve@x.example, password: harbour lantern quartz }';
      const renamed = world.write(`organizations: [{ id: default }]\naccounts: [${one}]`, 'renamed.yaml');
      expect(await issuesOf(start([renamed], { production: true }))).to.deep.equal([
        `accounts.0.password ${because}`,
      ]);
      await start([world.write(readFileSync(renamed, 'utf8').replace('quartz', 'basalt'), 'own.yaml')], {
        production: true,
      });
      await start([whole]);
    });
  });
});
