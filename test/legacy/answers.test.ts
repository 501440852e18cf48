/** What a legacy system's replies are taken for (M6), what its yes is worth (M10), and what is told of it (M12). */
import { expect } from 'chai';
import type { LegacyFault } from '../support/legacy-system.ts';
import type { TestServer } from '../support/server.ts';
import { CONTEXT, kindOf, startWithLegacy } from './world.ts';

const PASSWORD = 'Canary-Password-41';
const REPLY_TEXT = 'canary-of-the-reply';

/** Each fault with the answer that it makes. Not one of them is a no. */
const FAULTS: readonly [LegacyFault, RegExp, RegExp?][] = [
  [{ kind: 'status', status: 429, headers: { 'retry-after': '7' } }, /^away: it has no time$/],
  [{ kind: 'status', status: 503 }, /^away: it has no time$/],
  [{ kind: 'status', status: 500, json: { message: REPLY_TEXT } }, /^away: status 500$/],
  [{ kind: 'status', status: 401, json: { message: REPLY_TEXT } }, /^away: 401 of another form$/],
  [{ kind: 'status', status: 200, json: { message: REPLY_TEXT } }, /^away: another form/],
  [{ kind: 'redirect', to: `http://127.0.0.1:1/${REPLY_TEXT}` }, /^away: a redirect$/],
  [{ kind: 'garbage' }, /^away: another form/],
  [
    { kind: 'misfit', json: { status: true, data: { token: 17, loginData: REPLY_TEXT } } },
    /^away: another form/,
  ],
  [{ kind: 'wrong-type' }, /^away: another form/],
  [{ kind: 'huge' }, /^away: a reply that is too large$/],
  [{ kind: 'bomb' }, /^away: an encoded reply$/],
  [{ kind: 'reset' }, /^away: the connection broke$/],
  [{ kind: 'hang' }, /^away: no reply in time$/],
  [{ kind: 'stall' }, /^away: no reply in time$/],
  [{ kind: 'another', email: 'else@clinic.test' }, /^away: two answers about two people$/],
  [
    { kind: 'another', email: 'else@clinic.test' },
    /^away: a yes that is not believed \(another address\)$/,
    /sign-in|profile/,
  ],
];

describe('An answer of a legacy system', () => {
  let world: Awaited<ReturnType<typeof startWithLegacy>>;
  before(async () => {
    world = await startWithLegacy({ legacy: { roles: ['doctor'], timeout: '1s' } });
    world.system.add('visitnote', { email: 'new@clinic.test', password: PASSWORD, last: 'Okoro' });
  });
  after(() => world.close());
  const signIn = async (password = PASSWORD, login = 'new@clinic.test') =>
    (await world.ask()).signIn?.({ login, password }, CONTEXT);

  it('M6 is a yes with the whole person, or a no, in the vendor’s own words alone', async () => {
    expect(await signIn('wrong')).to.equal('no');
    expect(await signIn(PASSWORD, 'nobody@clinic.test')).to.equal('no');
    const answer = await signIn(PASSWORD, ' New@Clinic.test ');
    if (answer === undefined || answer === 'no' || !('yes' in answer)) throw new Error(kindOf(answer));
    const { vendorId, ...yes } = answer.yes;
    expect(vendorId).to.match(/^[0-9a-f-]{36}$/);
    expect(yes).to.deep.include({ organization: 'default' });
    expect(yes.account).to.deep.include({ email: 'new@clinic.test' });
    expect(yes.account.claims).to.deep.equal({ given_name: 'Mara', family_name: 'Okoro' });
    expect(yes.account.vendor).to.deep.include({ discipline: 'PT', needs_onboarding: false });
  });

  it('M6 M10 M12 is away for everything else: never a no, never repeated, and no text of it is told', async () => {
    const before = await accountsOf(world.server);
    for (const [fault, expected, where = /sign-in/] of FAULTS) {
      // A fresh breaker for each: five faults in a row would open it.
      await signIn();
      world.system.forget();
      world.system.suffer(fault, where);
      const answer = await signIn();
      expect(kindOf(answer), fault.kind).to.match(expected);
      const posts = world.system.calls.filter(({ url }) => url.endsWith('/sign-in'));
      expect(posts, fault.kind).to.have.length(1);
      world.system.suffer(undefined);
    }
    expect(await accountsOf(world.server)).to.deep.equal(before);
    const told = world.server.logText();
    expect(told).to.include('the legacy system gave no answer').and.include('POST /sign-in');
    for (const canary of [PASSWORD, REPLY_TEXT, 'new@clinic.test', 'else@clinic.test']) {
      expect(told.includes(canary), canary).to.equal(false);
    }
  });

  it('M6 says after how many seconds it may be asked again', async () => {
    world.system.suffer({ kind: 'status', status: 429, headers: { 'retry-after': '7' } }, /sign-in/);
    expect(await signIn()).to.deep.include({ retryAfter: 7 });
    world.system.suffer(undefined);
  });

  it('M6 is asked for a second time where the question is a GET and the connection broke', async () => {
    const person = world.system.add('visitnote', { email: 'get@clinic.test' });
    const { access } = world.system.issue(person);
    world.system.forget();
    world.system.suffer({ kind: 'reset' }, /my-profile/);
    const system = await world.ask();
    expect(kindOf(await system.person?.({ token: access.value }, CONTEXT))).to.equal(
      'away: the connection broke',
    );
    expect(world.system.calls).to.have.length(2);
    world.system.suffer(undefined);
    expect(kindOf(await system.person?.({ token: access.value }, CONTEXT))).to.equal('yes');
  });

  it('M6 is away where the sign-in is good and the person is not shown', async () => {
    world.system.suffer({ kind: 'hang' }, /my-profile/);
    expect(kindOf(await signIn())).to.equal('away: no reply in time');
    world.system.suffer(
      { kind: 'status', status: 401, json: { status: false, message: 'no' } },
      /my-profile/,
    );
    expect(kindOf(await signIn())).to.equal('away: it does not know its own token');
    world.system.suffer(undefined);
  });

  it('M10 is not believed for a person of another organization, or with a role that is not let in', async () => {
    const { accounts } = world.server.running.stores;
    const lea = await accounts.byEmail('north_clinic', 'lea@x.test');
    if (lea === undefined) throw new Error('the seed has no Lea');
    const id = '11111111-2222-4333-8444-555555555555';
    await world.server.running.identity.stores.accounts.update({
      ...lea,
      aliases: { ...lea.aliases, visitnote: id },
    });
    world.system.add('visitnote', { id, email: 'lea@x.test', password: PASSWORD });
    expect(kindOf(await signIn(PASSWORD, 'lea@x.test'))).to.equal(
      'away: a yes that is not believed (another organization)',
    );
    const audited = world.server.logged.filter(
      ({ audit }) => (audit as { event?: string } | undefined)?.event === 'account.confirm',
    );
    expect(audited).not.to.have.length(0);
  });

  it('opens a session there that is ended there', async () => {
    const { tokens } = world.system.world;
    tokens.clear();
    world.system.forget();
    expect(kindOf(await signIn())).to.equal('yes');
    while (tokens.size > 0) await new Promise((done) => setTimeout(done, 5));
    const paths = world.system.calls.map(({ url }) => url.split('/').at(-1));
    expect(paths).to.deep.equal(['sign-in', 'my-profile', 'logout']);
  });
});

/** How each vendor's people are told, and in which organization. */
const VENDORS = [
  ['visitnote', 'default', {}],
  ['vsee', 'clinicdev', {}],
  ['medisync', 'default', {}],
  ['careportals', 'north_clinic', { roles: ['patient'] }],
  ['avycenna', 'default', { roles: ['doctor'] }],
] as const;

describe('A person of each vendor', () => {
  it('M10 is not confirmed with a role that the operator does not let in', async () => {
    const refused = 'away: a yes that is not believed (a role that is not let in)';
    for (const [dialect, organization, members, expected] of [
      ['avycenna', 'default', { role: 'admin' }, refused],
      ['vsee', 'clinicdev', { user_type: '100' }, refused],
      ['vsee', 'clinicdev', { user_type: '400' }, 'yes'],
    ] as const) {
      const world = await startWithLegacy({ dialect, legacy: { roles: ['doctor', '400'] } });
      const login = 'chief@legacy.test';
      world.system.add(dialect, { email: login, password: PASSWORD, members });
      const answer = await (await world.ask(organization)).signIn?.({ login, password: PASSWORD }, CONTEXT);
      expect(kindOf(answer), JSON.stringify(members)).to.equal(expected);
      await world.close();
    }
  });

  for (const [dialect, organization, legacy] of VENDORS) {
    it(`M6 is confirmed by ${dialect} with the right password alone, and by a live token`, async () => {
      const world = await startWithLegacy({ dialect, legacy });
      const { system } = world;
      const person = system.add(dialect, { email: 'new@clinic.test', password: PASSWORD });
      const asked = await world.ask(organization);
      const signIn = (password: string) => asked.signIn?.({ login: person.email, password }, CONTEXT);
      expect(await signIn('Wrong-Password-1')).to.equal('no');
      const answers = [await signIn(PASSWORD)];
      const { access } = system.issue(person);
      answers.push(await asked.person?.({ token: access.value }, CONTEXT));
      for (const answer of answers) {
        if (answer === undefined || answer === 'no' || !('yes' in answer)) throw new Error(kindOf(answer));
        expect(answer.yes.vendorId).to.equal(dialect === 'careportals' ? undefined : person.id);
        expect(answer.yes.account.email).to.equal(person.email);
        expect(answer.yes.organization).to.equal(organization);
      }
      system.world.revoke(access.value);
      expect(await asked.person?.({ token: access.value }, CONTEXT)).to.equal('no');
      await world.close();
    });
  }
});

const accountsOf = ({ running }: TestServer) => running.stores.accounts.page('default', { limit: 1000 });
