/** Six places at which people open accounts, and the five dialects at which they then try to come in. */
import { expect } from 'chai';
import { HEX } from '../../../src/dialects/contract/tokens.ts';
import { createApiKey } from '../../../src/identity/accounts/api-keys.ts';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import type { AccountRecord } from '../../../src/model/account.ts';
import type { DialectInfo } from '../../conformance/dialect-under-test.ts';
import { inDefault } from './channels.ts';
import { type Place, places, rolesClaim } from './openings.ts';
import { openWorld, PASSWORD, type Sent, type World } from './world.ts';

const emailAt = (place: Place) => `opened-at-${place.name}@admission.test`;

/** Requests that would have an email sent, were the account known. */
const ALPHABET: readonly (readonly [dialect: string, path: string, headers?: Sent['headers']])[] = [
  ['medisync', '/api/verification/resend'],
  ['careportals', '/patient/auth/forgot', { organization: 'default' }],
  ['avycenna', '/api/v1/auth/otp/send'],
  ['vsee', '/api_v3/users/reset_password'],
  ['vsee', '/api_v3/users/activate'],
];

describe('B2 opening an account at one place gives nothing at another', () => {
  let world: World;
  before(async function () {
    this.timeout(60_000);
    world = await openWorld();
    for (const place of places) await place.open(world, emailAt(place));
  });
  after(() => world.close());

  const accountOf = async (place: Place): Promise<AccountRecord> => {
    const result = await world.server.running.stores.accounts.byEmail('default', emailAt(place));
    if (result === undefined) throw new Error(`Nobody was opened at ${place.name}.`);
    return result;
  };
  const give = async (place: Place, roles: string[]) => {
    const { id } = await accountOf(place);
    await updateAccount(world.server.running.identity, id, (present) => ({ ...present, roles }));
  };
  /** Which dialects answer the right password with a sign-in. The others must answer as they do to strangers. */
  const admitting = async (place: Place, at = world): Promise<string[]> => {
    const admitted = await Promise.all(
      inDefault.map(async (vendor) => {
        const reply = await at.signIn(vendor, emailAt(place));
        if (reply.status === vendor.signIn.status) return [vendor.dialect.name];
        const { status, json } = vendor.refused;
        expect([reply.status, reply.json()], `${place.name}, ${vendor.dialect.name}`).to.deep.equal([
          status,
          json,
        ]);
        return [];
      }),
    );
    return admitted.flat();
  };
  const atOrganization = (place: Place) =>
    world.send({
      ...{ method: 'POST', path: '/patient/org/auth', headers: { organization: 'default' } },
      json: { username: emailAt(place), password: PASSWORD },
    });
  const own = (place: Place) => (place.name === 'hosted' ? [] : [place.name]);
  const others = (place: Place): DialectInfo[] =>
    inDefault.filter(({ dialect }) => dialect.name !== place.name);

  it('B2 a password opens the dialect where the account was opened, and no other', async () => {
    for (const place of places) {
      const { openedAt, roles } = await accountOf(place);
      expect({ openedAt, roles }).to.deep.equal({ openedAt: place.name, roles: [] });
      expect(await admitting(place), place.name).to.deep.equal(own(place));
      expect((await atOrganization(place)).status, place.name).to.equal(401);
    }
  });

  it('B2 applications are told no role that the person gave itself', async () => {
    for (const place of places) expect(await rolesClaim(world, emailAt(place)), place.name).to.deep.equal([]);
  });

  it('B2 the vendor’s own registration gives its role at that vendor alone', async () => {
    const roleAt = async (name: string) => (await accountOf(placeNamed(name))).vendor[name]?.role;
    expect(await roleAt('avycenna')).to.equal('doctor');
    expect(await roleAt('visitnote')).to.equal('clinician');
    expect(await roleAt('careportals')).to.equal('patient');
  });

  it('B2 no other dialect sends a code or a link to the account', async () => {
    for (const place of places) {
      const known = world.server.mail.emails.length;
      for (const [name, path, headers = {}] of ALPHABET) {
        if (name === place.name) continue;
        const json = { email: emailAt(place), first_name: 'Val', last_name: 'See' };
        const reply = await world.send({ method: 'POST', path, headers, json });
        expect(reply.status, reply.text).to.be.lessThan(300);
      }
      await world.server.running.identity.mailer.drain(30_000);
      expect(
        world.server.mail.emails.slice(known).map(({ subject }) => subject),
        place.name,
      ).to.deep.equal([]);
    }
  });

  it('B2 a token, a refresh token or a browser link token of before is dead at every other dialect, and for introspection', async () => {
    for (const place of places) {
      const account = await accountOf(place);
      for (const vendor of others(place)) {
        const { name } = vendor.dialect;
        const { access, refresh } = await world.mint(vendor, account);
        const me = await world.me(vendor, access);
        expect([me.status, me.json()], `${place.name} at ${name}`).to.deep.equal([
          vendor.deadToken.status,
          vendor.deadToken.json,
        ]);
        expect((await world.introspect(access)).active, `${place.name} at ${name}`).to.equal(false);
        const path = { avycenna: '/api/v1/auth/refresh', vsee: '/api_v3/tokens/refresh' }[name];
        if (path !== undefined) {
          const again = await world.send({ method: 'POST', path, json: { refresh_token: refresh } });
          expect(again.status, `${place.name} refreshes at ${name}`).to.equal(401);
        }
        if (name !== 'vsee') continue;
        const linkToken = await world.send({ method: 'GET', path: `/auth?sso_token=${access}&next=/` });
        expect(linkToken.status, `${place.name} at a browser`).to.equal(401);
      }
    }
  });

  it('B2 an API key of before is dead, at the dialect and for introspection', async () => {
    const { identity } = world.server.running;
    for (const place of places.filter(({ name }) => name !== 'avycenna')) {
      const { id } = await accountOf(place);
      const { key } = await createApiKey(identity, {
        ...{
          organization: 'default',
          vendor: 'avycenna',
          accountId: id,
          name: 'old',
          scopes: ['read:users'],
        },
        ...{
          id: { alphabet: HEX, length: 8 },
          key: { prefix: 'avk_', alphabet: HEX, length: 64 },
          limit: 20,
        },
      });
      const reply = await world.send({
        method: 'GET',
        path: '/api/v1/auth/me',
        headers: { 'x-api-key': key },
      });
      expect(reply.status, place.name).to.equal(401);
      expect((await world.introspect(key)).active, place.name).to.equal(false);
    }
  });

  it('B2 an upstream identity that is linked elsewhere is unknown here', async () => {
    const { stores } = world.server.running;
    const withGoogle = async (
      channel: 'sign-in' | 'register',
      claims: { sub: string; email: string; email_verified: boolean },
    ) => {
      const id_token = await world.server.upstream.signIdToken('google', claims);
      const json = { provider: 'google', id_token, email: claims.email, first_name: 'A', last_name: 'B' };
      return world.send({ method: 'POST', path: `/api/therapist/v1/${channel}/social`, json });
    };
    for (const place of places.filter(({ name }) => name !== 'visitnote')) {
      const { id } = await accountOf(place);
      const subject = `google-${place.name}`;
      const issuer = world.server.upstream.issuers.google;
      const link = { organization: 'default', issuer, subject, accountId: id, createdAt: new Date() };
      expect(await stores.identities.link(link)).to.equal('linked');
      const claims = { sub: subject, email: emailAt(place), email_verified: true };
      const [known, stranger] = await Promise.all([
        withGoogle('sign-in', claims),
        withGoogle('sign-in', { ...claims, sub: `nobody-${subject}` }),
      ]);
      expect([known.status, known.text], place.name).to.deep.equal([404, stranger.text]);
      const again = await withGoogle('register', claims);
      expect(again.status, place.name).to.equal(409);
      expect(await stores.identities.listByAccount(id)).to.have.length(1);
    }
  });

  it('B2 an operator’s role lets in where the dialect admits it', async () => {
    const names = inDefault.map(({ dialect }) => dialect.name);
    for (const place of places) {
      await give(place, ['doctor']);
      expect(await admitting(place), place.name).to.deep.equal(names);
      expect((await atOrganization(place)).status, place.name).to.equal(201);
      expect(await rolesClaim(world, emailAt(place))).to.deep.equal(['doctor']);
      await give(place, []);
    }
    const hosted = placeNamed('hosted');
    await give(hosted, ['patient']);
    expect(await admitting(hosted)).to.deep.equal(names.filter((name) => name !== 'visitnote'));
    expect((await atOrganization(hosted)).status).to.equal(401);
    await give(hosted, ['janitor']);
    expect(await admitting(hosted)).to.deep.equal(['visitnote', 'careportals', 'vsee']);
    await give(hosted, []);
  });

  it('B2 admitsFrom lets in from the places that it lists, and from no other', async function () {
    this.timeout(60_000);
    const open = await openWorld({
      config: {
        dialects: { medisync: { admitsFrom: ['hosted', 'vsee'] }, visitnote: { admitsFrom: ['avycenna'] } },
      },
    });
    try {
      const expected: Readonly<Record<string, string[]>> = {
        hosted: ['medisync'],
        vsee: ['medisync', 'vsee'],
        avycenna: ['visitnote', 'avycenna'],
        careportals: ['careportals'],
      };
      for (const place of places.filter(({ name }) => name in expected)) {
        await place.open(open, emailAt(place));
        expect(await admitting(place, open), place.name).to.deep.equal(expected[place.name]);
      }
    } finally {
      await open.close();
    }
  });

  it('B2 accounts that operators made come in everywhere, with and without a role', async () => {
    for (const roles of [[], ['doctor']]) {
      const { email = '' } = await world.person({ organization: 'default', roles });
      for (const vendor of inDefault) {
        const reply = await world.signIn(vendor, email);
        expect(reply.status, vendor.dialect.name).to.equal(vendor.signIn.status);
      }
    }
  });
});

const placeNamed = (name: string): Place => {
  const result = places.find((place) => place.name === name);
  if (result === undefined) throw new Error(`There is no place ${name}.`);
  return result;
};
