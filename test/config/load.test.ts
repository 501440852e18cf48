import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ConfigError } from '../../src/config/issues.ts';
import { type LoadOptions, loadConfig, whyNotPort } from '../../src/config/load.ts';
import { type Config, configSchema } from '../../src/config/schema.ts';
import { plugInShapes } from '../../src/server/configuration.ts';

const shapes = await plugInShapes();

describe('The configuration', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(path.join(tmpdir(), 'portico-config-'));
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  /** Writes a file below the working directory and returns its path. */
  function write(name: string, content: string): string {
    const file = path.join(cwd, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }
  const load = (env: Record<string, string> = {}, more: Partial<LoadOptions> = {}) =>
    loadConfig({ env, cwd, ...shapes, ...more });
  const own = (yaml: string, env: Record<string, string> = {}) =>
    load({ ...env, PORTICO_CONFIG: write('portico.yaml', yaml) });
  /** The issues of a configuration that must have some, by path. */
  function issues(work: () => unknown) {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { error, byPath: new Map(error.issues.map((issue) => [issue.path, issue])) };
    }
    throw new Error('The configuration was accepted.');
  }

  describe('its layers', () => {
    it('are default.yaml, the file of NODE_ENV, the file of PORTICO_CONFIG and the environment, the last on top', () => {
      write(
        'config/default.yaml',
        'branding: { name: A }\nlog: { level: warn }\nhashing: { queue: 1 }\ndemo: false\n',
      );
      write('config/test.yaml', 'branding: { name: B }\nlog: { level: error }\nhashing: { queue: 2 }\n');
      const PORTICO_CONFIG = write('own.yaml', 'branding: { name: C }\nlog: { level: debug }\n');
      const env = { NODE_ENV: 'test', PORTICO_CONFIG, PORTICO_BRANDING__NAME: 'D' };
      const config = load(env, { folder: path.join(cwd, 'config') });
      expect(config).to.deep.include({ environment: 'test', demo: false, hashing: { queue: 2 } });
      expect(config.log.level).to.equal('debug');
      expect(config.branding.name).to.equal('D');
    });

    it('default.yaml says what the schema says when nothing is set', () => {
      const written = loadConfig({ env: { NODE_ENV: 'test', PORTICO_LOG__LEVEL: 'info' }, cwd });
      const { store, keys, ...rest } = configSchema.parse({
        environment: 'test',
        issuer: 'http://localhost:0',
        http: { port: 0 },
      });
      expect(written).to.deep.include(rest);
      expect(written.store.embedded.file).to.equal(path.join(cwd, store.embedded.file));
      expect(written.keys.encryptionFile).to.equal(path.join(cwd, keys.encryptionFile));
    });

    it('join tables and replace lists', () => {
      const config = own('http: { trustedProxies: [10.0.0.1] }\nseed: []\n', {
        PORTICO_HTTP__TRUSTED_PROXIES: '10.0.0.2, 10.0.0.3/32',
      });
      expect(config.http.trustedProxies).to.deep.equal(['10.0.0.2', '10.0.0.3/32']);
      expect(config.http.port).to.equal(3000);
      expect(config.seed).to.deep.equal([]);
    });

    it('say nothing by an empty table, and take a value back by null', () => {
      const config = own('mail:\n  smtp:\nbranding: { name: null }\n');
      expect(config.mail.smtp.url).to.equal('smtp://127.0.0.1:1025');
      expect(config.branding.name).to.equal('Portico');
    });

    it('let the default issuer follow the port', () => {
      expect(load({ PORTICO_HTTP__PORT: '4000' }).issuer).to.equal('http://localhost:4000');
      expect(own('issuer: http://localhost:3000\nhttp: { port: 4000 }').issuer).to.equal(
        'http://localhost:3000',
      );
    });

    it('find seeds beside the file that names them, then from the working directory', () => {
      write('conf/near.yaml', '');
      write('far.yaml', '');
      const PORTICO_CONFIG = write('conf/portico.yaml', 'seed: [near.yaml, far.yaml]');
      expect(load({ PORTICO_CONFIG }).seed).to.deep.equal([
        path.join(cwd, 'conf/near.yaml'),
        path.join(cwd, 'far.yaml'),
      ]);
    });
  });

  describe('durations', () => {
    for (const [text, seconds] of [
      ['10s', 10],
      ['5m', 300],
      ['24h', 86_400],
      ['30d', 2_592_000],
      ['90', 90],
    ] as const) {
      it(`${text} is ${seconds} seconds`, () => {
        expect(
          load({ PORTICO_SESSIONS__IDLE: text, PORTICO_SESSIONS__ABSOLUTE: '30d' }).sessions.idle,
        ).to.equal(seconds);
      });
    }
    for (const text of ['10', '1.5h', '0s', '-5m', '5 m', '5M', '1w', '0', '', '1e3s']) {
      if (text === '10' || text === '') continue;
      it(`${text} is none`, () => {
        const { byPath } = issues(() => own(`sessions: { idle: "${text}" }`));
        expect(byPath.get('sessions.idle')?.message).to.match(/^must be a duration/);
      });
    }
  });

  it('CL12 PORT is http.port, and the issuer follows it, unless the configuration names a port', () => {
    const at = ({ http, issuer }: Config) => [http.port, issuer];
    expect(at(load({ PORT: '8080' }))).to.deep.equal([8080, 'http://localhost:8080']);
    expect(at(load({ PORT: '' }))).to.deep.equal([3000, 'http://localhost:3000']);
    expect(at(load({ PORT: '8080', PORTICO_HTTP__PORT: '9090' }))).to.deep.equal([
      9090,
      'http://localhost:9090',
    ]);
    expect(at(own('http: { port: 9191 }', { PORT: 'no port' }))).to.deep.equal([
      9191,
      'http://localhost:9191',
    ]);
    expect(at(own('http: { workers: 2 }', { PORT: '8080' }))).to.deep.equal([8080, 'http://localhost:8080']);
    for (const PORT of ['no port', '99999', '-1']) {
      expect(issues(() => load({ PORT })).byPath.get('http.port')?.from, PORT).to.equal('PORT');
    }
    const named = load({ PORTICO_HTTP__PORT: '9090' });
    expect(whyNotPort(named, { PORT: '8080' }))
      .to.contain('PORT is 8080')
      .and.to.contain('http.port 9090');
    expect([whyNotPort(named, { PORT: '9090' }), whyNotPort(named, {})]).to.deep.equal([
      undefined,
      undefined,
    ]);
  });

  it('reads whole seconds, 0 and null of the environment where one of them is a word of its own', () => {
    const maxAge = (text: string) => load({ PORTICO_HTTP__HSTS__MAX_AGE: text }).http.hsts.maxAge;
    expect(['0', '3600', '1h', 'null'].map(maxAge)).to.deep.equal([0, 3600, 3600, null]);
  });

  describe('the environment', () => {
    it('matches names without case and without underscores inside a segment', () => {
      const config = load({
        PORTICO_STORE__MONGO__URL: 'mongodb://db:27017',
        PORTICO_http__Trusted_Proxies: '10.0.0.0/8',
        PORTICO_OIDC__REFRESH_REUSE__LEEWAY: '5s',
        PORTICO_DIALECTS__VISITNOTE__TRIAL_DAYS: '7',
      });
      expect(config.store.mongo.url).to.equal('mongodb://db:27017');
      expect(config.http.trustedProxies).to.deep.equal(['10.0.0.0/8']);
      expect(config.oidc.refreshReuse.leeway).to.equal(5);
      expect(config.dialects.visitnote).to.deep.equal({ enabled: true, trialDays: 7 });
    });

    it('names an entry of a table by any name', () => {
      const PORTICO_PASSWORDS__IMPORTED__DEVISE__CONSTRUCTOR__PEPPER = 'p'.repeat(32);
      const config = load({ PORTICO_PASSWORDS__IMPORTED__DEVISE__CONSTRUCTOR__PEPPER });
      expect(Object.keys(config.passwords.imported.devise)).to.deep.equal(['constructor']);
    });

    it('turns text into numbers, booleans, lists, tables and null, as the key takes them', () => {
      const config = load({
        PORTICO_HTTP__WORKERS: '2',
        PORTICO_DEMO: 'false',
        PORTICO_HTTP__CORS: '{"origins": ["https://app.example"]}',
        PORTICO_PASSWORDS__BLOCKLIST: '[one, two]',
        PORTICO_HTTP__INTERNAL__PORT: 'null',
        PORTICO_DIALECTS__VISITNOTE__ENABLED: 'false',
      });
      expect(config.http.workers).to.equal(2);
      expect(config.demo).to.equal(false);
      expect(config.http.cors.origins).to.deep.equal(['https://app.example']);
      expect(config.passwords.blocklist).to.deep.equal(['one', 'two']);
      expect(config.http.internal.port).to.equal(null);
      expect(config.dialects.visitnote?.enabled).to.equal(false);
    });

    it('counts an empty variable as not set', () => {
      expect(load({ PORTICO_BRANDING__NAME: '' }).branding.name).to.equal('Portico');
    });

    it('passes over what Kubernetes says about a service called portico', () => {
      const env = {
        PORTICO_PORT: 'tcp://10.0.0.1:80',
        PORTICO_SERVICE_HOST: '10.0.0.1',
        PORTICO_PORT_80_TCP: 'x',
      };
      expect(load(env).http.port).to.equal(3000);
    });

    it('refuses one key set by two spellings', () => {
      const env = { PORTICO_HTTP__TRUSTEDPROXIES: '10.0.0.1', PORTICO_HTTP__TRUSTED_PROXIES: '10.0.0.2' };
      expect(issues(() => load(env)).byPath.get('PORTICO_HTTP__TRUSTED_PROXIES')?.message).to.contain(
        'keep one',
      );
    });

    it('does not set the environment itself', () => {
      expect(issues(() => load({ PORTICO_ENVIRONMENT: 'test' })).byPath).to.have.key('PORTICO_ENVIRONMENT');
    });
  });

  describe('_FILE', () => {
    it('reads a value from a file, without the line break at its end', () => {
      const file = write('secret', 'google says so\n');
      const config = load({ PORTICO_FEDERATION__GOOGLE__CLIENT_SECRET_FILE: file });
      expect(config.federation.google?.clientSecret).to.equal('google says so');
    });

    it('is no suffix where the whole name is a key', () => {
      const config = load({ PORTICO_KEYS__ENCRYPTION_FILE: 'elsewhere.key' });
      expect(config.keys.encryptionFile).to.equal(path.join(cwd, 'elsewhere.key'));
      expect(config.keys.encryption).to.equal(undefined);
    });

    it('works in YAML as secret_file and as clientSecretFile, also for dialects', () => {
      write('shared', `${'s'.repeat(40)}\n`);
      const config = own(`
federation: { google: { clientSecretFile: shared } }
dialects: { medisync: { accessToken: { signing: HS256, secret_file: shared } } }
`);
      expect(config.federation.google?.clientSecret).to.equal('s'.repeat(40));
      expect(config.dialects.medisync?.accessToken).to.deep.equal({
        signing: 'HS256',
        secret: 's'.repeat(40),
      });
    });

    it('tells which file cannot be read', () => {
      const { byPath } = issues(() => load({ PORTICO_KEYS__COOKIES_FILE: 'nowhere' }));
      expect(byPath.get('PORTICO_KEYS__COOKIES_FILE')?.message).to.equal('cannot be read (ENOENT)');
    });
  });

  describe('issues', () => {
    const YAML = `
issuer: https://id.example/path
htp: { port: 1 }
http: { prot: 80, port: 70000, workers: 0, trustedProxies: [10.0.0.0/8, nonsense] }
store: { kind: sqlite, redis: { url: "http://redis" } }
demo: perhaps
attempts: { pair: { window: 10y } }
oidc: { lifetimes: { grant: 1d }, refreshReuse: { leeway: 10 } }
federation: { apple: { enabled: true, issuer: http://apple.example } }
dialects:
  visitnote: { accessToken: { lifetime: soon }, trailDays: 3 }
  vsea: { enabled: true }
  careportals: { admitsFrom: [hosted, visitnoot] }
  medisync: { accessToken: { signing: HS256 } }
`;

    it('tell that Redis is either watched by Sentinels or a cluster', () => {
      const both = 'store: { redis: { sentinels: ["redis://:secret@a"], cluster: ["redis://b"] } }';
      const { byPath } = issues(() => own(both));
      expect(byPath.get('store.redis')?.message).to.equal('must not have both sentinels and cluster');
      expect(JSON.stringify([...byPath])).not.to.contain('secret@');
      expect(
        issues(() => own('store: { redis: { cluster: [] } }')).byPath.get('store.redis.cluster')?.message,
      ).to.equal('must name at least one');
    });

    it('MTLS2 tell what certificates of clients need: a proxy, and a header of their own', () => {
      const messages = (http: string) =>
        Object.fromEntries(
          [...issues(() => own(`http: { ${http} }`)).byPath].map(([at, { message }]) => [at, message]),
        );
      expect(messages('clientCertificate: { header: Client-Cert }')).to.deep.equal({
        'http.clientCertificate.header': 'needs http.trustedProxies: from other peers the header is ignored',
      });
      const proxies = 'trustedProxies: [10.0.0.1]';
      const needs = 'needs http.clientCertificate.header';
      const alone = '{ verifiedHeader: X-Client-Verify, origin: "https://mtls.example" }';
      expect(messages(`${proxies}, clientCertificate: ${alone}`)).to.deep.equal({
        'http.clientCertificate.verifiedHeader': needs,
        'http.clientCertificate.origin': needs,
      });
      for (const name of ['Authorization', 'Content-Type', 'X-Forwarded-For', 'Client_Cert', 'a b']) {
        const found = messages(`${proxies}, clientCertificate: { header: "${name}" }`);
        expect(found['http.clientCertificate.header'], name).to.contain('such as Client-Cert');
      }
    });

    it('N16 of a whole table name who wrote it', () => {
      const { byPath } = issues(() => own('federation: { openid: { Staff: { clientId: c } } }'));
      expect(byPath.get('federation.openid.Staff')?.from).to.match(/portico\.yaml$/);
    });

    it('are reported all at once, each with its path', () => {
      const { byPath } = issues(() => own(YAML, { PORTICO_LOG__LEVEL: 'loud', PORTICO_LOGG__LEVEL: 'info' }));
      expect([...byPath.keys()]).to.have.members([
        'issuer',
        'htp',
        'http.prot',
        'http.port',
        'http.workers',
        'http.trustedProxies.1',
        'store.kind',
        'store.redis.url',
        'demo',
        'attempts.pair.window',
        'oidc.lifetimes.grant',
        'federation.apple.issuer',
        'dialects.visitnote.accessToken.lifetime',
        'dialects.visitnote.trailDays',
        'dialects.vsea',
        'dialects.careportals.admitsFrom.1',
        'dialects.medisync.accessToken.secret_file',
        'log.level',
        'PORTICO_LOGG__LEVEL',
      ]);
    });

    it('tell the value, who set it, and what is allowed', () => {
      const { error } = issues(() => own(YAML, { PORTICO_LOG__LEVEL: 'loud' }));
      expect(error.message).to.contain('http.workers is 0 (');
      expect(error.message).to.contain('portico.yaml): must be 1 or more');
      expect(error.message).to.contain('log.level is "loud" (PORTICO_LOG__LEVEL): must be fatal or error');
      expect(error.message).to.contain('store.kind is "sqlite"');
      expect(error.message).to.contain('must be embedded or distributed');
    });

    it('name the key that was probably meant', () => {
      const { byPath } = issues(() => own(YAML, { PORTICO_HTTP__WORKRES: '2' }));
      expect(byPath.get('http.prot')?.message).to.contain('did you mean port?');
      expect(byPath.get('htp')?.message).to.contain('did you mean http?');
      expect(byPath.get('dialects.vsea')?.message).to.contain('did you mean vsee?');
      expect(byPath.get('dialects.visitnote.trailDays')?.message).to.contain('did you mean trialDays?');
      expect(byPath.get('PORTICO_HTTP__WORKRES')?.message).to.contain('did you mean PORTICO_HTTP__WORKERS?');
    });

    it('never show a secret', () => {
      const secrets = {
        PORTICO_KEYS__ENCRYPTION: 'Kept-Away-1',
        PORTICO_KEYS__COOKIES: 'Kept-Away-2',
        PORTICO_STORE__MONGO__URL: 'mongo://user:Kept-Away-3@db',
        PORTICO_STORE__REDIS__URL: 'redi://:Kept-Away-4@db',
        PORTICO_MAIL__SMTP__URL: 'smtp//user:Kept-Away-5@mail',
        PORTICO_DIALECTS__MEDISYNC__ACCESSTOKEN__SECRET: 'Kept-Away-6',
        PORTICO_DIALECTS__MEDISYNC__ACCESSTOKEN__SIGNING: 'HS256',
      };
      const { error } = issues(() => own('federation: { google: { clientSecret: [Kept-Away-7] } }', secrets));
      expect(error.issues).to.have.lengthOf(7);
      expect(JSON.stringify(error.issues) + error.message).not.to.contain('Kept-Away');
    });

    it('include a file that is not there or cannot be read as YAML', () => {
      expect(issues(() => load({ PORTICO_CONFIG: 'gone.yaml' })).byPath.get('gone.yaml')?.message).to.equal(
        'does not exist',
      );
      const broken = write('broken.yaml', 'http: { port: 1');
      expect(issues(() => load({ PORTICO_CONFIG: broken })).byPath.get(broken)?.message).to.match(
        /^cannot be read/,
      );
      const list = write('list.yaml', '- a');
      expect(issues(() => load({ PORTICO_CONFIG: list })).byPath.get(list)?.message).to.equal(
        'must be a table of keys',
      );
    });

    it('include hostile keys', () => {
      const { byPath } = issues(() =>
        own('__proto__: { demo: true }\nconstructor: 1\nhttp: { __proto__: { a: 1 } }'),
      );
      expect(byPath).to.include.keys('__proto__', 'constructor', 'http.__proto__');
    });

    it('include an unknown NODE_ENV', () => {
      expect(issues(() => load({ NODE_ENV: 'prod' })).byPath.get('environment')?.message).to.equal(
        'must be development or production or test',
      );
      expect(issues(() => load({ NODE_ENV: '../../etc/x' })).byPath).to.include.keys('environment');
    });

    it('include two dialects that are one client, and half a configuration for Apple', () => {
      const { byPath } = issues(() =>
        own(`
dialects: { visitnote: { clientId: one }, medisync: { clientId: one } }
federation: { apple: { enabled: true, clientId: web, teamId: T }, google: { enabled: true } }
`),
      );
      expect([...byPath.keys()]).to.have.members([
        'dialects.medisync.clientId',
        'federation.apple.keyId',
        'federation.apple.privateKey',
        'federation.google.clientId',
      ]);
    });
  });

  describe('an issuer', () => {
    for (const issuer of [
      'https://id.example',
      'http://localhost:3000',
      'https://id.example:8443',
      'http://[::1]:3000',
    ]) {
      it(`${issuer} is one`, () => expect(own(`issuer: "${issuer}"`).issuer).to.equal(issuer));
    }
    for (const issuer of [
      'id.example',
      'ftp://id.example',
      'https://id.example/',
      'https://id.example/portico',
      'https://id.example?a=b',
      'https://id.example?',
      'https://id.example#x',
      'https://user:pw@id.example',
      'https://ID.example',
      'https://id.example:443',
      ' https://id.example',
    ]) {
      it(`${JSON.stringify(issuer)} is none`, () => {
        expect(issues(() => own(`issuer: "${issuer}"`)).byPath).to.have.key('issuer');
      });
    }
  });

  it('of the project is free of issues for development and test', () => {
    for (const NODE_ENV of ['development', 'test']) expect(() => load({ NODE_ENV })).not.to.throw();
    expect(load().seed[0]).to.match(/config\/seed\/demo\.yaml$/);
  });

  it('MCP6 names hosts of documents as URLs have them, and the organization of their clients', () => {
    const documents = (text: string) => `oidc: { clientIdMetadataDocuments: { ${text} } }\n`;
    const good = own(documents('hosts: [claude.ai, "localhost:8443"], organization: default'));
    expect(good.oidc.clientIdMetadataDocuments.hosts).to.deep.equal(['claude.ai', 'localhost:8443']);
    for (const host of [
      'Claude.ai',
      'https://claude.ai',
      'claude.ai/',
      'claude.ai:443',
      '*.claude.ai/x',
      '',
      'b@c.test',
    ]) {
      const { byPath } = issues(() => own(documents(`hosts: ["${host}"], organization: default`)));
      expect([...byPath.keys()].join(), host).to.contain('oidc.clientIdMetadataDocuments.hosts');
    }
    for (const hosts of ['any', '[claude.ai]']) {
      const { byPath } = issues(() => own(documents(`hosts: ${hosts}`)));
      expect(byPath.get('oidc.clientIdMetadataDocuments.organization')?.message).to.equal(
        'must be set where hosts is',
      );
    }
  });
});
