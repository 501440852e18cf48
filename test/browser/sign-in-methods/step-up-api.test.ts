/** An API that wants a stronger or fresher sign-in than the token stems from (RFC 9470), end to end. */
import { mock } from 'node:test';
import { expect } from 'chai';
import { refreshTokenGrant } from 'openid-client';
import type { Tokens } from '../../support/relying-party.ts';
import type { WebSession } from '../../support/web-session.ts';
import { type Channel, MARA, openChannel, type Visit } from './sign-in-server.ts';
import { call, introspects, readsJwts, startApi } from './step-up-api.ts';

const [JWT, OPAQUE] = ['https://ledger.test', 'https://opaque.test'];
const STEP_UP = 'urn:portico:acr:stepup';

describe('an API that asks for a stronger sign-in', () => {
  let channel: Channel;
  const apis = new Map<string, Awaited<ReturnType<typeof startApi>>>();

  before(async () => {
    const scopes = ['ledger:read'];
    channel = await openChannel({
      config: {
        oidc: {
          resources: [
            { identifier: JWT, scopes, open: true },
            { identifier: OPAQUE, scopes, open: true, format: 'opaque' },
          ],
        },
      },
    });
    apis.set(JWT, await startApi(readsJwts(channel.server.issuer, JWT)));
    apis.set(OPAQUE, await startApi(introspects(channel.party.configuration)));
  });
  afterEach(() => mock.timers.reset());
  after(async () => {
    for (const api of apis.values()) api.close();
    await channel.close();
  });

  const begin = (audience: string, session?: WebSession, extra: Record<string, string> = {}) =>
    channel.begin({ audience, scope: 'openid offline_access ledger:read', ...extra }, session);
  const tokensOf = (visit: Visit): Promise<Tokens> => channel.party.finish(visit.started, String(visit.at));
  const ask = (audience: string, { access_token: token }: { access_token: string }, path: string) =>
    call(channel.party.configuration, token, apis.get(audience)?.url + path);

  for (const [form, audience] of [
    ['JWTs', JWT],
    ['introspection', OPAQUE],
  ] as const) {
    it(`SU2 gets it by the app that heard the challenge, and by no refresh (${form})`, async () => {
      const first = await (await begin(audience)).press('/sign-in', MARA);
      const weak = await tokensOf(first);
      expect(await ask(audience, weak, '/balance')).to.deep.equal({ status: 200 });
      const refused = { status: 401, parameters: { acr_values: STEP_UP } };
      expect(await ask(audience, weak, '/transfer')).to.deep.equal(refused);

      const visit = await begin(audience, first.session, refused.parameters);
      await (await visit.press('/code/send')).press('/code', { code: await visit.code(MARA.login) });
      const strong = await tokensOf(visit);
      expect(await ask(audience, strong, '/transfer')).to.deep.equal({ status: 200 });
      expect(await ask(audience, strong, '/closing')).to.deep.equal({ status: 200 });
      // What the session has now is no word about the sign-in that the older token stems from.
      const { configuration } = channel.party;
      const renewed = await refreshTokenGrant(configuration, String(weak.refresh_token));
      expect(await ask(audience, renewed, '/transfer')).to.deep.equal(refused);
      const again = await refreshTokenGrant(configuration, String(strong.refresh_token));
      expect(await ask(audience, again, '/transfer')).to.deep.equal({ status: 200 });
    });

    it(`SU2 asks for a fresh sign-in by max_age, and for both together (${form})`, async () => {
      const first = await (await begin(audience)).press('/sign-in', MARA);
      const early = await tokensOf(first);
      expect(await ask(audience, early, '/address')).to.deep.equal({ status: 200 });
      mock.timers.enable({ apis: ['Date'], now: Date.now() + 400_000 });
      const late = await refreshTokenGrant(channel.party.configuration, String(early.refresh_token));
      expect(await ask(audience, late, '/address')).to.deep.equal({
        status: 401,
        parameters: { max_age: '300' },
      });
      const both = await ask(audience, late, '/closing');
      expect(both.parameters).to.deep.equal({ acr_values: STEP_UP, max_age: '300' });
      const visit = await begin(audience, first.session, both.parameters);
      await visit.press('/sign-in', MARA);
      await visit.press('/code', { code: await visit.code(MARA.login) });
      const fresh = await tokensOf(visit);
      for (const path of ['/address', '/closing'])
        expect(await ask(audience, fresh, path)).to.deep.equal({ status: 200 });
    });
  }
});
