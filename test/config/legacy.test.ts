/** `dialects.<name>.legacy`: what is read, and what the server does not start with. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ConfigError } from '../../src/config/issues.ts';
import { loadConfig } from '../../src/config/load.ts';
import { withoutSecrets } from '../../src/config/secret.ts';
import { parseSettings } from '../../src/dialects/runtime/mounted.ts';
import { visitnote } from '../../src/dialects/visitnote/visitnote.ts';
import { plugInShapes } from '../../src/server/configuration.ts';
import { makeCertificates } from '../support/certificates.ts';

const shapes = await plugInShapes();

describe('The configuration of a legacy system', () => {
  const cwd = mkdtempSync(path.join(tmpdir(), 'portico-legacy-config-'));
  after(() => rmSync(cwd, { recursive: true, force: true }));

  const write = (name: string, content: string) => {
    writeFileSync(path.join(cwd, name), content);
    return path.join(cwd, name);
  };
  const load = (yaml: string, env: Record<string, string> = {}) =>
    loadConfig({ env: { PORTICO_CONFIG: write('portico.yaml', yaml), ...env }, cwd, ...shapes });
  const legacy = (yaml: string, env = {}) =>
    load(`dialects: { visitnote: { enabled: true, legacy: { ${yaml} } } }`, env);
  /** Paths below the table with what is wrong there. */
  function issuesOf(work: () => unknown): Record<string, string> {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return Object.fromEntries(
        error.issues.map((issue) => [issue.path.replace('dialects.visitnote.legacy.', ''), issue.message]),
      );
    }
    return {};
  }
  const settings = (yaml: string) => {
    const issues: string[] = [];
    const [mounted] = parseSettings([visitnote], legacy(yaml).dialects, issues);
    expect(issues).to.deep.equal([]);
    return mounted?.legacy;
  };

  it('has defaults for all but its URL and its stage', () => {
    expect(settings('url: "https://api.visitnote.example", stage: proxy')).to.deep.equal({
      ...{ url: 'https://api.visitnote.example', stage: 'proxy', timeout: 3000, concurrency: 32 },
      ...{ rate: { limit: 50, milliseconds: 1000 }, floor: 1000, addresses: 'unverified', roles: [] },
      ...{ learn: ['accounts', 'passwords', 'tokens'], recheck: 86_400, registration: 'hold' },
      tokens: {
        ...{ ask: 'always', algorithms: [], subject: '/sub', lifetime: 86_400, maximum: 2_678_400 },
        recheck: 900,
      },
      shadow: { sample: 1, passwords: 0.1, reads: 0, ignore: [] },
    });
    expect(settings('url: "https://a.example", stage: primary, timeout: 250ms, rate: 5/1m')).to.deep.include({
      timeout: 250,
      rate: { limit: 5, milliseconds: 60_000 },
    });
  });

  it('reads an address, an authority and headers from files, and shows no header', () => {
    const { authority } = makeCertificates();
    write('ca.pem', authority.certificate);
    write('gateway.yaml', 'x-gateway-key: canary-of-the-gateway\n');
    const yaml =
      'url: "https://a.example", stage: primary, address: "[2001:db8::9]:8443", ca_file: ca.pem, headersFile: gateway.yaml';
    const input = settings(yaml);
    expect(input).to.deep.include({
      address: { ip: '2001:db8::9', port: 8443 },
      headers: { 'x-gateway-key': 'canary-of-the-gateway' },
    });
    expect(JSON.stringify(withoutSecrets(legacy(yaml)))).not.to.include('canary');
  });

  it('is refused with all of its mistakes at once, each with its path and without a secret', () => {
    const key = execFileSync('openssl', ['genrsa', '512'], { stdio: ['ignore', 'pipe', 'ignore'] });
    write('wrong.pem', String(key));
    write('wrong-headers.yaml', 'host: evil.example\n');
    const mistakes = issuesOf(() =>
      legacy(
        [
          'url: "http://api.visitnote.example/api", stage: secondary, address: 169.254.169.254, base: api/',
          'ca_file: wrong.pem, headers_file: wrong-headers.yaml, organizations: [], timeout: soon, concurrency: 0',
          'rate: fast, floor: 0, addresses: maybe, learn: [everything], registration: open, shadow: { sample: 2 }',
          'tokens: { ask: never, algorithms: [none], until: 2020-01-01, subject: sub }',
        ].join(', '),
      ),
    );
    const tokens = ['algorithms.0', 'ask', 'subject', 'until'].map((name) => `tokens.${name}`);
    expect(Object.keys(mistakes).sort()).to.deep.equal(
      [
        ...['url', 'stage', 'address', 'base', 'ca', 'headers', 'organizations', 'timeout', 'concurrency'],
        ...['rate', 'floor', 'addresses', 'learn.0', 'registration', 'shadow.sample', ...tokens],
      ].sort(),
    );
    expect(mistakes).to.deep.include({
      url: 'must begin with https:// (plain http only on localhost)',
      address: 'must not be a link-local address (169.254.0.0/16, fe80::/10)',
      headers: 'must not name host, which each call has of its own',
      'tokens.until': 'must not be in the past',
      'tokens.ask': 'must be always where there is no key: set jwksUrl, jwksFile or secretFile',
    });
  });

  const URL_AND_STAGE = 'url: "https://a.example", stage: primary';
  for (const [yaml, where] of [
    ['url: "https://a.example/api", stage: primary', 'url'],
    ['url: "https://user:pw@a.example", stage: primary', 'url'],
    ['url: "https://169.254.169.254", stage: primary', 'url'],
    ['url: "https://[fe80::1]", stage: primary', 'url'],
    ['url: "https://a.example?x=1", stage: primary', 'url'],
    ['url: "http://localhost:3000", stage: primary', 'url'],
    [`${URL_AND_STAGE}, address: a.example`, 'address'],
    [`${URL_AND_STAGE}, address: "203.0.113.9:70000"`, 'address'],
    [`${URL_AND_STAGE}, address: "::ffff:169.254.169.254"`, 'address'],
    [`${URL_AND_STAGE}, tokens: { algorithms: [HS256] }`, 'tokens.secret'],
    [`${URL_AND_STAGE}, tokens: { algorithms: [HS256], secret: short }`, 'tokens.secret'],
    [`${URL_AND_STAGE}, tokens: { secret: ${'s'.repeat(32)} }`, 'tokens.algorithms'],
    [
      `${URL_AND_STAGE}, tokens: { algorithms: [HS256], secret: ${'s'.repeat(32)}, jwksUrl: "https://a.example/jwks" }`,
      'tokens.algorithms',
    ],
    [`${URL_AND_STAGE}, tokens: { jwksUrl: "http://a.example/jwks", algorithms: [RS256] }`, 'tokens.jwksUrl'],
    [`${URL_AND_STAGE}, tokens: { jwks: "{}", algorithms: [RS256] }`, 'tokens.jwks'],
    [`${URL_AND_STAGE}, tokens: { jwksUrl: "https://a.example/jwks" }`, 'tokens.algorithms'],
  ] as const) {
    it(`is refused: ${yaml}`, () => {
      const mistakes = issuesOf(() => legacy(yaml));
      expect(Object.keys(mistakes)).to.deep.equal([where]);
      expect(JSON.stringify(mistakes)).not.to.match(/user:pw|sssss/);
    });
  }

  it('takes plain http on this machine, but not in production', () => {
    const yaml = 'url: "http://127.0.0.1:8081", stage: primary';
    expect(issuesOf(() => legacy(yaml))).to.deep.equal({});
    expect(issuesOf(() => legacy(yaml, { NODE_ENV: 'production' }))).to.deep.include({
      url: 'must begin with https:// in production',
    });
  });

  it('is refused where the name is this server’s, unless an address says where the legacy system is', () => {
    const issuer = { PORTICO_ISSUER: 'https://a.example' };
    expect(Object.keys(issuesOf(() => legacy(URL_AND_STAGE, issuer)))).to.deep.equal(['url']);
    expect(issuesOf(() => legacy(`${URL_AND_STAGE}, address: 203.0.113.9`, issuer))).to.deep.equal({});
  });
});
