/** Several upstreams of one kind side by side, none of which is taken for another; and a second Portico as one of them. */
import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'chai';
import { ownApp, putVariants } from '../../support/clients.ts';
import { startTestServer } from '../../support/server.ts';
import {
  alertOf,
  type Channel,
  DOCTOR,
  deliver,
  headingOf,
  MARA,
  openChannel,
  type Visit,
} from './sign-in-server.ts';

const DRAWING = '<path d="M2 2h20v20z"/>';
const LOGO = `<svg viewBox="0 0 24 24">${DRAWING}</svg>`;

describe('two upstreams of one kind', () => {
  let channel: Channel;
  before(async () => {
    channel = await openChannel({
      federation: ({ federation, openid }) => ({
        ...federation,
        openid: { ...openid, ward: { ...openid.ward, title: 'Ward 7', logo: LOGO } },
      }),
    });
    await changed({ registration: true });
  });
  after(() => channel.close());

  async function changed(members: object) {
    const { organizations } = channel.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, ...members });
  }
  const person = (sub: string) => ({ sub, name: 'Ana', email: `${sub}@gmail.com`, email_verified: true });
  const come = async (provider: 'keycloak' | 'ward', who: Record<string, unknown>) =>
    (await channel.begin()).with(provider, who);

  it('N17 stand side by side, each with its own people: one subject of both is two of them', async () => {
    const visit = await channel.begin();
    for (const name of ['keycloak', 'ward', 'okta', 'entra'])
      expect(visit.page.forms.some(({ action }) => action.endsWith(`/with/${name}`))).to.equal(true);
    const [, ward = ''] = /\/with\/ward">(.*?)<\/form>/s.exec(visit.page.body) ?? [];
    expect(ward).to.contain('Continue with Ward 7').and.to.contain(`${DRAWING}</svg>`);
    expect(visit.page.body.split(DRAWING), 'on no other button').to.have.length(2);
    const nameless = { sub: 'same', name: 'Ana' };
    const [one, two] = [await come('keycloak', nameless), await come('ward', nameless)];
    const again = await come('keycloak', nameless);
    const { sub } = await one.claims();
    expect((await two.claims()).sub).to.not.equal(sub);
    expect((await again.claims()).sub).to.equal(sub);
  });

  it('N17 a hostile one cannot pass on the code of the other (mix-up, RFC 9700 4.4)', async () => {
    const { issuers } = channel.server.upstream;
    // It sends the browser on to the honest one, with the state of the sign-in that was begun with it.
    const visit = await channel.begin();
    const hostile = await visit.leave('ward', person('mixed'));
    const honest = await (await channel.begin()).leave('keycloak', person('victim'));
    const state = hostile.parameters.get('state') ?? '';
    honest.parameters.set('state', state);
    const atHonest = await deliver(visit.session, honest);
    expect(typeof atHonest === 'string' ? 0 : atHonest.status).to.equal(410);
    // Or it takes the code, and answers with it itself: the code is told to no token endpoint.
    const before = channel.server.upstream.hits('/realms/ward/token');
    for (const iss of [issuers.keycloak, undefined]) {
      const other = await channel.begin();
      const answer = await other.leave('ward', person('mixed'));
      answer.parameters.set('code', honest.parameters.get('code') ?? '');
      if (iss === undefined) answer.parameters.delete('iss');
      else answer.parameters.set('iss', iss);
      other.at = await deliver(other.session, answer);
      expect(other.page.status).to.equal(400);
      expect(alertOf(other.page)).to.contain('could not sign you in');
    }
    expect(channel.server.upstream.hits('/realms/ward/token')).to.equal(before);
    expect(await channel.account('victim@gmail.com')).to.equal(undefined);
  });

  it('N17 are offered as the organization says, and one that it does not offer is not there', async () => {
    const waiting = await channel.begin();
    await changed({ branding: { ways: ['password', 'ward'] } });
    const visit = await channel.begin();
    const offered = visit.page.forms.flatMap(({ action }) => /\/with\/(.*)$/.exec(action)?.[1] ?? []);
    await waiting.press('/with/keycloak');
    await changed({ branding: {} });
    expect(offered).to.deep.equal(['ward']);
    expect(waiting.page.status).to.equal(404);
  });
});

describe('a second Portico as upstream', () => {
  it('N16 signs its people in here by discovery and userinfo, and speaks for its domains', async () => {
    // Browsers do not tell ports of one host apart in cookies.
    const there = await startTestServer({ config: { issuer: 'http://localhost:0' } });
    const client = { clientId: 'portico-here', clientSecret: ownApp.secret };
    const entry = { issuer: there.issuer, ...client, title: 'Clinic', trustsEmail: ['clinic.test'] };
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signing = {
      ...{ issuer: there.issuer, title: 'By key', clientId: 'portico-by-key', keyId: 'k1' },
      privateKey: pair.privateKey.export({ type: 'sec1', format: 'pem' }),
    };
    const here = await openChannel({
      federation: () => ({ openid: { clinic: entry, stranger: { ...entry, trustsEmail: [] }, signing } }),
    });
    try {
      const callbacks = ['clinic', 'stranger', 'signing'].map(
        (name) => `${here.server.issuer}/federation/${name}/callback`,
      );
      await putVariants(there.running.stores.clients, ownApp, {
        [client.clientId]: { redirect_uris: callbacks },
        [signing.clientId]: {
          redirect_uris: callbacks,
          token_endpoint_auth_method: 'private_key_jwt',
          jwks: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig' }] },
        },
      });
      const come = async (name: string, who: typeof MARA): Promise<Visit> => {
        const visit = await here.begin();
        await visit.press(`/with/${name}`);
        const [, away = ''] = (visit.page.headers.get('refresh') ?? '').split('url=');
        expect(away).to.match(new RegExp(`^${there.issuer}/authorize\\?`));
        const page = await visit.session.open(away);
        if (typeof page === 'string') throw new Error(`The browser is at ${page}.`);
        expect(headingOf(page)).to.equal('Sign in');
        const until = [here.party.client.redirectUri];
        const form = page.forms.find(({ names }) => names.includes('password'));
        visit.at = await visit.session.submit(page, who, { until, ...(form && { form }) });
        // Portico leads on by a page, as forms may not lead to another site.
        for (let pages = 0; pages < 3 && typeof visit.at !== 'string'; pages += 1) {
          const [, next] = (visit.at.headers.get('refresh') ?? '').split('url=');
          if (next === undefined) break;
          visit.at = await visit.session.open(next, until);
        }
        return visit;
      };
      const claims = await (await come('clinic', MARA)).claims();
      expect(claims.sub).to.equal((await here.account(MARA.login))?.id);
      expect(claims.amr).to.deep.equal(['fed']);
      // The link holds for every entry of that issuer.
      expect((await (await come('signing', MARA)).claims()).sub).to.equal(claims.sub);
      // The same address from one that is not trusted with it: the person proves the account first.
      const asked = await come('stranger', DOCTOR);
      expect(headingOf(asked.page)).to.equal('You already have an account');
    } finally {
      await here.close();
      await there.close();
    }
  });
});
