/**
 * N7, N12: what an organization asks of its people, what a dialect does about it, and each way into the five
 * dialects. One server for each setting; the clock leads from one policy to the next.
 */
import { mock } from 'node:test';
import { expect } from 'chai';
import type { OldClientRule } from '../../../../src/identity/factors/app-passwords.ts';
import type { AccountRecord } from '../../../../src/model/account.ts';
import type { FactorPolicy } from '../../../../src/model/factors.ts';
import type { DialectInfo } from '../../../conformance/dialect-under-test.ts';
import type { Incoming } from '../../../support/http-client.ts';
import { avycenna, visitnote } from '../../vendors.ts';
import { inDefault } from '../channels.ts';
import { PASSWORD, type World } from '../world.ts';
import { ago, app, change, DAY, later, openWith, setPolicy } from './factor-world.ts';
import { byApiKey, byCode, byGoogle, clinicSignIn, type Held, idInClinic, WAYS } from './ways-in.ts';

interface Case {
  readonly name: string;
  readonly policy: () => FactorPolicy;
  readonly hasFactor?: boolean;
  readonly roles?: readonly string[];
  /** Whether the account's own password is not enough. */
  readonly needs: boolean;
}

const CASES: readonly Case[] = [
  { name: 'optional, without a factor', policy: () => ({ require: 'optional' }), needs: false },
  { name: 'optional, with a factor', policy: () => ({ require: 'optional' }), hasFactor: true, needs: true },
  { name: 'required, in grace', policy: () => ({ require: 'required', since: ago(1) }), needs: false },
  { name: 'required, after grace', policy: () => ({ require: 'required', since: ago(20) }), needs: true },
  {
    name: 'required, with a factor',
    policy: () => ({ require: 'required', since: ago(20) }),
    ...{ hasFactor: true, needs: true },
  },
  {
    name: 'required for a role that the person has',
    policy: () => ({ require: 'required-for-roles', roles: ['surgeon'], since: ago(20) }),
    ...{ roles: ['surgeon'], needs: true },
  },
  {
    name: 'required for a role that the person lacks',
    policy: () => ({ require: 'required-for-roles', roles: ['surgeon'], since: ago(20) }),
    ...{ roles: ['nurse'], needs: false },
  },
];

const RULES: readonly OldClientRule[] = ['refuse', 'allow', 'app-passwords'];

const prepare = async (world: World, { roles = [] }: Case, index: number): Promise<Held> => {
  const clinicCode = `matrix-${index}`;
  await clinicSignIn(world, clinicCode);
  return {
    account: await world.person({ organization: 'default', roles }),
    invited: await world.person({ organization: 'default', roles, status: 'inactive', password: null }),
    clinicCode,
  };
};

/** What a client sees of a refusal: all of it but what is new in every reply. */
const seen = ({ status, headers, text }: Incoming) => {
  const { date: _, 'x-request-id': __, ...others } = headers;
  return { status, headers: others, text };
};

interface Line {
  readonly subject?: string;
  readonly outcome?: string;
  readonly detail?: { readonly channel?: string; readonly factor?: string; readonly why?: string };
}

/** Why the audit says that the person was refused at a dialect, of the latest refusal. */
function whyRefused({ server }: World, subject: string, channel: string): string | undefined {
  const lines = server.logged.flatMap(({ audit }) => (audit === undefined ? [] : [audit as Line]));
  const own = lines.filter((line) => line.subject === subject && line.detail?.channel === channel);
  return own.filter(({ outcome }) => outcome === 'refused').at(-1)?.detail?.why;
}

for (const rule of RULES) {
  describe(`dialects with factors: ${rule}`, () => {
    let world: World;
    const held = new Map<Case, Held>();
    before(async function () {
      this.timeout(60_000);
      world = await openWith(rule);
      for (const [index, one] of CASES.entries()) held.set(one, await prepare(world, one, index));
      // From here on no account is new.
      later(40 * DAY);
    });
    after(() => world.close());

    for (const one of CASES) {
      it(`N7 N12 ${one.name}: each way in is as the setting says, and a refusal is that of a wrong secret`, async function () {
        this.timeout(30_000);
        const of = held.get(one);
        if (of === undefined) throw new Error('The case has no person.');
        await setPolicy(world, one.policy());
        const ids = [of.account.id, of.invited.id, await idInClinic(world, of)];
        const factors = one.hasFactor === true && { factors: app() };
        for (const id of ids) await change(world, id, { ...factors, roles: [...(one.roles ?? [])] });
        const isOpen = rule === 'allow' || !one.needs;
        for (const way of WAYS) {
          if (isOpen) {
            const reply = await way.ask(world, of);
            expect(reply.status, `${way.name}: ${reply.text}`).to.equal(way.admitted);
            continue;
          }
          const refused = await way.wrong(world, of);
          const reply = await way.ask(world, of);
          expect(seen(reply), way.name).to.deep.equal(seen(refused));
          if (way.isSignIn === false) continue;
          const id = (await way.whose?.(world, of)) ?? of.account.id;
          expect(whyRefused(world, id, way.dialect), way.name).to.equal('factor-needed');
        }
        const { access } = await world.mint(avycenna, of.account);
        expect((await world.introspect(access)).active, 'introspection').to.equal(isOpen);
        expect(await byApiKey(world, of), 'an API key is no sign-in').to.equal(200);
        const { location } = await byGoogle(world, of);
        expect(location, 'avycenna Google').to.match(isOpen ? /^(?!.*error=)/ : /error=access_denied$/);
      });
    }
  });
}

describe('a dialect that refuses a person who lacks a factor', () => {
  let world: World;
  before(async function () {
    this.timeout(60_000);
    world = await openWith('refuse');
  });
  after(() => world.close());

  it('N12 W7 takes the work of a wrong password, whatever is wrong', async () => {
    await setPolicy(world, { require: 'required', since: ago(20), graceDays: 0 });
    const { email: login = '' } = await world.person({ organization: 'default' });
    const { hasher } = world.server.running.identity;
    const verify = mock.method(hasher, 'verify');
    try {
      const worked = async (vendor: DialectInfo, name: string, password?: string) => {
        const before = verify.mock.callCount();
        await world.signIn(vendor, name, password === undefined ? {} : { password });
        return verify.mock.callCount() - before;
      };
      for (const vendor of inDefault) {
        const { name } = vendor.dialect;
        const right = await worked(vendor, login);
        expect(right, name).to.be.greaterThan(0);
        expect(await worked(vendor, login, 'Wrong-Harbour-12'), name).to.equal(right);
        expect(await worked(vendor, 'nobody-here@matrix.test'), name).to.equal(right);
      }
    } finally {
      verify.mock.restore();
    }
  });

  it('N7 a registration opens the account, and without a grace period signs no person in', async () => {
    await setPolicy(world, { require: 'required', since: ago(20), graceDays: 0 });
    for (const [vendor, path, names] of [
      [visitnote, '/api/therapist/v1/register', { first_name: 'Vic', last_name: 'Note' }],
      [avycenna, '/api/v1/auth/register', { name: 'Dr. Ava' }],
    ] as const) {
      const email = `opened@${vendor.dialect.name}.test`;
      const reply = await world.send({ method: 'POST', path, json: { ...names, email, password: PASSWORD } });
      expect([reply.status, reply.json()]).to.deep.equal([vendor.refused.status, vendor.refused.json]);
      expect(await world.server.running.stores.accounts.byEmail('default', email)).to.include({ email });
    }
  });

  it('N14 the code of an address’s owner ends a stranger’s factor, and is not refused for it', async () => {
    await setPolicy(world, { require: 'optional' });
    const { id, email: to = '' } = await world.person({ organization: 'default', verified: false });
    await change(world, id, { factors: app(), openedAt: 'avycenna' });
    const held = { account: { email: to } as AccountRecord } as Held;
    expect((await byCode.ask(world, held)).status).to.equal(200);
    expect((await world.server.running.stores.accounts.byId(id))?.factors).to.equal(undefined);
  });
});
