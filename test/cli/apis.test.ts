import { expect } from 'chai';
import { openTerminal, type Terminal } from './run-portico.ts';

/** One store, on which an operator defines APIs and grants them. */
describe('portico api', () => {
  let terminal: Terminal;
  before(async () => {
    terminal = openTerminal({ oidc: { resources: [{ identifier: 'urn:configured', scopes: ['a'] }] } });
    await done('organization', 'create', 'clinic');
    await done('organization', 'create', 'other');
    for (const id of ['web', 'nightly']) {
      const uris = ['--redirect-uri', 'https://app.example/callback'];
      await done('client', 'create', '--organization', 'clinic', '--id', id, ...uris);
    }
  });
  after(() => terminal.close());

  async function done(...args: string[]) {
    const ran = await terminal.session(args);
    expect(ran.code, ran.stderr).to.equal(0);
    return ran;
  }
  async function refused(words: string, ...args: string[]) {
    const ran = await terminal.session(args);
    expect(ran.code, args.join(' ')).to.equal(1);
    expect(ran.stderr).to.contain(words).and.not.to.contain('    at ');
  }
  const show = async (id: string) => (await done('api', 'show', id, '--json')).json();
  const metadataOf = async (id: string) => (await done('client', 'show', id, '--json')).json().metadata;
  const RECORDS = 'https://records.example';

  it('CMD9 defines an API, and prints its secret once', async () => {
    const scopes = ['--scope', 'read=Read records', '--scope', 'purge', '--scope-roles', 'purge=admin,chief'];
    const more = ['--name', '{"en":"Records","de":"Akten"}', '--lifetime', '600', '--claim', 'mail=email'];
    const made = (
      await done('api', 'create', 'records', '--identifier', RECORDS, ...scopes, ...more, '--json')
    ).json();
    expect(made.secret).to.match(/^[\w-]{43}$/);
    expect(await show('records')).to.deep.equal({
      ...{ id: 'records', identifier: RECORDS, format: 'jwt', algorithm: 'ES256', lifetime: 600 },
      ...{ name: { en: 'Records', de: 'Akten' }, claims: { mail: 'email' }, introspects: true, grants: {} },
      scopes: { read: { description: 'Read records' }, purge: { roles: ['admin', 'chief'] } },
    });
    const plain = await done('api', 'create', 'billing', '--identifier', 'urn:billing', '--no-secret');
    expect(plain.stdout).not.to.contain('secret');
    expect((await done('api', 'list')).stdout).to.match(
      /^ID +IDENTIFIER +FORMAT +SCOPES\nbilling +urn:billing +jwt +-\nrecords /,
    );
    await refused('an API or a client records already', 'api', 'create', 'records', '--identifier', 'urn:x');
    await refused('an API or a client web already', 'api', 'create', 'web', '--identifier', 'urn:x');
    await refused('the identifier of the API records', 'api', 'create', 'copy', '--identifier', RECORDS);
    await refused('identifier must not have a fragment', 'api', 'create', 'b', '--identifier', 'urn:x#y');
    await refused(
      'scopes.openid must not be a scope of signing in',
      'api',
      'set',
      'billing',
      '--scope',
      'openid',
    );
    await refused('lifetime must be seconds, 1 to 86400', 'api', 'set', 'billing', '--lifetime', 'soon');
    await refused('portico api list', 'api', 'show', 'nowhere');
    await refused('is in the configuration', 'api', 'grant', 'urn:configured', 'web', '--scope', 'a');
  });

  it('CMD9 changes what is given of an API, and nothing else', async () => {
    const before = await show('records');
    const changes = ['--scope', 'write=Change records', '--scope-roles', 'purge=', '--claim', 'mail='];
    await done('api', 'set', 'records', ...changes, '--format', 'opaque', '--name', 'Records');
    const { claims: _claims, ...rest } = before;
    expect(await show('records')).to.deep.equal({
      ...{ ...rest, format: 'opaque', name: 'Records' },
      scopes: { read: { description: 'Read records' }, purge: {}, write: { description: 'Change records' } },
    });
    const drawn = (await done('api', 'set', 'records', '--new-secret', '--json')).json();
    expect(drawn.secret).to.match(/^[\w-]{43}$/);
    await done('api', 'set', 'records', '--remove-scope', 'purge');
    expect(Object.keys((await show('records')).scopes as object)).to.deep.equal(['read', 'write']);
    await refused('There is no organization nowhere', 'api', 'set', 'records', '--organization', 'nowhere');
  });

  it('CMD9 grants scopes to a client, and takes them back', async () => {
    await done('api', 'grant', 'records', 'web', '--scope', 'read');
    expect((await done('api', 'grant', 'records', 'web', '--scope', 'write', '--default')).stdout).to.equal(
      'Client web may get tokens for records: read write.\n',
    );
    await done('api', 'grant', 'billing', 'web');
    expect(await metadataOf('web')).to.deep.include({
      ...{ apis: { [RECORDS]: ['read', 'write'], 'urn:billing': [] }, default_api: RECORDS },
    });
    expect((await show('records')).grants).to.deep.equal({ web: ['read', 'write'] });
    await done('api', 'set', 'records', '--identifier', 'urn:moved', '--remove-scope', 'write');
    expect(await metadataOf('web'), 'grants follow the API').to.deep.include({
      ...{ apis: { 'urn:moved': ['read'], 'urn:billing': [] }, default_api: 'urn:moved' },
    });
    await done('api', 'set', 'records', '--identifier', RECORDS, '--scope', 'write=Write');
    await refused('has no scope raed', 'api', 'set', 'records', '--scope-roles', 'raed=admin');
    await done('api', 'grant', 'records', 'web', '--scope', 'write');
    await done('api', 'revoke', 'records', 'web', '--scope', 'write');
    expect(await metadataOf('web')).to.deep.include({
      ...{ apis: { [RECORDS]: ['read'], 'urn:billing': [] }, default_api: RECORDS },
    });
    await done('api', 'revoke', 'records', 'web');
    const metadata = await metadataOf('web');
    expect(metadata).to.deep.include({ apis: { 'urn:billing': [] } });
    expect(metadata).not.to.have.property('default_api');
    await refused('has no scope fly. It has: read write', 'api', 'grant', 'records', 'web', '--scope', 'fly');
    await refused('There is no client nobody', 'api', 'grant', 'records', 'nobody', '--scope', 'read');
    await refused('web was not granted the API records', 'api', 'revoke', 'records', 'web');
    await done('api', 'set', 'billing', '--organization', 'other');
    await refused('of the organization other alone', 'api', 'grant', 'billing', 'nightly');
    await done('client', 'set', 'nightly', '--organizations', 'other');
    await done('api', 'grant', 'billing', 'nightly');
    await done('organization', 'set', 'clinic', '--default-api', RECORDS);
    expect((await done('organization', 'show', 'clinic', '--json')).json()).to.include({
      defaultApi: RECORDS,
    });
    await done('organization', 'set', 'clinic', '--default-api', '');
    expect((await done('organization', 'show', 'clinic', '--json')).json()).not.to.have.property(
      'defaultApi',
    );
  });

  it('CMD9 deletes an API with its grants, and writes everything down', async () => {
    await done('api', 'grant', 'records', 'nightly', '--scope', 'read');
    await refused('Add --yes', 'api', 'delete', 'records');
    await done('api', 'delete', 'records', '--yes');
    expect(await metadataOf('nightly')).to.deep.include({ apis: { 'urn:billing': [] } });
    await refused('There is no API records', 'api', 'show', 'records');
    const events = (await done('audit', 'list', '--json')).json().map(({ event }) => event);
    expect(events).to.include.members(['api.create', 'api.update', 'api.delete', 'client.update']);
  });

  it('MCP5 opens a scope to clients that no operator registered, and prints the metadata of an API', async () => {
    const at = ['--identifier', 'https://mcp.example/mcp?v=1', '--name', '{"en":"Tools","de":"Werkzeuge"}'];
    await done('api', 'create', 'mcp', ...at, '--scope', 'call', '--scope', 'admin', '--no-secret');
    const document = async () => (await done('api', 'metadata', 'mcp', '--json')).json();
    expect(await document()).to.deep.equal({
      ...{ resource: 'https://mcp.example/mcp?v=1', authorization_servers: ['http://localhost:4999'] },
      ...{ scopes_supported: ['call', 'admin'], bearer_methods_supported: ['header'] },
      ...{ resource_name: 'Tools', 'resource_name#de': 'Werkzeuge' },
    });
    await done('api', 'set', 'mcp', '--scope-unregistered', 'call=yes');
    expect((await document()).scopes_supported).to.deep.equal(['call']);
    const url = 'https://mcp.example/.well-known/oauth-protected-resource/mcp?v=1';
    const shown = (await done('api', 'metadata', 'mcp')).stdout;
    expect(shown).to.contain(`GET ${url}\n`).and.to.contain('"resource": "https://mcp.example/mcp?v=1"');
    expect(shown).to.contain(`WWW-Authenticate: Bearer resource_metadata="${url}", scope="call"`);
    await done('api', 'set', 'mcp', '--scope-unregistered', 'call=no');
    expect((await document()).scopes_supported).to.deep.equal(['call', 'admin']);
    await refused('such as tools:call=yes', 'api', 'set', 'mcp', '--scope-unregistered', 'call=maybe');
    await refused('no scope gone', 'api', 'set', 'mcp', '--scope-unregistered', 'gone=yes');
    await done('api', 'create', 'urn', '--identifier', 'urn:tools', '--no-secret');
    await refused('is no web address', 'api', 'metadata', 'urn');
  });
});
