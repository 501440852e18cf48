/** What an operator does to clients after they were made. */
import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { clientCommand } from '../../src/cli/client/commands.ts';
import { makeCertificates } from '../support/certificates.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

const PUBLIC_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

describe('portico client', () => {
  let terminal: Terminal;
  const files = { keys: '', certificate: '' };
  before(async () => {
    terminal = openTerminal({
      http: {
        trustedProxies: ['10.0.0.1'],
        clientCertificate: { header: 'Client-Cert', verifiedHeader: 'Client-Cert-Verified' },
      },
    });
    files.keys = terminal.write('keys.json', JSON.stringify({ keys: [PUBLIC_KEY] }));
    files.certificate = terminal.write('certificate.pem', makeCertificates().selfSigned.certificate);
    await done('organization create default');
    await done('organization create other');
  });
  after(() => terminal.close());

  async function done(words: string, ...more: string[]) {
    const ran = await terminal.session([...words.split(' '), ...more]);
    expect(ran.code, `${words}: ${ran.stderr}`).to.equal(0);
    return ran;
  }

  async function refused(line: string, ...words: string[]) {
    const ran = await terminal.session(line.split(' '));
    expect(ran.code, line).to.equal(1);
    for (const word of words) expect(ran.stderr).to.contain(word);
  }

  const shown = async (id: string) => (await done(`client show ${id} --json`)).json();

  const CREATE = 'client create --organization default --redirect-uri https://a.example/cb --id';

  describe('set', () => {
    interface Change {
      readonly set: string[];
      readonly back: string[];
      /** Members that change besides the one of the option. */
      readonly more?: number;
    }
    /** Options of `create` that go together: their values, and what takes them back. */
    const groups = (): Readonly<Record<string, Change>>[] => [
      {
        '--name': { set: ['Web App'], back: ['--name', ''] },
        '--redirect-uri': { set: ['https://b.example/cb'], back: ['--redirect-uri', 'https://a.example/cb'] },
        '--logout-uri': { set: ['https://b.example/'], back: ['--logout-uri', ''] },
        '--backchannel-logout-uri': {
          set: ['https://b.example/out'],
          back: ['--backchannel-logout-uri', ''],
        },
        '--backchannel-logout-session': { set: [], back: ['--no-backchannel-logout-session'] },
        '--scope': { set: ['openid email'], back: ['--scope', ''] },
        '--default-scope': { set: ['openid'], back: ['--default-scope', ''] },
        '--native': { set: [], back: ['--no-native'] },
        '--secret-in-body': { set: [], back: ['--no-secret-in-body'] },
        '--first-party': { set: [], back: ['--no-first-party'] },
        '--organizations': { set: ['other'], back: ['--organizations', ''] },
        '--choose-organization': { set: ['list'], back: ['--choose-organization', 'inherit'] },
        '--all-organizations': { set: [], back: ['--no-all-organizations'] },
        '--introspects': { set: ['x'], back: ['--introspects', ''] },
        '--revokes': { set: ['x'], back: ['--revokes', ''] },
        '--id-token-alg': { set: ['ES256'], back: ['--id-token-alg', 'RS256'] },
        '--subject-type': { set: ['pairwise'], back: ['--subject-type', 'inherit'] },
        '--userinfo-alg': { set: ['ES256'], back: ['--userinfo-alg', 'inherit'] },
        '--introspection-alg': { set: ['ES256'], back: ['--introspection-alg', 'inherit'] },
        '--answer-alg': { set: ['ES256'], back: ['--answer-alg', 'inherit'] },
        '--encrypt': { set: ['userinfo=ECDH-ES'], back: ['--encrypt', 'userinfo=null'] },
        '--keys-uri': { set: ['https://b.example/jwks'], back: ['--keys-uri', ''] },
        '--request-alg': { set: ['ES256'], back: ['--request-alg', ''] },
        '--require-signed-requests': { set: [], back: ['--no-require-signed-requests'] },
        '--id-token-claims': { set: [], back: ['--no-id-token-claims'] },
        '--claim': { set: ['https://a.example/upn=email'], back: ['--claim', 'https://a.example/upn=null'] },
        '--allowed-origin': { set: ['app://'], back: ['--allowed-origin', ''] },
        '--refresh-rotation': { set: ['off'], back: ['--refresh-rotation', 'inherit'] },
        '--registration': { set: ['on'], back: ['--registration', 'inherit'] },
        '--sign-in': { set: ['name-first'], back: ['--sign-in', 'inherit'] },
        '--factors': {
          set: ['require=required', '--factors', 'offered=app', '--factors', 'since=2030-01-15T09:00:00Z'],
          back: ['require', 'offered', 'since'].flatMap((member) => ['--factors', `${member}=null`]),
        },
        '--brand': { set: ['accent=#b45309'], back: ['--brand', 'accent=null'] },
        '--organization': { set: ['other'], back: ['--organization', 'default'] },
      },
      { '--public': { set: [], back: ['--no-public'] } },
      {
        '--profile': { set: ['fapi2'], back: ['--profile', 'none', '--id-token-alg', 'RS256'], more: 1 },
        '--jwks-file': { set: [files.keys], back: ['--jwks-file', ''], more: 1 },
      },
      { '--jwks-uri': { set: ['https://a.example/jwks'], back: ['--jwks-uri', ''], more: 1 } },
      {
        '--certificate-file': { set: [files.certificate], back: ['--certificate-file', ''], more: 1 },
        '--certificate-bound': { set: [], back: ['--no-certificate-bound'] },
      },
      {
        '--certificate-subject': { set: ['san_dns=a.example'], back: ['--certificate-subject', ''], more: 1 },
      },
      {
        '--grant': {
          set: ['client_credentials', '--grant', 'refresh_token', '--grant', EXCHANGE],
          back: ['--grant', 'authorization_code', '--grant', 'refresh_token'],
          more: 1,
        },
        '--exchanges': { set: ['vsee'], back: ['--exchanges', ''] },
        '--exchanges-to': { set: ['vsee'], back: ['--exchanges-to', ''] },
        '--exchanges-offline': { set: [], back: ['--no-exchanges-offline'] },
        '--ends-parent': { set: [], back: ['--no-ends-parent'] },
      },
    ];

    it('CMD1 changes everything that create can set, and takes it back', async () => {
      const create = clientCommand().commands.find((command) => command.name() === 'create');
      const GROUPS = groups();
      const known = create?.options.map(({ long }) => long ?? '') ?? [];
      // What is behind --sector-uri is read at once: test/oidc/judged-answers.test.ts.
      const others = ['--id', '--json', '--dry-run', '--sector-uri'];
      const ofBoth = known.filter((option) => !others.includes(option));
      expect(ofBoth).to.have.members(GROUPS.flatMap((group) => Object.keys(group)));
      for (const [index, group] of GROUPS.entries()) {
        const [made, changed] = [`made-${index}`, `changed-${index}`];
        const set = Object.entries(group).flatMap(([option, { set }]) => [option, ...set]);
        const back = Object.values(group).flatMap(({ back }) => back);
        const clean = set.includes('--redirect-uri') ? CREATE.replace(/ --redirect-uri \S+/, '') : CREATE;
        await done(`${clean} ${made}`, ...set);
        await done(`${CREATE} ${changed}`);
        const before = await shown(changed);
        const { stdout } = await done(`client set ${changed}`, ...set, '--dry-run');
        const changes = Object.values(group).reduce((sum, { more = 0 }) => sum + 1 + more, 0);
        expect(stdout.trim().split('\n')).to.have.length(changes);
        await done(`client set ${changed}`, ...set);
        expect(await shown(changed)).to.deep.equal({ ...(await shown(made)), clientId: changed });
        await done(`client set ${changed}`, ...back);
        const { application_type: type = 'web', ...metadata } = Object(
          (await shown(changed)).metadata,
        ) as Record<string, unknown>;
        expect({ ...(await shown(changed)), metadata }).to.deep.equal(before);
        expect(type).to.equal('web');
      }
    });

    it('CMD1 is judged as a new client is, but for what was wrong before', async () => {
      await done(`${CREATE} judged`);
      await refused('client set judged --redirect-uri javascript:alert(1)', 'redirect_uris.0 is');
      await refused(
        'client set judged --backchannel-logout-uri https://10.0.0.1/out',
        'backchannel_logout_uri is "https://10.0.0.1/out": must be a URL that the server may call',
      );
      await refused(
        'client set judged --backchannel-logout-uri https://b.example/out#x',
        'backchannel_logout_uri must not have a fragment',
      );
      await refused('client set judged --scope emial', 'scope is "emial"', 'openid');
      await refused(
        'client set judged --claim sub=email',
        'claims.sub is a claim that the server itself makes',
      );
      await refused(
        'client set judged --scope openid --default-scope email',
        'default_scope must not have email: scope lacks it',
      );
      await refused('client set judged --encrypt userinfo', 'userinfo is not of the form answer=alg');
      await refused('client set judged --encrypt code=ECDH-ES', 'code=ECDH-ES is not of the form');
      await refused(
        'client set judged --encrypt userinfo=RSA1_5',
        'userinfo_signed_response_alg must be set beside userinfo_encrypted_response_alg',
        "userinfo_encrypted_response_alg is \"RSA1_5\": must be 'RSA-OAEP-256', 'ECDH-ES'",
      );
      await refused('client set judged --claim upn', 'upn is not of the form name=member');
      await refused('client set judged --allowed-origin null', 'allowed_origins.0 must be an origin');
      await refused('client set judged --organization nowhere', 'There are: default, other');
      await refused('client set judged --public --grant client_credentials', 'grant_types.0', 'no secret');
      expect((await shown('judged')).metadata).to.deep.include({ redirect_uris: ['https://a.example/cb'] });
    });

    it('CMD1 gives a secret to a client that turns confidential, once, and takes it with the need', async () => {
      const created = (await done(`${CREATE} turning --public --json`)).json();
      expect(created).to.include({ confidential: false }).and.not.to.have.property('clientSecret');
      const confidential = (await done('client set turning --no-public --json')).json();
      expect(confidential.clientSecret).to.match(/^[\w-]{43}$/);
      const renamed = (await done('client set turning --name T --json')).json();
      expect(renamed).to.include({ confidential: true }).and.not.to.have.property('clientSecret');
      await done('client set turning --public');
      expect(await shown('turning')).to.include({ confidential: false });
    });

    it('CMD1 writes nothing at --dry-run, and says what would be', async () => {
      await done(`${CREATE} dry`);
      const before = await shown('dry');
      const { stdout } = await done('client set dry --scope openid --first-party --dry-run');
      expect(stdout).to.equal('first_party: false becomes true\nscope: nothing becomes "openid"\n');
      expect(await shown('dry')).to.deep.equal(before);
      await done(`${CREATE} drier --dry-run`);
      await refused('client show drier', 'There is no client drier');
      expect((await done('client set dry --no-first-party')).stdout).to.contain('has these values already');
      const changed = await done('client set dry --scope openid');
      expect(changed.stdout).to.equal('Client dry was changed: scope.\n');
      const { stdout: trail } = await done('audit list --json');
      expect(JSON.parse(trail)).to.satisfy((records: { event: string; detail: object }[]) =>
        records.some(
          ({ event, detail }) =>
            event === 'client.update' && /"changed":\["scope"\]/.test(JSON.stringify(detail)),
        ),
      );
    });
  });
});
