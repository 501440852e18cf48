import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { parse } from 'yaml';
import { ConfigError } from '../../src/config/issues.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { plugInShapes } from '../../src/server/configuration.ts';
import { freePort } from '../support/ports.ts';
import { canStartServers } from '../support/servers.ts';

const root = path.join(import.meta.dirname, '../..');

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly stop_grace_period?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<
    Record<
      string,
      { readonly internal?: boolean; readonly ipam?: { readonly config: { subnet: string }[] } } | null
    >
  >;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

describe('docker-compose.yml', () => {
  const compose = parse(readFileSync(path.join(root, 'docker-compose.yml'), 'utf8')) as Compose;
  const services = Object.entries(compose.services);
  const portico = services.filter(([, { build }]) => build !== undefined);
  const dockerfile = readFileSync(path.join(root, 'Dockerfile'), 'utf8');
  /** What deploy/make-secrets.sh made, in a folder of the test's. */
  let secrets: string;
  before(async () => {
    shapes = await plugInShapes();
    secrets = mkdtempSync(path.join(tmpdir(), 'portico-compose-'));
    copyFileSync(path.join(root, 'deploy/make-secrets.sh'), path.join(secrets, 'make-secrets.sh'));
    execFileSync('sh', [path.join(secrets, 'make-secrets.sh')]);
  });
  after(() => rmSync(secrets, { recursive: true, force: true }));

  /** Where a path of the compose file is here. */
  const located = (file: string) =>
    file.startsWith('./deploy/secrets/')
      ? path.join(secrets, 'secrets', path.basename(file))
      : path.join(root, file);

  function configOf(service: Service): Config {
    const environment = Object.entries(service.environment ?? {}).map(([name, value]) => [
      name,
      value
        .replace(/\$\{\w+:-([^}]*)\}/g, '$1')
        .replace(/^\/run\/secrets\/(.*)$/, (_, secret) =>
          located(compose.secrets[secret]?.file ?? `no secret ${secret}`),
        ),
    ]);
    return loadConfig({ env: Object.fromEntries(environment), cwd: secrets, ...shapes });
  }
  let shapes: Awaited<ReturnType<typeof plugInShapes>>;

  it('names images by a version, never by "latest"', () => {
    for (const [name, { image, build }] of services) {
      if (build === undefined) expect(image, name).to.match(/^[\w./-]+:v?\d+(\.\d+)?(-[a-z]+)?$/);
      else expect(existsSync(path.join(root, build, 'Dockerfile')), name).to.equal(true);
    }
    expect(dockerfile).to.match(/^FROM node:24-\S+$/m);
  });

  it('has two nodes, and mounts and secrets that exist', () => {
    expect(portico).to.have.length(2);
    for (const [name, { volumes = [], secrets: used = [], networks = [] }] of services) {
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) expect(existsSync(located(source)), `${name}: ${source}`).to.equal(true);
        else expect(compose.volumes, name).to.have.property(source);
      }
      for (const secret of used)
        expect(existsSync(located(compose.secrets[secret]?.file ?? '')), secret).to.equal(true);
      for (const network of networks) expect(compose.networks, name).to.have.property(network);
      const read = [...JSON.stringify(compose.services[name]).matchAll(/\/run\/secrets\/([\w-]+)/g)];
      for (const [, secret] of read) expect(used, `${name} reads it`).to.include(secret);
    }
  });

  it('waits only for services that can say that they are well', () => {
    for (const [name, { depends_on = {} }] of services) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const service = compose.services[other];
        expect(condition).to.equal('service_healthy');
        const says =
          service?.healthcheck !== undefined ||
          (service?.build !== undefined && /^HEALTHCHECK/m.test(dockerfile));
        expect(says, `${name} waits for ${other}`).to.equal(true);
      }
    }
  });

  it('gives each node a configuration that production takes', () => {
    for (const [name, service] of portico) {
      const config = configOf(service);
      expect(config.environment, name).to.equal('production');
      expect(config.issuer).to.equal('https://localhost');
      expect(config.store).to.deep.include({ kind: 'distributed', startupTimeout: 60 });
      expect(config.store.mongo.url).to.match(/^mongodb:\/\/portico:[0-9a-f]{64}@mongo:27017\/\?/);
      const replicaSet = new URL(config.store.mongo.url).searchParams.get('replicaSet');
      expect(compose.services.mongo?.command?.join(' ')).to.contain(`--replSet ${replicaSet} `);
      expect(config.store.redis.url).to.match(/^redis:\/\/:[0-9a-f]{64}@redis:6379$/);
      expect(config.keys.encryption).to.match(/^[A-Za-z0-9+/]{43}=$/);
      for (const url of [config.store.mongo.url, config.store.redis.url, config.mail.smtp.url])
        expect(compose.services).to.have.property(new URL(url).hostname);
    }
  });

  it('has variables that are keys, and only those: one that is none would stop the start', () => {
    const [, service = {}] = portico[0] ?? [];
    const environment = { ...service.environment, PORTICO_STORE__MONGO__URI: 'mongodb://mongo' };
    expect(() => configOf({ ...service, environment })).to.throw(ConfigError, /PORTICO_STORE__MONGO__URI/);
  });

  it('believes forwarding headers of the network that only nginx and the nodes are on', () => {
    const subnet = compose.networks.front?.ipam?.config[0]?.subnet;
    for (const [, service] of portico) expect(configOf(service).http.trustedProxies).to.deep.equal([subnet]);
    const members = services.filter(([, { networks }]) => networks?.includes('front')).map(([name]) => name);
    expect(members).to.have.members(['nginx', ...portico.map(([name]) => name)]);
  });

  it('publishes nginx, and nothing of a node or a store', () => {
    const published = services.filter(([, { ports }]) => ports !== undefined).map(([name]) => name);
    expect(published).to.have.members(['nginx', 'mailpit']);
    expect(compose.services.mailpit?.ports).to.deep.equal(['127.0.0.1:8025:8025']);
    expect(compose.networks.back?.internal).to.equal(true);
    for (const store of ['mongo', 'redis']) expect(compose.services[store]?.networks).to.deep.equal(['back']);
  });

  it('points nginx at the nodes, on the port where they listen', () => {
    const nginx = readFileSync(path.join(root, 'deploy/nginx/portico.conf'), 'utf8');
    const upstreams = [...nginx.matchAll(/^\s*server (\S+):(\d+) /gm)].map(([, host, port]) => [
      host,
      Number(port),
    ]);
    const nodes = portico.map(([name, service]) => [name, configOf(service).http.port]);
    expect(upstreams).to.deep.equal(nodes);
    expect(dockerfile).to.contain(`EXPOSE ${nodes[0]?.[1]}\n`);
    const files = (compose.services.nginx?.volumes ?? []).map((volume) => volume.split(':')[1]);
    for (const [, file] of nginx.matchAll(/ssl_certificate(?:_key)? (\S+);/g)) expect(files).to.include(file);
  });

  it('lets nodes write nowhere but in /tmp, without rights', () => {
    for (const [, service] of portico) {
      expect(service).to.deep.include({ read_only: true, cap_drop: ['ALL'], tmpfs: ['/tmp'] });
      expect(Number.parseInt(service.stop_grace_period ?? '', 10)).to.be.greaterThan(10);
    }
  });

  it('keeps secrets from other users of the machine, and never makes them anew', () => {
    const folder = path.join(secrets, 'secrets');
    expect(statSync(folder).mode & 0o777).to.equal(0o700);
    const contents = () =>
      Object.values(compose.secrets).map(({ file }) => readFileSync(located(file), 'utf8'));
    const before = contents();
    execFileSync('sh', [path.join(secrets, 'make-secrets.sh')]);
    expect(contents()).to.deep.equal(before);
    expect(new Set(before).size, 'each another one').to.equal(before.length);
    expect(readFileSync(path.join(root, '.gitignore'), 'utf8')).to.contain('deploy/secrets/');
    expect(readFileSync(path.join(root, '.dockerignore'), 'utf8')).not.to.contain('!deploy');
  });

  it('B10 X1 lets only who knows a password into MongoDB, and the nodes nowhere but into their database', () => {
    const { command = [], environment = {}, volumes = [], healthcheck } = compose.services.mongo ?? {};
    // A replica set without a key for its members would not ask anybody (and does not start with --auth).
    expect(command.join(' ')).to.match(/ --keyFile \S+$/);
    expect(environment).to.deep.equal({
      MONGO_INITDB_ROOT_USERNAME: 'root',
      MONGO_INITDB_ROOT_PASSWORD_FILE: '/run/secrets/mongo-root-password',
    });
    expect(healthcheck?.test.at(-1)).to.contain('.auth("root", password)');
    const [script = ''] = volumes.filter((volume) => volume.includes('/docker-entrypoint-initdb.d/'));
    const created: unknown[] = [];
    runInNewContext(readFileSync(located(script.split(':')[0] ?? ''), 'utf8'), {
      db: { getSiblingDB: (at: string) => ({ createUser: (user: object) => created.push({ at, ...user }) }) },
      require: () => ({
        readFileSync: (file: string) =>
          readFileSync(located(`./deploy/secrets/${path.basename(file)}`), 'utf8'),
      }),
    });
    const [, service = {}] = portico[0] ?? [];
    const { mongo } = configOf(service).store;
    const { username, password, searchParams } = new URL(mongo.url);
    expect(JSON.parse(JSON.stringify(created))).to.deep.equal([
      {
        at: searchParams.get('authSource'),
        user: username,
        pwd: password,
        roles: [{ role: 'readWrite', db: mongo.database }],
      },
    ]);
  });

  it('starts a Redis that forgets nothing for want of room, and asks for the password that nodes have', async function () {
    if (!canStartServers()) return this.skip();
    const port = await freePort();
    const data = path.join(secrets, 'data');
    mkdirSync(data);
    const [shell = '', flag = '', line = ''] = compose.services.redis?.command ?? [];
    const own = line
      .replace('$$', '$')
      .replace('/run/secrets/redis-password', located('./deploy/secrets/redis-password'))
      .replace('--dir /data', `--dir ${data} --port ${port} --bind 127.0.0.1`);
    const child = spawn(shell, [flag, own], { stdio: 'ignore' });
    const url = readFileSync(located('./deploy/secrets/redis-url'), 'utf8')
      .trim()
      .replace('redis:6379', `127.0.0.1:${port}`);
    const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => 100, maxRetriesPerRequest: 50 });
    const stranger = new Redis(port, { lazyConnect: true, retryStrategy: () => null });
    stranger.on('error', () => {});
    redis.on('error', () => {});
    try {
      for (const [name, value] of [
        ['maxmemory-policy', 'noeviction'],
        ['appendonly', 'yes'],
        ['appendfsync', 'everysec'],
      ] as const)
        expect(await redis.config('GET', name)).to.deep.equal([name, value]);
      expect(await stranger.get('x').catch((error: Error) => error.message)).to.match(/NOAUTH|closed/);
    } finally {
      redis.disconnect();
      stranger.disconnect();
      child.kill('SIGKILL');
      await once(child, 'exit');
      await wait(0);
    }
  });
});
