import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { expect } from 'chai';
import { eventually } from '../support/in-time.ts';
import { freePort } from '../support/ports.ts';
import { withoutSettings } from '../support/server-process.ts';
import { canStartServers, sharedServers, startRedis } from '../support/servers.ts';
import { openTerminal } from './run-portico.ts';

const root = path.join(import.meta.dirname, '../..');
/** Seconds that a start may take on a busy machine. */
const PATIENCE = 60;

describe('A server whose stores are not there yet', function () {
  this.timeout(120_000);

  /** `portico start` in production, as far as its stores let it come. */
  function started(environment: Record<string, string>) {
    const child = spawn(process.execPath, ['src/main.ts'], {
      cwd: root,
      env: {
        ...withoutSettings(process.env),
        NODE_ENV: 'production',
        PORTICO_ISSUER: 'https://id.example.org',
        PORTICO_KEYS__ENCRYPTION: randomBytes(32).toString('base64'),
        PORTICO_MAIL__FROM: 'Clinic <no-reply@example.org>',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const written: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => written.push(String(chunk)));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, ended, output: () => written.join('') };
  }

  it('waits for them, says for which, takes no connection meanwhile, and serves when they are there', async function () {
    this.timeout(300_000);
    if (!canStartServers()) return this.skip();
    const servers = await sharedServers();
    const [port, redisPort] = [await freePort(), await freePort()];
    const server = started({
      PORTICO_HTTP__PORT: String(port),
      PORTICO_STORE__MONGO__URL: servers?.mongo.url ?? '',
      PORTICO_STORE__MONGO__DATABASE: `late-${randomUUID()}`,
      PORTICO_STORE__REDIS__URL: `redis://127.0.0.1:${redisPort}`,
      PORTICO_STORE__STARTUP_TIMEOUT: '2m',
    });
    const status = (page: string) =>
      fetch(`http://127.0.0.1:${port}${page}`).then(
        (reply) => reply.status,
        () => 0,
      );
    try {
      const line = await eventually(() => {
        const [found = ''] = /^.*waiting for the store.*\n/m.exec(server.output()) ?? [];
        expect(found, server.output()).not.to.equal('');
        return found;
      }, PATIENCE);
      const said = JSON.parse(line);
      expect(said).to.include({ level: 'warn', missing: 'redis' });
      expect(said.detail).to.match(/^redis: ./);
      expect(await status('/readyz'), 'a balancer that asks nothing finds no connection').to.equal(0);
      const redis = await startRedis({ own: true, port: redisPort });
      try {
        await eventually(
          async () => expect(await status('/readyz'), server.output()).to.equal(200),
          PATIENCE,
        );
      } finally {
        server.child.kill('SIGTERM');
        expect(await server.ended).to.equal(0);
        await redis.stop();
      }
    } finally {
      server.child.kill('SIGKILL');
    }
  });

  it('gives up after store.startupTimeout, and names every server that is missing', async () => {
    const [mongoPort, redisPort] = [await freePort(), await freePort()];
    const server = started({
      PORTICO_HTTP__PORT: String(await freePort()),
      PORTICO_STORE__MONGO__URL: `mongodb://127.0.0.1:${mongoPort}`,
      PORTICO_STORE__REDIS__URL: `redis://127.0.0.1:${redisPort}`,
      PORTICO_STORE__STARTUP_TIMEOUT: '1s',
    });
    expect(await server.ended).to.equal(1);
    const words =
      server
        .output()
        .split('\n')
        .findLast((line) => line.startsWith('The ')) ?? server.output();
    expect(words).to.contain('cannot be reached').and.contain('waited 1 s');
    expect(words)
      .to.match(/mongo: [^;]*ECONNREFUSED/)
      .and.match(/redis: /);
    expect(words, 'which setting holds the address').to.contain('correct its address: store.mongo');
    expect(words, 'no stack trace').not.to.contain('    at ');
  });

  it('a command does not wait: a person watches it', async () => {
    const terminal = openTerminal({
      store: { kind: 'distributed', mongo: { url: `mongodb://127.0.0.1:${await freePort()}` } },
    });
    const begun = performance.now();
    const { code, stderr } = await terminal.run(['organization', 'list']);
    terminal.close();
    expect(code).to.equal(1);
    expect(stderr).to.contain('The mongo store cannot be reached.');
    expect(performance.now() - begun).to.be.below(20_000);
  });
});
