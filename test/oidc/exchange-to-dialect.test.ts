/** The reverse exchange (a client's own token for a dialect's), and exchanges of clients that prove a key. */
import { mock } from 'node:test';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { TOKEN_EXCHANGE } from '../../src/model/client.ts';
import { byCode, secretOf } from './api-flows.ts';
import {
  BILLING,
  dpopKey,
  exchange,
  openExchangeWorld,
  putExchanger,
  RECORDS,
  signedIn,
} from './exchange-support.ts';
import { introspect, refresh, revoke, type World } from './support.ts';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const CODE = ['authorization_code', 'refresh_token', TOKEN_EXCHANGE];

describe('token exchange', () => {
  let world: World;
  before(async () => {
    world = await openExchangeWorld();
    const apis = { [RECORDS]: ['read'] };
    await putExchanger(world, 'newer', { grant_types: CODE, exchanges_to: ['visits'], apis });
    await putExchanger(world, 'tied', {
      grant_types: CODE,
      exchanges_to: ['visits'],
      apis,
      ends_parent: true,
    });
    await putExchanger(world, 'lost', { grant_types: CODE, exchanges_to: ['unknown'], apis });
    const bound = { dpop_bound_access_tokens: true };
    await putExchanger(world, 'bound', { grant_types: CODE, exchanges_to: ['visits'], apis, ...bound });
  });
  after(() => world.close());

  const dialectOf = (token: unknown) => world.oidc.grants.findAccess(String(token), 'visits-legacy');

  async function own(clientId: string) {
    const { reply } = await byCode(world, clientId, { scope: 'openid' });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    return String(reply.body.access_token);
  }

  it('TX8 a client with exchanges_to gets a dialect’s token for its own, for no longer, told as a downgrade', async () => {
    const token = await own('newer');
    const { status, body } = await exchange(world, 'newer', { subject_token: token, audience: 'visits' });
    expect(status, JSON.stringify(body)).to.equal(200);
    expect(body).to.include({ token_type: 'Bearer', scope: 'visits', expires_in: 900 });
    expect(body).to.not.have.property('refresh_token');
    expect(await dialectOf(body.access_token)).to.deep.include({
      ...{ accountId: 'nora', organization: 'north', amr: ['pwd'], claims: { kind: 'v' } },
    });
    expect(await introspect(world, String(body.access_token))).to.include({ active: true, kind: 'v' });
    const told = world.audit.findLast(({ event }) => event === 'token.exchange');
    expect(told).to.deep.include({ outcome: 'success', clientId: 'newer', subject: 'nora' });
    expect(told?.detail).to.deep.equal({ from: 'newer', of: 'sign-in', target: 'visits', downgrade: true });
  });

  it('M28 the dialect’s token ends with the client’s own sign-in, and with ends_parent the reverse', async () => {
    for (const [by, ends] of [
      ['newer', false],
      ['tied', true],
    ] as const) {
      const token = await own(by);
      const { body } = await exchange(world, by, { subject_token: token, resource: 'visits' });
      const live = await dialectOf(body.access_token);
      await world.oidc.grants.endGrant(String(live?.grantId));
      expect(await dialectOf(body.access_token)).to.equal(undefined);
      expect((await introspect(world, token, secretOf(by))).active, by).to.equal(!ends);
    }
    const token = await own('newer');
    const { body } = await exchange(world, 'newer', { subject_token: token, resource: 'visits' });
    await revoke(world, token, secretOf('newer'));
    expect(await dialectOf(body.access_token)).to.equal(undefined);
    expect((await introspect(world, String(body.access_token))).active).to.equal(false);
  });

  it('M28 a dialect’s token that was stored while its parent ended is valid nowhere', async () => {
    const { oidcRecords } = world.stores;
    const { listByGrant } = oidcRecords;
    const { reply } = await byCode(world, 'newer', { scope: 'openid' });
    const [token, used] = [String(reply.body.access_token), String(reply.body.refresh_token)];
    expect((await refresh(world, used, {}, secretOf('newer'))).status).to.equal(200);
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 60_000 });
    let late: Record<string, unknown> = {};
    Object.assign(oidcRecords, {
      async listByGrant(...given: Parameters<typeof listByGrant>) {
        Object.assign(oidcRecords, { listByGrant });
        const none = await listByGrant(...given);
        ({ body: late } = await exchange(world, 'newer', { subject_token: token, resource: 'visits' }));
        return none;
      },
    });
    expect((await refresh(world, used, {}, secretOf('newer'))).body.error).to.equal('invalid_grant');
    mock.timers.reset();
    expect(late.access_token).to.be.a('string');
    expect(await dialectOf(late.access_token)).to.equal(undefined);
    expect((await introspect(world, String(late.access_token))).active).to.equal(false);
  });

  it('TX8 is refused for another client’s token, a bound client, an exchanged token, a scope and a JWT', async () => {
    const token = await own('newer');
    const { body: given } = await exchange(world, 'newer', { subject_token: token, resource: 'visits' });
    const { proof } = await dpopKey(world);
    const form = { subject_token: token, resource: 'visits' };
    for (const [name, by, more, error] of [
      ['another client', 'tied', {}, 'invalid_request'],
      [
        'no such dialect',
        'lost',
        { subject_token: await own('lost'), resource: 'unknown' },
        'invalid_request',
      ],
      ['a dialect that is not listed', 'lost', { subject_token: await own('lost') }, 'invalid_request'],
      ['an exchanged one', 'newer', { subject_token: String(given.access_token) }, 'invalid_request'],
      ['a scope', 'newer', { scope: 'visits' }, 'invalid_scope'],
      ['a JWT', 'newer', { requested_token_type: JWT }, 'invalid_request'],
      ['a refresh token', 'newer', { scope: 'offline_access' }, 'invalid_scope'],
    ] as const) {
      const reply = await exchange(world, by, { ...form, ...more });
      expect([reply.status, reply.body.error], name).to.deep.equal([400, error]);
    }
    const headers = { ...secretOf('bound'), DPoP: await proof() };
    const { reply } = await byCode(world, 'bound', { scope: 'openid' }, {}, { DPoP: await proof() });
    const bound = { subject_token: String(reply.body.access_token), resource: 'visits' };
    expect(reply.body.token_type).to.equal('DPoP');
    expect((await exchange(world, 'bound', bound, headers)).body.error).to.equal('invalid_target');
  });

  it('TX9 a token that belongs to a DPoP key is exchanged with a proof of that key, or by the API it was for', async () => {
    const key = await dpopKey(world);
    const other = await dpopKey(world);
    const { reply } = await byCode(world, 'newer', { scope: 'openid' }, {}, { DPoP: await key.proof() });
    expect(reply.body.token_type).to.equal('DPoP');
    const form = { subject_token: String(reply.body.access_token), resource: 'visits' };
    for (const [DPoP, status] of [
      [undefined, 400],
      [await other.proof(), 400],
      [await key.proof(), 200],
    ] as const) {
      const headers = { ...secretOf('newer'), ...(DPoP && { DPoP }) };
      expect((await exchange(world, 'newer', form, headers)).status).to.equal(status);
    }
    const ofApi = await byCode(
      world,
      'app',
      { resource: RECORDS, scope: 'openid read' },
      { form: { resource: RECORDS } },
      { DPoP: await key.proof() },
    );
    const given = { subject_token: String(ofApi.reply.body.access_token), resource: BILLING };
    expect((await exchange(world, 'backend', given)).body).to.include({ token_type: 'Bearer' });
  });

  it('TX9 the new token belongs to the key of the client, and a public client needs one', async () => {
    const key = await dpopKey(world);
    const open = { token_endpoint_auth_method: 'none', grant_types: [TOKEN_EXCHANGE, 'refresh_token'] };
    await world.putClient({
      ...{ clientId: 'own-public', traits: { firstParty: true } },
      metadata: { ...open, exchanges: [RECORDS], apis: { [BILLING]: ['read'] } },
    });
    for (const [by, headers] of [
      ['backend', secretOf('backend')],
      ['own-public', {}],
    ] as const) {
      const form = { subject_token: (await signedIn(world)).access, resource: BILLING, client_id: by };
      const DPoP = await key.proof();
      const { body } = await exchange(world, by, form, { ...headers, DPoP });
      expect(body, JSON.stringify(body)).to.include({ token_type: 'DPoP' });
      expect(decodeJwt(String(body.access_token)).cnf).to.deep.equal({ jkt: key.thumbprint });
      const again = await exchange(world, by, form, { ...headers, DPoP });
      expect(again.body.error, 'a proof twice').to.equal('invalid_dpop_proof');
    }
  });
});
