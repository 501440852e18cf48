/**
 * The modules of the official suite's plans that docs/certify.md names, as tests of ours: each has the suite's
 * name for it, and checks what the suite checks. The suite itself is public and not part of this project.
 */
import { expect } from 'chai';
import type { TestServer } from '../support/server.ts';
import { MODULES as BASIC } from './basic.ts';
import { MODULES as RP_LOGOUT } from './rp-logout.ts';
import { type ResponseMode, type Suite, startSuite } from './suite.ts';

describe('certification', () => {
  let server: TestServer;
  let suites: Readonly<Record<ResponseMode, Suite>>;

  before(async () => {
    ({ server, suites } = await startSuite());
  });
  after(() => server.close());

  describe('config', () => {
    it('oidcc-discovery-endpoint-verification: the metadata are whole, and true', async () => {
      const { issuer, metadata } = suites.query;
      const reply = await fetch(`${issuer}/.well-known/openid-configuration`);
      expect(reply.headers.get('content-type')).to.match(/^application\/json\b/);
      expect(metadata.issuer).to.equal(issuer);
      for (const [name, value] of Object.entries(metadata)) {
        if (/_endpoint$|_uri$/.test(name)) expect(value, name).to.match(new RegExp(`^${issuer}/`));
        if (Array.isArray(value)) expect(value, name).to.not.have.lengthOf(0);
      }
      expect(metadata).to.include.keys(
        'authorization_endpoint',
        'token_endpoint',
        'userinfo_endpoint',
        'jwks_uri',
      );
      const lists = {
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        grant_types_supported: ['authorization_code'],
        scopes_supported: ['openid'],
        claims_supported: ['sub', 'iss'],
        code_challenge_methods_supported: ['S256'],
      };
      for (const [name, members] of Object.entries(lists)) {
        expect(metadata[name], name).to.include.members(members);
      }
    });

    it('and its keys are public, of their own names, and of the algorithms that it lists', async () => {
      const { issuer, metadata } = suites.query;
      const { keys } = (await (await fetch(`${issuer}/jwks`)).json()) as { keys: Record<string, string>[] };
      expect(new Set(keys.map(({ kid }) => kid)).size).to.equal(keys.length);
      expect(keys.map(({ alg }) => alg)).to.include.members([
        ...metadata.id_token_signing_alg_values_supported,
      ]);
      for (const key of keys) expect(key).to.not.have.any.keys('d', 'p', 'q', 'dp', 'dq', 'qi', 'k');
    });
  });

  plan('basic', BASIC, 'query');
  plan('formpost-basic', BASIC, 'form_post');
  plan('rp-logout', RP_LOGOUT, 'query');

  function plan(name: string, modules: typeof BASIC, mode: ResponseMode): void {
    describe(name, () => {
      for (const [title, check] of Object.entries(modules)) it(title, () => check(suites[mode]));
    });
  }
});
