import { expect } from 'chai';
import { type Dialect, STEPS, type Step } from '../../src/dialects/contract/dialect.ts';
import type { LegacyApi } from '../../src/dialects/contract/legacy-api.ts';
import { ok } from '../../src/dialects/contract/reply.ts';
import { checkDialects, DialectsRefused } from '../../src/dialects/pipeline/validate.ts';
import { visitnote } from '../../src/dialects/visitnote/visitnote.ts';
import { startTestServer } from '../support/server.ts';
import { echo, PLAIN, probe, probeEndpoint } from './probe.ts';

const ORDER: readonly Step[] = probe({ name: 'any' }).order;

function issuesOf(dialects: readonly Dialect[], settings: Record<string, unknown> = {}): readonly string[] {
  try {
    checkDialects({ dialects, settings, reserved: (path) => path === '/token' });
    return [];
  } catch (error) {
    if (error instanceof DialectsRefused) return error.issues;
    throw error;
  }
}

const silent = { ask: () => ({ method: 'GET', path: '/' }) as const, read: () => 'no' as const };

const at = (path: string) => probeEndpoint({ ...PLAIN, path, answer: async () => ok(path) });

describe('what stops the start', () => {
  it('is nothing when all is well', () => {
    expect(issuesOf([probe({ name: 'one' }), probe({ name: 'two' })])).to.deep.equal([]);
  });

  for (const step of STEPS) {
    it(`is an order of checks that lacks '${step}'`, () => {
      const order = ORDER.filter((listed) => listed !== step);
      expect(issuesOf([probe({ name: 'one', dialect: { order } })])).to.include(
        `one: its order of checks lacks '${step}'`,
      );
    });
  }

  it('is a check that is named twice', () => {
    const issues = issuesOf([probe({ name: 'one', dialect: { order: [...ORDER, 'limits'] } })]);
    expect(issues).to.deep.equal(["one: its order of checks names 'limits' twice"]);
  });

  it('is an order in which a check cannot know what it needs', () => {
    const order: Step[] = ['fields', ...ORDER.filter((step) => step !== 'fields')];
    expect(issuesOf([probe({ name: 'one', dialect: { order } })])).to.include(
      "one: 'syntax' must come before 'fields'",
    );
  });

  it('is a guard that the dialect does not have, and one that no order names', () => {
    const guards = { idle: () => undefined };
    const order: Step[] = ['guard:missing', ...ORDER];
    expect(issuesOf([probe({ name: 'one', dialect: { order, guards } })])).to.deep.equal([
      "one: its order of checks names the guard 'missing', which it does not have",
      "one: the guard 'idle' is in no order of checks",
    ]);
  });

  it('M35 is half of what a legacy system is asked, and a form that takes anything for a token', () => {
    const legacy: LegacyApi = {
      tokenForm: /.*/,
      ...{ person: silent, sendCode: silent, singleSignOn: silent },
    };
    expect(issuesOf([probe({ name: 'one', dialect: { legacy } })])).to.have.members([
      'one: its legacy system takes too much for a token: /.*/',
      "one: its legacy system is asked neither 'signIn' nor 'code'",
      "one: its legacy system is asked one of 'sendCode' and 'code' without the other",
      "one: its legacy system is not asked 'refresh', and the dialect has refresh tokens",
      "one: its legacy system is asked 'singleSignOn', and the dialect has no API keys",
    ]);
    const refreshed = { ...legacy, tokenForm: /^t_\w+$/, signIn: silent, code: silent, refresh: silent };
    const { singleSignOn: _, ...kept } = refreshed;
    expect(issuesOf([{ ...visitnote, legacy: kept }])).to.deep.equal([
      "visitnote: its legacy system is asked 'refresh', and the dialect has no refresh tokens",
    ]);
  });

  it('is two dialects that answer one URL, with both names', () => {
    const issues = issuesOf([
      probe({ name: 'one', mount: { base: '/api', endpoints: [at('/v1/sign-in')], owns: false } }),
      probe({ name: 'two', mount: { base: '/api/v1', endpoints: [at('/sign-in')], owns: false } }),
    ]);
    expect(issues).to.have.length(1);
    expect(issues[0]).to.match(/two and one both answer POST \/api\/v1\/sign-in/);
  });

  it('is two endpoints of one dialect that answer one URL', () => {
    const issues = issuesOf([probe({ name: 'one', endpoints: [at('/users/:id'), at('/users/me')] })]);
    expect(issues.join()).to.match(/one and one both answer POST \/one\/users\/:id/);
  });

  it('is not a named segment whose form keeps the two apart', () => {
    const numbered = { ...at('/users/:id'), segments: { id: /\d+/ } };
    expect(issuesOf([probe({ name: 'one', endpoints: [numbered, at('/users/me')] })])).to.deep.equal([]);
  });

  it('is not one URL on two hosts, nor two methods of one URL', () => {
    const other = { ...at('/x'), method: 'GET' as const };
    const issues = issuesOf([
      probe({ name: 'one', mount: { base: '', hosts: ['a.test'], endpoints: [at('/x')], owns: false } }),
      probe({ name: 'two', mount: { base: '', hosts: ['b.test'], endpoints: [at('/x')], owns: false } }),
      probe({ name: 'three', mount: { base: '', endpoints: [other], owns: false } }),
    ]);
    expect(issues).to.deep.equal([]);
  });

  it('is two dialects that own one base', () => {
    const issues = issuesOf([
      probe({ name: 'one', mount: { base: '/same', endpoints: [at('/a')] } }),
      probe({ name: 'two', mount: { base: '/same', endpoints: [at('/b')] } }),
    ]);
    expect(issues).to.deep.equal(["one and two both own the base '/same'"]);
  });

  it("is an endpoint that would take one of the OpenID Connect server's", () => {
    const issues = issuesOf([
      probe({ name: 'one', mount: { base: '', endpoints: [at('/token')], owns: false } }),
    ]);
    expect(issues.join()).to.match(
      /one answers POST \/token, which is an endpoint of the OpenID Connect server/,
    );
  });

  it('is one client for two dialects', () => {
    const dialect = { clientId: () => 'shared-legacy' };
    expect(issuesOf([probe({ name: 'one', dialect }), probe({ name: 'two', dialect })])).to.deep.equal([
      "one and two both use the client 'shared-legacy'",
    ]);
  });

  it('is every issue in the settings, each with its path', () => {
    const issues = issuesOf([probe({ name: 'one' })], {
      one: { base: 'x', limits: { register: 0 }, more: 1 },
    });
    expect(issues.map((issue) => issue.split(':')[0])).to.have.members([
      'dialects.one.base',
      'dialects.one.limits.register',
      'dialects.one',
    ]);
  });

  it('stops the server itself, before it answers anything', async () => {
    const dialects = [
      probe({ name: 'one', mount: { base: '/same' } }),
      probe({ name: 'two', mount: { base: '/same' } }),
    ];
    const started = await startTestServer({ dialects }).then(
      (server) => server.close().then(() => 'started'),
      (error: unknown) => String(error),
    );
    expect(started).to.match(/one and two both answer POST \/same\/echo/);
    expect(echo.path).to.equal('/echo');
  });
});
