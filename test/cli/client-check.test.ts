/** Clients of an older Portico, looked at before people do. */
import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { stringify } from 'yaml';
import type { Json } from '../../src/model/json.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

const RECORDS = 'https://api.example/records';
const CODE = { redirect_uris: ['https://a.example/cb'], grant_types: ['authorization_code'] };
const SETTLED = { ...CODE, id_token_signed_response_alg: 'RS256', apis: {} };

describe('portico client check', () => {
  let terminal: Terminal;
  before(async () => {
    terminal = openTerminal({
      oidc: {
        resources: [
          { identifier: RECORDS, scopes: ['read'] },
          { identifier: 'https://api.example/open', scopes: ['x'], open: true },
          { identifier: 'https://api.example/other', scopes: ['x'], organization: 'other' },
        ],
      },
    });
    const made = await terminal.session(['organization', 'create', 'default']);
    expect(made.code, made.stderr).to.equal(0);
  });
  after(() => terminal.close());

  /** Past the judge, as an older Portico stored it. */
  async function stored(clients: Readonly<Record<string, Record<string, Json>>>): Promise<void> {
    await terminal.inStore(async (stores) => {
      for (const [clientId, metadata] of Object.entries(clients)) {
        await stores.clients.put({
          ...{ clientId, organization: 'default', allOrganizations: false, firstParty: false },
          ...{ introspects: [], revokes: [] },
          metadata: { token_endpoint_auth_method: 'none', ...metadata },
        });
      }
    });
  }

  async function check(...args: string[]) {
    const { code, stdout, stderr } = await terminal.session(['client', 'check', '--json', ...args]);
    expect(stderr).to.equal('');
    const all: { client: string; kind: string; member: string; message: string }[] = JSON.parse(stdout);
    return { code, all, found: all.map(({ client, kind, member }) => `${client} ${kind} ${member}`) };
  }

  it('CMD3 names every client that is refused or that an upgrade changed, and what settles it', async () => {
    await stored({
      settled: SETTLED,
      old: CODE,
      machine: { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic' },
      broken: { ...SETTLED, redirect_uris: ['javascript:alert(1)'], scope: 'openid emial' },
      granted: { ...SETTLED, apis: { [RECORDS]: ['read', 'write'], 'https://gone.example': ['x'] } },
      meaning: { ...SETTLED, default_api: RECORDS },
      plain: { ...SETTLED, redirect_uris: ['http://a.example/cb', 'http://127.0.0.1/cb'] },
    });
    const { code, all, found } = await check();
    expect(code).to.equal(1);
    const withoutNotes = found.filter((line) => !line.includes(' note token'));
    expect(withoutNotes).to.have.members([
      'old changed id_token_signed_response_alg',
      ...['old changed apis', 'old note apis'],
      'machine changed apis',
      'machine refused client_secret',
      'broken refused redirect_uris.0',
      'broken refused scope',
      `granted refused apis.${RECORDS}`,
      'granted refused apis.https://gone.example',
      'meaning refused default_api',
      'plain note redirect_uris.0',
    ]);
    const said = (line: string) => all[found.indexOf(line)]?.message;
    expect(said('old changed id_token_signed_response_alg')).to.contain(
      'portico client set old --id-token-alg RS256, or ES256',
    );
    expect(said('old changed apis')).to.contain(RECORDS).and.to.contain('open: true');
    expect(said('old changed apis')).not.to.contain('/other').and.not.to.contain('example/open');
    expect(said('broken refused scope')).to.contain('is "emial"').and.to.contain('openid');
    expect(said('settled note token_endpoint_auth_method')).to.contain('S256');
  });

  it('CMD3 exits with 0 where nothing needs a look, and looks at one client where it is named', async () => {
    expect((await check('settled')).code).to.equal(0);
    expect((await check('broken')).code).to.equal(1);
    const table = await terminal.session(['client', 'check', 'broken']);
    expect(table.stdout).to.match(/^CLIENT +KIND +MEMBER +MESSAGE\n/);
    expect(table.stdout).to.match(/^broken +refused +redirect_uris.0 +is "javascript:alert/m);
    const unknown = await terminal.session(['client', 'check', 'nobody']);
    expect([unknown.code, unknown.stderr]).to.deep.equal([
      1,
      'There is no client nobody. See: portico client list\n',
    ]);
  });

  it('CMD3 what it says settles it', async () => {
    await stored({ settling: { ...CODE, apis: {} } });
    expect((await check('settling')).code).to.equal(1);
    const set = await terminal.session(['client', 'set', 'settling', '--id-token-alg', 'ES256']);
    expect(set.code, set.stderr).to.equal(0);
    expect((await check('settling')).code).to.equal(0);
    const file = terminal.write(
      'old.yaml',
      stringify({ clients: [{ client_id: 'old', organization: 'default', ...SETTLED }] }),
    );
    expect((await terminal.session(['seed', file])).code).to.equal(0);
    expect((await check('old')).code).to.equal(0);
    const made = 'client create --organization default --public --redirect-uri https://a.example/cb --id new';
    expect((await terminal.session(made.split(' '))).code).to.equal(0);
    expect((await check('new')).found).to.deep.equal(['new note token_endpoint_auth_method']);
  });

  it('FAPI3 a client of the profile FAPI 2 is made in one command, and check tells what the profile sets', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keys = terminal.write('bank.json', JSON.stringify(pair.publicKey.export({ format: 'jwk' })));
    const create =
      'client create --organization default --profile fapi2 --redirect-uri https://bank.example/cb';
    const made = await terminal.session([
      ...create.split(' '),
      '--jwks-file',
      keys,
      '--id',
      'bank',
      '--json',
    ]);
    expect(made.code, made.stderr).to.equal(0);
    expect(made.json()).to.include({ confidential: true }).and.not.to.have.property('clientSecret');
    expect(Object(made.json()).metadata).to.deep.include({
      ...{ profile: 'fapi2', token_endpoint_auth_method: 'private_key_jwt' },
      id_token_signed_response_alg: 'ES256',
    });
    const { code, all, found } = await check('bank');
    expect(code).to.equal(0);
    expect(found).to.include.members([
      'bank note token_endpoint_auth_method',
      'bank note require_pushed_authorization_requests',
      'bank note dpop_bound_access_tokens',
      'bank note rotate_refresh_tokens',
    ]);
    expect(all.map(({ message }) => message).join('\n'))
      .to.contain('pushed (/par)')
      .and.contain('S256');
    await stored({
      careless: { ...CODE, profile: 'fapi2', apis: {}, redirect_uris: ['http://bank.example/cb'] },
    });
    const faults = await check('careless');
    expect(faults.code).to.equal(1);
    expect(faults.found.filter((line) => line.includes(' refused '))).to.have.members([
      'careless refused token_endpoint_auth_method',
      'careless refused jwks',
      'careless refused redirect_uris.0',
    ]);
  });

  it('FAPI3 what is wrong with its keys or its profile is said, and nothing is written', async () => {
    const create =
      'client create --organization default --profile fapi2 --redirect-uri https://bank.example/cb';
    const refused = async (...more: string[]) => {
      const ran = await terminal.session([...create.split(' '), '--id', 'refused', ...more]);
      expect(ran.code).to.equal(1);
      return ran.stderr;
    };
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const secret = terminal.write('secret.json', JSON.stringify(pair.privateKey.export({ format: 'jwk' })));
    expect(await refused())
      .to.contain('token_endpoint_auth_method')
      .and.to.contain('jwks');
    expect(await refused('--public')).to.contain('token_endpoint_auth_method is "none"');
    expect(await refused('--jwks-file', secret)).to.contain('jwks.keys.0.d');
    expect(await refused('--jwks-file', terminal.write('no.json', '{'))).to.contain(
      'is not a JSON Web Key Set',
    );
    expect(await refused('--jwks-file', '/nowhere/keys.json')).to.contain('does not exist');
    expect(await refused('--certificate-file', secret)).to.contain('is not a certificate');
    expect(await refused('--certificate-subject', 'cn=x')).to.contain('san_dns, san_uri');
    expect((await terminal.session(['client', 'show', 'refused'])).code).to.equal(1);
  });
});
