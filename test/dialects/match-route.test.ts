import { expect } from 'chai';
import type { Mount } from '../../src/dialects/contract/dialect.ts';
import type { Endpoint } from '../../src/dialects/contract/endpoint.ts';
import { ok } from '../../src/dialects/contract/reply.ts';
import { byPrecedence, compileMount, findRoute } from '../../src/dialects/runtime/match-route.ts';
import { PLAIN, probeEndpoint } from './probe.ts';

function on(method: Endpoint['method'], path: string, segments: Record<string, RegExp> = {}): Endpoint {
  return probeEndpoint({ ...PLAIN, method, path, segments, answer: async () => ok(path) });
}

function mount(owner: string, input: Partial<Mount>) {
  const whole: Mount = {
    base: '',
    endpoints: [],
    owns: true,
    otherMethods: 'not-found',
    head: true,
    ...input,
  };
  return compileMount(owner, whole);
}

const MOUNTS = [
  mount('short', { base: '/api', endpoints: [on('POST', '/login'), on('GET', '/v1/extra')] }),
  mount('long', {
    base: '/api/v1',
    endpoints: [on('GET', '/me'), on('DELETE', '/keys/:id')],
    otherMethods: 'method-not-allowed',
  }),
  mount('env', {
    base: '/vc/:env/api_v3',
    segments: { env: /[a-z]{1,8}/ },
    suffixes: ['.json'],
    endpoints: [on('GET', '/users/:id', { id: /\d+|-/ })],
  }),
  mount('open', { base: '', endpoints: [on('GET', '/auth')], owns: false, otherMethods: 'pass' }),
  mount('hosted', { base: '', hosts: ['clinic.test'], endpoints: [on('POST', '/auth')], owns: false }),
  mount('headless', {
    base: '/headless',
    endpoints: [on('GET', '/me')],
    head: false,
    otherMethods: 'method-not-allowed',
  }),
].sort(byPrecedence);

function ask(method: string, path: string, host = 'portico.test'): string {
  const result = findRoute(MOUNTS, { method, path, host });
  if (result === undefined) return 'nobody';
  const detail =
    result.kind === 'endpoint'
      ? JSON.stringify(result.params)
      : result.kind === 'other-method'
        ? result.allow.join()
        : '';
  return `${result.at.owner} ${result.kind} ${detail}`.trim();
}

describe('which endpoint a request means', () => {
  it('is decided by the longest base, its 404s included', () => {
    expect(ask('GET', '/api/v1/me')).to.equal('long endpoint {}');
    expect(ask('POST', '/api/login')).to.equal('short endpoint {}');
    expect(ask('GET', '/api/v1/extra')).to.equal('long unknown');
    expect(ask('GET', '/api/other')).to.equal('short unknown');
    expect(ask('GET', '/api')).to.equal('short unknown');
    expect(ask('GET', '/apiv1')).to.equal('nobody');
  });

  it('takes one trailing slash and then one suffix off', () => {
    expect(ask('GET', '/vc/next/api_v3/users/42')).to.equal('env endpoint {"env":"next","id":"42"}');
    expect(ask('GET', '/vc/next/api_v3/users/42.json')).to.equal('env endpoint {"env":"next","id":"42"}');
    expect(ask('GET', '/vc/next/api_v3/users/-.json/')).to.equal('env endpoint {"env":"next","id":"-"}');
    expect(ask('GET', '/vc/next/api_v3/users/42//')).to.equal('env unknown');
    expect(ask('GET', '/vc/next/api_v3/users/42.json.json')).to.equal('env unknown');
    expect(ask('GET', '/api/v1/me.json')).to.equal('long unknown');
  });

  it('compares paths as they were sent', () => {
    expect(ask('GET', '/api/v1/ME')).to.equal('long unknown');
    expect(ask('GET', '/api/v1/m%65')).to.equal('long unknown');
    expect(ask('GET', '/API/v1/me')).to.equal('nobody');
    expect(ask('GET', '/api//v1/me')).to.equal('short unknown');
  });

  it('decodes a named segment, and judges it whole', () => {
    expect(ask('DELETE', '/api/v1/keys/a%2Fb')).to.equal('long endpoint {"id":"a/b"}');
    expect(ask('DELETE', '/api/v1/keys/%ZZ')).to.equal('long endpoint {"id":"%ZZ"}');
    expect(ask('GET', '/vc/next/api_v3/users/x42')).to.equal('env unknown');
    expect(ask('GET', '/vc/NEXT/api_v3/users/42')).to.equal('nobody');
  });

  it('says which methods a path has', () => {
    expect(ask('PUT', '/api/v1/me')).to.equal('long other-method GET,HEAD');
    expect(ask('HEAD', '/api/v1/me')).to.equal('long endpoint {}');
    expect(ask('HEAD', '/headless/me')).to.equal('headless other-method GET');
  });

  it('leaves to others what a mount does not own', () => {
    expect(ask('GET', '/auth')).to.equal('open endpoint {}');
    expect(ask('POST', '/auth')).to.equal('nobody');
    expect(ask('GET', '/jwks')).to.equal('nobody');
  });

  it('serves bare paths on the hosts that were named, and only there', () => {
    expect(ask('POST', '/auth', 'clinic.test')).to.equal('hosted endpoint {}');
    expect(ask('GET', '/auth', 'clinic.test')).to.equal('open endpoint {}');
    expect(ask('PUT', '/auth', 'clinic.test')).to.equal('hosted other-method POST');
  });
});
