/** The routes that `portico migration proxy` prints, in Debian's nginx. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { FORMATS, proxyRoutes } from '../../src/cli/migration/proxy-routes.ts';
import { loadAllDialects } from '../../src/dialects/registry.ts';
import { parseSettings } from '../../src/dialects/runtime/mounted.ts';
import { freePort, takesConnections } from '../support/ports.ts';
import { nginxProgram } from './nginx-server.ts';

const mounted = parseSettings(await loadAllDialects(), {});
const SAMPLES = [
  '123',
  'stable',
  'abc',
  'a1b2c3',
  '0f9e1d2c-3b4a-4958-8776-655443322110',
  '64b7f0c2a1d3e4f5a6b7c8d9',
];

/** A path that the pattern means. */
function sampleOf(pattern: string, forms: Readonly<Record<string, RegExp>> = {}): string {
  return pattern.replaceAll(/:(\w+)/g, (_, name) => {
    const form = forms[name];
    const fit = SAMPLES.find(
      (sample) => form === undefined || new RegExp(`^(?:${form.source})$`).test(sample),
    );
    if (fit === undefined) throw new Error(`no sample fits ${form?.source}`);
    return fit;
  });
}

async function startNamed(name: string): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ by: name, url: request.url, headers: request.headers }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

describe('the routes for a proxy in front', function () {
  this.timeout(60_000);
  let program: string;
  let portico: Server;
  let legacy: Server;
  let nginx: ChildProcess;
  let folder: string;
  let url: string;

  before(async function () {
    const result = nginxProgram();
    if (!result) return this.skip();
    program = result;
    [portico, legacy] = [await startNamed('portico'), await startNamed('legacy')];
    folder = mkdtempSync(path.join(tmpdir(), 'portico-routes-'));
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const routes = mounted.map(({ dialect, settings }) =>
      proxyRoutes('nginx', {
        dialect: dialect.name,
        mounts: dialect.mounts(settings),
        portico: originOf(portico),
        legacy: { url: 'http://api.vendor.example', address: new URL(originOf(legacy)).host },
      }),
    );
    const config = [
      ...(userInfo().uid === 0 ? ['user root;'] : []),
      'daemon off; worker_processes 1; error_log stderr;',
      `pid ${folder}/pid; events { worker_connections 256; }`,
      'http { access_log off;',
      ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (kind) => `${kind}_temp_path ${folder}/${kind};`,
      ),
      `server { listen 127.0.0.1:${port}; location / { return 404; }`,
      ...routes,
      '} }',
    ];
    writeFileSync(path.join(folder, 'nginx.conf'), config.join('\n'));
    nginx = spawn(program, ['-p', folder, '-c', path.join(folder, 'nginx.conf')], { stdio: 'inherit' });
    while (!(await takesConnections(port))) {
      if (nginx.exitCode !== null) throw new Error(`nginx ended:\n${config.join('\n')}`);
      await wait(20);
    }
  });
  after(async () => {
    if (nginx?.exitCode === null) {
      nginx.kill('SIGTERM');
      await once(nginx, 'exit');
    }
    portico?.close();
    legacy?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });

  const answered = async (method: string, target: string) => {
    const reply = await fetch(`${url}${target}`, { method });
    return reply.ok
      ? ((await reply.json()) as { by: string; url: string; headers: Record<string, string> })
      : undefined;
  };

  it('lead each endpoint of all dialects to Portico, with its query, and every other path below a base to the legacy system', async () => {
    const wrong: string[] = [];
    for (const { dialect, settings } of mounted) {
      for (const { base, segments, endpoints, owns } of dialect.mounts(settings)) {
        for (const endpoint of endpoints) {
          const target = `${sampleOf(base, segments)}${sampleOf(endpoint.path, endpoint.segments)}?a=b%20c`;
          const reply = await answered(endpoint.method, target);
          if (reply?.by !== 'portico' || reply.url !== target) wrong.push(`${endpoint.method} ${target}`);
          expect(reply?.headers['x-forwarded-for'], target).to.equal('127.0.0.1');
        }
        if (!owns) continue;
        const other = `${sampleOf(base, segments)}/patients/7/notes?q=1`;
        const reply = await answered('GET', other);
        if (reply?.by !== 'legacy' || reply.url !== other) wrong.push(`GET ${other}`);
        expect(reply?.headers.host, other).to.equal('api.vendor.example');
      }
    }
    expect(wrong).to.deep.equal([]);
    expect(await answered('GET', '/elsewhere')).to.equal(undefined);
  });

  it('lead another method of a path that is shared to the legacy system', async () => {
    const shared = mounted.flatMap(({ dialect, settings }) =>
      dialect
        .mounts(settings)
        .filter(({ otherMethods, base }) => otherMethods === 'pass' && !base.includes(':')),
    );
    const [mount] = shared;
    const target = `${mount?.base}${mount?.endpoints[0]?.path}`;
    expect((await answered('GET', target))?.by).to.equal('portico');
    expect((await answered('DELETE', target))?.by).to.equal('legacy');
  });

  it('lead everything to the legacy system while no Portico runs', async () => {
    const { dialect, settings } = mounted[0] ?? {};
    const [mount] = dialect?.mounts(settings ?? {}) ?? [];
    const target = `${mount?.base}${mount?.endpoints[0]?.path}`;
    portico.closeAllConnections();
    portico.close();
    expect((await answered(mount?.endpoints[0]?.method ?? 'GET', target))?.by).to.equal('legacy');
  });

  it('are the same for traefik and caddy, whose files can be read', () => {
    for (const { dialect, settings } of mounted) {
      const parts = {
        dialect: dialect.name,
        mounts: dialect.mounts(settings),
        portico: 'http://portico:3000',
        legacy: { url: 'https://api.vendor.example', address: '203.0.113.9:443' },
      };
      const file = parse(proxyRoutes('traefik', parts));
      const rules = Object.values<{ rule: string }>(file.http.routers).map(({ rule }) => rule);
      const patterns = rules.flatMap((rule) =>
        [...rule.matchAll(/PathRegexp\(`([^`]*)`\)/g)].map(([, each = '']) => each),
      );
      for (const pattern of patterns) expect(() => new RegExp(pattern), pattern).not.to.throw();
      for (const { base, segments, endpoints } of parts.mounts) {
        for (const endpoint of endpoints) {
          const target = `${sampleOf(base, segments)}${sampleOf(endpoint.path, endpoint.segments)}`;
          expect(
            patterns.some((pattern) => new RegExp(pattern).test(target)),
            target,
          ).to.equal(true);
        }
      }
      const caddy = proxyRoutes('caddy', parts);
      expect(caddy.match(/\{/g)?.length).to.equal(caddy.match(/\}/g)?.length);
      expect(caddy)
        .to.contain('reverse_proxy https://203.0.113.9:443')
        .and.contain('header_up Host api.vendor.example');
    }
    expect(FORMATS).to.have.lengthOf(3);
  });
});
