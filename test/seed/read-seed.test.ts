import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { issueOfMember } from '../../src/model/claim-mapping.ts';
import { readSeed, SeedError } from '../../src/seed/read-seed.ts';

describe('Reading a seed file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-read-seed-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  function issuesOf(content: string, name = 'seed.yaml'): SeedError {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    try {
      readSeed(file);
    } catch (error) {
      if (error instanceof SeedError) return error;
      throw error;
    }
    throw new Error('The file was accepted.');
  }

  it('takes an empty file for one with nothing in it', () => {
    const file = path.join(folder, 'empty.yaml');
    writeFileSync(file, '');
    expect(readSeed(file).seed).to.deep.equal({});
  });

  it('reports every issue with its path, its line and what is allowed', () => {
    const { message } = issuesOf(`organisations: []
accounts:
  - organization: default
    emial: ada@x.example
    email: ada
    status: gone
    birthdate: 4.5.1991
    created_at: yesterday
  - organization: default
    aliases: { vsee: 20000000001 }
    password_hash: md5
    vendor: { vsee: text }
`);
    expect(message).to.contain('has 9 issues; nothing was loaded:');
    for (const line of [
      'organisations (line 1): is no known key; did you mean organizations?',
      'accounts.0.emial (line 4): is no known key; did you mean email?',
      'accounts.0.email is "ada" (line 5): must be an e-mail address',
      'accounts.0.status is "gone" (line 6): must be active or inactive or blocked',
      'accounts.0.birthdate is "4.5.1991" (line 7): must be a date such as 1991-05-04',
      'accounts.0.created_at is "yesterday" (line 8): must be a time such as 2030-01-15T09:00:00.000Z',
      'accounts.1.aliases.vsee is 20000000001 (line 10): must be text: put it in quotes',
      'accounts.1.password_hash is (hidden) (line 11): must be of a hash family that docs/import.md lists',
      'accounts.1.vendor.vsee is "text" (line 12): must be a table of keys',
    ]) {
      expect(message).to.contain(line);
    }
  });

  it('CL5 judges tables of claims: their names, and the members that they show', () => {
    const { message } = issuesOf(`clients:
  - client_id: app
    organization: default
    redirect_uris: [https://app.example/callback]
    id_token_claims: always
    claims:
      department: vendor.medisync.department
      sub: email
      roles: vendor.medisync.role
      a claim: email
      password: passwordHash
      all: vendor.medisync
`);
    expect(message).to.contain('has 6 issues');
    for (const line of [
      'clients.0.id_token_claims is "always" (line 5): must be',
      'clients.0.claims.sub is "email" (line 8): is a claim that the server itself makes',
      'clients.0.claims.roles is "vendor.medisync.role" (line 9): is a claim that the server itself makes',
      'clients.0.claims.a claim is "email" (line 10): must begin with a letter',
      'clients.0.claims.password is (hidden) (line 11): must be a member of an account: id, username, email,',
      'clients.0.claims.all is "vendor.medisync" (line 12): must be a member of an account',
    ]) {
      expect(message).to.contain(line);
    }
  });

  it('CL6 judges web origins: of the web exactly, of an app’s scheme by their form', () => {
    const taken = ['capacitor://localhost', 'app://', 'ionic://localhost', 'chrome-extension://abcdef'];
    taken.push('https://app.example', 'http://localhost:5173', 'https://[::1]:8443', 'tauri://localhost');
    const wrong = ['https://app.example/', 'https://App.example', 'https://app.example:443', 'https://*'];
    wrong.push('null', '*', 'file://', 'javascript://x', 'capacitor://localhost/path', 'app', 'data://x');
    const { message } = issuesOf(`clients:
  - client_id: app
    organization: default
    redirect_uris: [https://app.example/callback]
    allowed_origins: ${JSON.stringify([...taken, ...wrong])}
`);
    expect(message).to.contain(`has ${wrong.length} issues`);
    for (const [place, origin] of wrong.entries()) {
      const at = `clients.0.allowed_origins.${taken.length + place} is "${origin}" (line 5): must be an origin`;
      expect(message).to.contain(at);
    }
  });

  it('judges how the pages of organizations and clients look', () => {
    const { message } = issuesOf(`organizations:
  - id: clinic
    branding:
      accent: green
      logo: data:image/svg+xml,x
      colour: "#000000"
      sign_in: both
clients:
  - client_id: app
    organization: clinic
    redirect_uris: [https://app.example/callback]
    branding:
      name: ""
      terms: /terms
      sign_in: password
`);
    for (const line of [
      'organizations.0.branding.accent is "green" (line 4): must be a colour such as #1f6f5c',
      'organizations.0.branding.logo is "data:image/svg+xml,x" (line 5): must be an address of the web',
      'organizations.0.branding.colour (line 6): is no known key',
      'organizations.0.branding.sign_in is "both" (line 7): must be password or name-first',
      'clients.0.branding.name is "" (line 13): must not be empty',
      'clients.0.branding.terms is "/terms" (line 14): must be an address of the web',
      'clients.0.branding.sign_in (line 15): is no known key',
    ]) {
      expect(message).to.contain(line);
    }
  });

  it('reports what is there twice, and what excludes or needs another', () => {
    const { issues } = issuesOf(`
organizations: [{ id: default, hosts: [a.example] }, { id: default, hosts: [A.EXAMPLE] }]
accounts:
  - { organization: default, email: Ada@x.example, username: ada, aliases: { vsee: "1" }, password: a, password_hash: $2b$04$abcdefghijklmnopqrstuuKqwSIkYbPzGYVBXkCGsCJ9FOsWFAnEW }
  - { organization: default, email: ada@X.example, username: " ADA", aliases: { vsee: "1" } }
  - { organization: default, given_name: Nobody }
  - { organization: default, username: somebody@else.example }
  - { organization: default, username: v, email_verified: true }
api_keys:
  - { organization: default, vendor: vsee, name: a, key: 0123456789abcdef }
  - { organization: default, vendor: vsee, name: b, key: 0123456789abcdef }
clients:
  - { client_id: a, organization: default }
  - { client_id: a, organization: other }
`);
    expect(issues.map(({ path: at, message }) => `${at} ${message}`)).to.have.members([
      'organizations.1.id is the same organization as organizations.0.id',
      'organizations.1.hosts.0 is the same host as organizations.0.hosts.0',
      'accounts.0.password must not stand beside password_hash',
      'accounts.1.email is the same address as accounts.0.email',
      'accounts.1.username is the same username as accounts.0.username',
      'accounts.1.aliases.vsee is the same alias as accounts.0.aliases.vsee',
      'accounts.2 must have an email, a username, an id, an alias or an identity to be found by',
      'accounts.3.username must not be an e-mail address other than the account’s own',
      'accounts.4.email_verified must stand beside an email',
      'api_keys.1.key is the same key as api_keys.0.key',
      'clients.1.client_id is the same client as clients.0.client_id',
    ]);
  });

  it('names every issue of an API', () => {
    const { issues } = issuesOf(`
apis:
  - { id: a, identifier: "https://a.example/#x", scopes: {}, claims: { sub: email, mail: nonsense } }
  - { id: b c, identifier: relative, scopes: {}, format: paseto, algorithm: none, lifetime: 0 }
`);
    expect(issues.map(({ path: at, message }) => `${at} ${message}`)).to.have.members([
      'apis.0.identifier must not have a fragment',
      'apis.0.claims.sub is a claim that the server itself makes',
      `apis.0.claims.mail ${String(issueOfMember('nonsense'))}`,
      'apis.1.id must be 1 to 128 letters, digits, or any of . _ ~ -',
      'apis.1.identifier must be a URL; {issuer} stands for the server’s own',
      'apis.1.format must be jwt or opaque',
      'apis.1.algorithm must be ES256 or RS256',
      'apis.1.lifetime must be seconds, 1 to 86400',
    ]);
    const { issues: judged } = issuesOf(`
apis:
  - { id: app, identifier: "https://a.example", scopes: { openid: {}, "two words": {} } }
  - { id: b, identifier: "https://a.example", scopes: {} }
clients: [{ client_id: app, organization: default, redirect_uris: [https://app.example/cb] }]
`);
    expect(judged.map(({ path: at, message }) => `${at} ${message}`)).to.have.members([
      'apis.0.id is the same id as clients.0.client_id',
      'apis.0.scopes.two words must be a scope: printable, without blanks, " and \\',
      'apis.0.scopes.openid must not be a scope of signing in',
      'apis.1.identifier is the same identifier as apis.0.identifier',
    ]);
  });

  it('CL10 takes two spellings of an internationalized domain for one address', () => {
    const { issues } = issuesOf(`
organizations: [{ id: default }]
accounts:
  - { organization: default, email: ada@bücher.example }
  - { organization: default, email: ada@xn--bcher-kva.example, username: ADA@BÜCHER.example }
`);
    expect(issues.map(({ path: at, message }) => `${at} ${message}`)).to.deep.equal([
      'accounts.1.email is the same address as accounts.0.email',
    ]);
  });

  it('ORG2 takes an email domain for one organization only, in either spelling', () => {
    const { issues } = issuesOf(`
organizations:
  - { id: default, hosts: [bücher.example], email_domains: [Bücher.example, nodomain] }
  - { id: other, email_domains: [xn--bcher-kva.example] }
`);
    expect(issues.map(({ path: at }) => at)).to.include('organizations.0.email_domains.1');
    const { issues: judged } = issuesOf(`
organizations:
  - { id: default, email_domains: [Bücher.example] }
  - { id: other, email_domains: [xn--bcher-kva.example] }
`);
    expect(judged.map(({ path: at, message }) => `${at} ${message}`)).to.deep.equal([
      'organizations.1.email_domains.0 is the same email domain as organizations.0.email_domains.0',
    ]);
  });

  it('shows no password, key or secret', () => {
    const { message } = issuesOf(`
accounts: [{ organization: default, email: a@x.example, password: [Kept-Away], password_hash: Kept-Away }]
api_keys: [{ organization: default, vendor: vsee, name: n, key: Kept-Away, secret: Kept-Away }]
apis: [{ id: a, identifier: "urn:a", scopes: {}, secret: Kept-Away }]
clients: [{ client_id: c, organization: default, client_secret: Kept-Away }]
`);
    expect(message).to.contain('api_keys.0.secret');
    expect(message).not.to.contain('Kept-Away');
  });

  it('shows no password of a file that cannot be read at all', () => {
    for (const [content, name] of [
      ['accounts:\n  - { password: Kept-Away', 'broken.yaml'],
      ['{"accounts":[{"password":"Kept-Away"}', 'broken.json'],
      ['{"password": Kept-Away}', 'worse.json'],
      ['password: *Kept-Away', 'alias.yaml'],
      ['password: "Kept-Away', 'quote.yaml'],
    ] as const) {
      const { message } = issuesOf(content, name);
      expect(message).to.contain('cannot be read as');
      expect(message).not.to.contain('Kept-Away');
    }
  });

  it('says so when the file is not there', () => {
    expect(() => readSeed(path.join(folder, 'gone.yaml'))).to.throw(SeedError, 'does not exist');
  });

  it('takes no hostile member for one of its own', () => {
    const { issues } = issuesOf(
      '{"__proto__": {"accounts": []}, "constructor": 1, "accounts": [{"organization": "d", "email": "a@x.example", "__proto__": {"roles": ["admin"]}}]}',
      'h.json',
    );
    expect(issues.map(({ path: at }) => at)).to.include('constructor');
    expect(({} as Record<string, unknown>).roles).to.equal(undefined);
  });
});
