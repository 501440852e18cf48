/** Keycloak in production mode with a PostgreSQL of its own; it signs with ES256, everything else as it ships. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../../test/support/ports.ts';
import { PEOPLE, REDIRECT_URI, type Subject } from '../subject.ts';
import { startPostgres } from './postgres.ts';
import { cached, programOf, run, startProgram, temporaryFolder } from './programs.ts';

const VERSION = '26.7.5';
const HEAP = '-Xms1g -Xmx2g';

export async function startKeycloak(): Promise<Subject> {
  const java = javaHome();
  const home = path.join(temporaryFolder(), 'keycloak');
  cpSync(installed(java.home), home, { recursive: true });
  const secret = randomBytes(24).toString('hex');
  mkdirSync(path.join(home, 'data/import'), { recursive: true });
  writeFileSync(path.join(home, 'data/import/bench-realm.json'), JSON.stringify(realm(secret)));
  const postgres = await startPostgres('keycloak');
  const [port, management] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const server = startProgram(path.join(home, 'bin/kc.sh'), ['start', '--optimized', '--import-realm'], {
    env: {
      ...process.env,
      ...{ JAVA_HOME: java.home, JAVA_OPTS_KC_HEAP: HEAP },
      ...{ KC_DB_URL: `jdbc:postgresql://127.0.0.1:${postgres.port}/keycloak`, KC_DB_USERNAME: 'keycloak' },
      ...{ KC_DB_PASSWORD: postgres.password, KC_HTTP_ENABLED: 'true', KC_HTTP_HOST: '127.0.0.1' },
      ...{ KC_HTTP_PORT: String(port), KC_HTTP_MANAGEMENT_PORT: String(management), KC_HOSTNAME: url },
      // One node without a cluster.
      ...{ KC_CACHE: 'local', KC_LOG_LEVEL: 'warn' },
    },
  });
  const issuer = `${url}/realms/bench`;
  const discovery = `${issuer}/.well-known/openid-configuration`;
  await server.answers(discovery, 600);
  const oidc = `${issuer}/protocol/openid-connect`;
  const confidential = { id: 'confidential', secret };
  return {
    ...{ name: 'keycloak', version: VERSION },
    settings: `Java ${java.version}, ${HEAP}, start --optimized, local caches, PostgreSQL, JWT access tokens, ES256, argon2id m=7168 t=5 p=1, no brute-force check, refresh tokens used once`,
    endpoints: {
      ...{ discovery, jwks: `${oidc}/certs`, authorization: `${oidc}/auth`, token: `${oidc}/token` },
      ...{ introspection: `${oidc}/token/introspect`, userinfo: `${oidc}/userinfo` },
    },
    ...{ confidential, public: { id: 'public' }, scope: 'openid profile email' },
    machine: { jwt: { client: confidential } },
    ownCases: {},
    processes: { server: [server.pid], store: [postgres.pid] },
    warmUp: 6,
    async stop() {
      await server.stop();
      await postgres.stop();
    },
  };
}

/** Where Keycloak was built for PostgreSQL: once, then kept. */
function installed(home: string): string {
  const folder = cached(`keycloak-${VERSION}`);
  if (existsSync(folder)) return folder;
  const remedy = 'It fetches Keycloak; Debian: apt-get install maven unzip.';
  const [maven, unzip] = [programOf('mvn', remedy), programOf('unzip', remedy)];
  const work = temporaryFolder();
  const artifact = `-Dartifact=org.keycloak:keycloak-quarkus-dist:${VERSION}:zip`;
  run(maven, ['-B', '-q', 'dependency:copy', artifact, `-DoutputDirectory=${work}`], { cwd: work });
  const archive = readdirSync(work).find((name) => name.endsWith('.zip')) ?? '';
  run(unzip, ['-q', path.join(work, archive), '-d', work]);
  const unpacked = path.join(work, `keycloak-${VERSION}`);
  run(path.join(unpacked, 'bin/kc.sh'), ['build', '--db=postgres', '--health-enabled=true'], {
    env: { ...process.env, JAVA_HOME: home },
  });
  cpSync(unpacked, `${folder}.part`, { recursive: true });
  renameSync(`${folder}.part`, folder);
  return folder;
}

/** The newest Java that is installed. Throws Missing. */
function javaHome(): { home: string; version: string } {
  const folder = '/usr/lib/jvm';
  const homes = existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : [];
  const found = [process.env.JAVA_HOME, ...homes].flatMap((home) => {
    if (!home || !existsSync(path.join(home, 'bin/java'))) return [];
    const { stderr } = spawnSync(path.join(home, 'bin/java'), ['-version'], { encoding: 'utf8' });
    const version = /version "([\d.]+)/.exec(stderr)?.[1];
    return version ? [{ home, version }] : [];
  });
  const [newest] = found.toSorted((a, b) => Number.parseInt(b.version, 10) - Number.parseInt(a.version, 10));
  if (newest && Number.parseInt(newest.version, 10) >= 17) return newest;
  programOf('java 17', 'Keycloak runs on it; Debian: apt-get install openjdk-17-jdk-headless.');
  throw new Error('There is no Java.');
}

function realm(secret: string) {
  const client = {
    enabled: true,
    protocol: 'openid-connect',
    standardFlowEnabled: true,
    redirectUris: [REDIRECT_URI],
  };
  const keys = (providerId: string, config = {}) => ({
    ...{ name: providerId, providerId, config: { priority: ['100'], ...config } },
  });
  return {
    ...{ realm: 'bench', enabled: true, defaultSignatureAlgorithm: 'ES256' },
    ...{ revokeRefreshToken: true, refreshTokenMaxReuse: 0 },
    components: {
      'org.keycloak.keys.KeyProvider': [
        keys('ecdsa-generated', { ecdsaEllipticCurveKey: ['P-256'] }),
        ...[keys('rsa-generated'), keys('hmac-generated', { algorithm: ['HS512'] }), keys('aes-generated')],
      ],
    },
    clients: [
      {
        ...{ ...client, clientId: 'confidential', secret, publicClient: false, serviceAccountsEnabled: true },
        // It calls tokens inactive that do not name the asking client among their audiences.
        protocolMappers: [
          {
            ...{ name: 'audience', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper' },
            config: {
              ...{ 'included.client.audience': 'confidential', 'access.token.claim': 'true' },
              'introspection.token.claim': 'true',
            },
          },
        ],
      },
      {
        ...{ ...client, clientId: 'public', publicClient: true },
        attributes: { 'pkce.code.challenge.method': 'S256' },
      },
    ],
    users: PEOPLE.map(({ username, email, password }) => ({
      ...{ username, email, enabled: true, emailVerified: true, firstName: 'User', lastName: username },
      credentials: [{ type: 'password', value: password, temporary: false }],
    })),
  };
}
