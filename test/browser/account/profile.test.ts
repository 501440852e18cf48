/** What a person says about themselves, and the address, which has to be proved. */
import { mock } from 'node:test';
import { expect } from 'chai';
import {
  type AccountWorld,
  alertOf,
  CHIEF,
  CODES,
  FRESH,
  formTo,
  MARA,
  pathOf,
  shown,
  startAccountWorld,
} from './account-world.ts';

describe('the profile page', () => {
  let world: AccountWorld;

  before(async () => {
    world = await startAccountWorld();
  });
  after(() => world.server.close());

  it('saves the standard claims, and lets them be emptied', async () => {
    const visitor = await world.signedIn(MARA);
    const saved = await visitor.send(await visitor.open('/account/profile'), '/account/profile', {
      name: 'Dr. Mara Ito',
      nickname: 'Mara',
      given_name: '',
      birthdate: '1986-02-28',
      locale: 'de-AT',
      zoneinfo: 'Europe/Vienna',
      phone_number: '+43 1 234567',
      street_address: 'Ring 1',
      locality: 'Wien',
      country: 'Österreich',
    });
    expect(saved.url).to.match(/\/account\/profile\?done=saved$/);
    expect(saved.body).to.match(/role="status"/);
    const { claims } = await world.account(MARA.login);
    expect(claims).to.deep.equal({
      name: 'Dr. Mara Ito',
      nickname: 'Mara',
      family_name: 'Ito',
      birthdate: '1986-02-28',
      locale: 'de-AT',
      zoneinfo: 'Europe/Vienna',
      phone_number: '+43 1 234567',
      address: { street_address: 'Ring 1', locality: 'Wien', country: 'Österreich' },
    });
  });

  it('names the fields that it cannot take, keeps what was entered, and saves nothing', async () => {
    const visitor = await world.signedIn({
      login: 'chief@clinic.test',
      password: 'Juniper-Harvest-Copper-55',
    });
    const before = await world.account('chief@clinic.test');
    const page = await visitor.send(await visitor.open('/account/profile'), '/account/profile', {
      nickname: 'Ivo',
      birthdate: '1986-02-31x',
      zoneinfo: 'Mars/Base',
      locale: 'not a language',
      phone_number: 'call me',
      gender: 'x'.repeat(41),
      name: 'two\nlines',
    });
    expect(page.status).to.equal(400);
    expect(alertOf(page)).to.contain('not valid');
    const wrong = [...page.body.matchAll(/id="(\w+)-wrong"/g)].map(([, name]) => name);
    expect(wrong).to.have.members(['name', 'phone_number', 'birthdate', 'gender', 'locale', 'zoneinfo']);
    expect(page.body).to.contain('value="Ivo"').and.to.contain('value="Mars/Base"');
    expect(await world.account('chief@clinic.test')).to.deep.include({ claims: before.claims });
  });

  it('F7 sets nothing that has to be proved, nor anything that is not the person’s to say', async () => {
    const visitor = world.visitor();
    await world.change('codes@clinic.test', (account) => ({
      ...account,
      emailVerified: false,
      claims: { ...account.claims, phone_number: '+49 30 1', phone_number_verified: true },
    }));
    const { id } = await world.account(CODES);
    await world.server.running.stores.accounts.byId(id);
    await world.change(CODES, (account) => ({ ...account, username: 'ek' }));
    const { setPassword } = await import('../../../src/identity/self-service/set-password.ts');
    await setPassword(world.server.running.identity, { accountId: id, password: FRESH, minimum: 12 });
    await visitor.signIn({ login: CODES, password: FRESH });
    const before = await world.account(CODES);
    const hostile = {
      ...{ email_verified: 'true', emailVerified: 'true', phone_number_verified: 'true', status: 'active' },
      ...{
        roles: 'admin',
        'roles[]': 'admin',
        organization: 'north_clinic',
        sub: 'x',
        id: 'x',
        version: '99',
      },
      ...{
        __proto__: 'x',
        constructor: 'x',
        passwordHash: 'x',
        'vendor.avycenna.role': 'admin',
        aliases: 'x',
      },
    };
    for (const [page, action] of [
      ['/account/profile', '/account/profile'],
      ['/account/address', '/account/address'],
      ['/account/password', '/account/password'],
      ['/account/keys', '/account/keys'],
    ] as const) {
      await visitor.send(await visitor.open(page), action, { ...hostile, phone_number: '+49 30 2' });
    }
    const after = await world.account(CODES);
    expect(after.emailVerified).to.equal(false);
    expect(after.claims.phone_number).to.equal('+49 30 2');
    expect(after.claims).to.not.have.property('phone_number_verified');
    for (const name of [
      'email',
      'status',
      'roles',
      'organization',
      'id',
      'passwordHash',
      'vendor',
      'aliases',
    ] as const) {
      expect(after[name], name).to.deep.equal(before[name]);
    }
  });

  it('S7 shows hostile values as text', async () => {
    const visitor = await world.signedIn(MARA);
    const payload = `"><svg onload=alert(1)><%= 7*7 %>{{7*7}}`;
    const page = await visitor.send(await visitor.open('/account/profile'), '/account/profile', {
      name: payload,
    });
    expect(page.body).to.not.contain('<svg onload').and.not.contain('49{{');
    expect((await visitor.open('/account')).body).to.not.contain('<svg onload');
    expect(formTo(page, '/account/profile').fields.name).to.equal(payload);
  });

  it('lets languages, time zones and genders be chosen by name in the language of the page, and dates from a calendar', async () => {
    const visitor = await world.signedIn(MARA);
    for (const [locale, language, area, female] of [
      ['de', 'Französisch', 'Europa', 'Weiblich'],
      ['es', 'Francés', 'Europa', 'Femenino'],
      ['en', 'French', 'Europe', 'Female'],
    ] as const) {
      await world.change(MARA.login, (account) => ({
        ...account,
        claims: {
          ...account.claims,
          locale,
          zoneinfo: 'Europe/Berlin',
          gender: 'agender',
          birthdate: '1986',
        },
      }));
      const { body } = await visitor.open('/account/profile');
      for (const name of ['locale', 'zoneinfo', 'gender'])
        expect(body).to.match(new RegExp(`<select id="${name}"`));
      expect(body).to.contain(`<option value="fr">${language}</option>`);
      expect(body)
        .to.contain(`<optgroup label="${area}">`)
        .and.contain(`<option value="female">${female}</option>`);
      expect(body).to.contain('<option value="Europe/Berlin" selected>Berlin</option>');
      // What an operator stored is offered too, and a year alone does not vanish in a field for whole dates.
      expect(body).to.contain('<option value="agender" selected>agender</option>');
      expect(body).to.match(/name="birthdate" type="text" value="1986"/);
    }
    const kept = { locale: 'en', zoneinfo: 'Europe/Berlin', gender: 'agender', birthdate: '1986' };
    const first = await visitor.open('/account/profile');
    await visitor.send(first, '/account/profile', { ...kept, nickname: 'Mimi' });
    expect((await world.account(MARA.login)).claims).to.include({ ...kept, nickname: 'Mimi' });
    const wrong = await visitor.send(first, '/account/profile', { ...kept, birthdate: '1986-02-31' });
    expect(wrong.body).to.contain('id="birthdate-wrong"');
    await visitor.send(first, '/account/profile', { ...kept, birthdate: '1986-02-28' });
    expect((await visitor.open('/account/profile')).body).to.match(
      /name="birthdate" type="date" value="1986-02-28"/,
    );
  });

  it('weighs less than 52 kB with its stylesheets and every time zone, the longest page that there is', async () => {
    const visitor = await world.signedIn(MARA);
    const { body } = await visitor.open('/account/profile');
    const sheets = [...body.matchAll(/<link rel="(?:stylesheet|icon)" href="([^"]+)"/g)].map(
      ([, href]) => href,
    );
    expect(sheets.length).to.be.above(1);
    const replies = await Promise.all(sheets.map((href) => fetch(new URL(href ?? '', world.server.url))));
    const weights = await Promise.all(replies.map(async (reply) => (await reply.arrayBuffer()).byteLength));
    const total = weights.reduce((sum, weight) => sum + weight, Buffer.byteLength(body));
    expect(total).to.be.within(10_000, 52_000);
  });

  it('keeps what somebody else changes at the same time', async () => {
    const visitor = await world.signedIn(MARA);
    const page = await visitor.open('/account/profile');
    await world.change(MARA.login, (account) => ({ ...account, roles: ['therapist'] }));
    await visitor.send(page, '/account/profile', { nickname: 'M' });
    const account = await world.account(MARA.login);
    expect(account.roles).to.deep.equal(['therapist']);
    expect(account.claims.nickname).to.equal('M');
  });
});

describe('the address page', () => {
  let world: AccountWorld;

  before(async () => {
    world = await startAccountWorld();
  });
  after(() => world.server.close());

  it('confirms the address by a code', async () => {
    const visitor = world.visitor();
    const who = { login: 'unverified@ward.test', password: 'Violet-Anchor-Timber-58' };
    await visitor.signIn(who);
    const asked = await visitor.send(await visitor.open('/account/address'), '/account/address/confirm');
    expect(asked.body).to.contain(who.login);
    const wrong = await visitor.send(asked, '/account/address/code', { code: '000 000' });
    expect(wrong.status).to.equal(400);
    const done = await visitor.send(wrong, '/account/address/code', { code: await world.codeFor(who.login) });
    expect(done.url).to.contain('done=address-confirmed');
    expect((await world.account(who.login)).emailVerified).to.equal(true);
  });

  it('changes the address when the new one is proved, and tells the old one', async () => {
    const visitor = await world.signedIn({
      login: 'n.okafor@ward.test',
      password: 'Copper-Meadow-Falcon-72',
    });
    const before = await world.account('n.okafor@ward.test');
    const page = await visitor.open('/account/address');
    const asked = await visitor.send(page, '/account/address', { email: 'Ngozi@New.test' });
    expect(await world.account('n.okafor@ward.test')).to.deep.equal(before);
    const code = await world.codeFor('ngozi@new.test');
    const done = await visitor.send(asked, '/account/address/code', { code });
    expect(done.url).to.contain('done=address-changed');
    const after = await world.account('ngozi@new.test');
    expect(after).to.include({ id: before.id, emailVerified: true });
    const letter = await world.server.mail.take('n.okafor@ward.test');
    expect(letter.subject).to.equal('Your email address was changed');
    const lines = await world.server.running.stores.audit.latest({ limit: 3, subject: before.id });
    expect(lines.map(({ event }) => event)).to.include('email.change');
    // The code is spent.
    const again = await visitor.send(asked, '/account/address/code', { code });
    expect(again.status).to.equal(400);
  });

  it('F7 proves no other address than the one that the code went to', async () => {
    const visitor = await world.signedIn(MARA);
    const page = await visitor.open('/account/address');
    const mine = await visitor.send(page, '/account/address', { email: 'mine@attacker.test' });
    const code = await world.codeFor('mine@attacker.test');
    const victim = await visitor.send(page, '/account/address', { email: 'victim@clinic.test' });
    const swapped = await visitor.send(victim, '/account/address/code', {
      code,
      email: 'victim@clinic.test',
    });
    expect(swapped.status).to.equal(400);
    const forged = await visitor.send(mine, '/account/address/code', { code, to: 'victim@clinic.test' });
    expect(pathOf(forged)).to.equal('/account/address');
    expect((await world.account(MARA.login)).email).to.equal(MARA.login);
  });

  it('O4 kills a code after five wrong tries', async () => {
    const visitor = await world.signedIn(CHIEF, '203.0.113.81');
    const page = await visitor.open('/account/address');
    const asked = await visitor.send(page, '/account/address', { email: 'guessed@new.test' });
    const code = await world.codeFor('guessed@new.test');
    const wrong = code === '111111' ? '222222' : '111111';
    for (let i = 0; i < 5; i += 1) {
      const reply = await visitor.send(asked, '/account/address/code', { code: wrong });
      expect(reply.status).to.equal(400);
    }
    expect((await visitor.send(asked, '/account/address/code', { code })).status).to.equal(400);
    expect((await world.account(CHIEF.login)).email).to.equal(CHIEF.login);
  });

  it('O2 a code lives ten minutes', async () => {
    const visitor = await world.signedIn(CHIEF, '203.0.113.82');
    const page = await visitor.open('/account/address');
    const asked = await visitor.send(page, '/account/address', { email: 'late@new.test' });
    const code = await world.codeFor('late@new.test');
    mock.timers.enable({ apis: ['Date'], now: Date.now() + 601_000 });
    const late = await visitor.send(asked, '/account/address/code', { code });
    mock.timers.reset();
    expect(late.status).to.equal(400);
    expect((await world.account(CHIEF.login)).email).to.equal(CHIEF.login);
  });

  it('B7 O5 one client address has five emails an hour sent to a mailbox, is told, and stops no other', async () => {
    const ask = async (address: string, who: typeof MARA, times: number) => {
      const visitor = await world.signedIn(who, address);
      const page = await visitor.open('/account/address');
      let last = page;
      for (let i = 0; i < times; i += 1)
        last = await visitor.send(page, '/account/address', {
          email: i % 2 ? 'flood@new.test' : 'FLOOD@new.test',
        });
      return last;
    };
    const over = await ask('203.0.113.83', CHIEF, 6);
    expect(over.status).to.equal(429);
    expect(alertOf(over)).to.equal('We cannot send more emails right now. Please try again in 60 minutes.');
    expect(pathOf(await ask('203.0.113.84', MARA, 1))).to.equal('/account/address/code');
    await world.server.running.identity.mailer.drain(30_000);
    expect(world.server.mail.emails.filter(({ to }) => to.includes('flood@new.test'))).to.have.length(6);
  });

  it("F7 takes nobody else's page for the code", async () => {
    const [mara, doctor] = [world.visitor(), world.visitor()];
    await mara.signIn(MARA);
    await doctor.signIn({ login: 'dr@clinic.test', password: 'Saffron-Glacier-Pilot-19' });
    const page = await mara.open('/account/address');
    const asked = await mara.send(page, '/account/address', { email: 'elsewhere@new.test' });
    const there = await doctor.open(new URL(asked.url).pathname + new URL(asked.url).search);
    expect(pathOf(there)).to.equal('/account/address');
    const code = await world.codeFor('elsewhere@new.test');
    const form = { ...formTo(there, '/account/address'), action: `${world.server.url}/account/address/code` };
    const to = new URL(asked.url).searchParams.get('to') ?? '';
    await doctor.session.submit(there, { to, code }, { form });
    expect((await world.account('dr@clinic.test')).email).to.equal('dr@clinic.test');
  });

  it("W7 looks the same for somebody else's address, whose owner gets an email and the person no code", async () => {
    const visitor = await world.signedIn(MARA);
    const page = await visitor.open('/account/address');
    const taken = await visitor.send(page, '/account/address', { email: 'chief@clinic.test' });
    const free = await visitor.send(page, '/account/address', { email: 'quite@free.test' });
    const look = (one: typeof taken, email: string) => ({
      status: one.status,
      body: one.body.replaceAll(email, 'EMAIL').replace(/name="to" value="[^"]+"/, 'TO'),
    });
    expect(look(taken, 'chief@clinic.test')).to.deep.equal(look(free, 'quite@free.test'));
    const letter = await world.server.mail.take('chief@clinic.test');
    expect(letter.subject).to.equal('You already have an account');
    expect(letter.text + letter.html).to.not.match(/\b\d{6}\b/);
  });

  it('X4 leaves the address to who was faster', async () => {
    const visitor = await world.signedIn(MARA);
    const page = await visitor.open('/account/address');
    const asked = await visitor.send(page, '/account/address', { email: 'race@new.test' });
    const code = await world.codeFor('race@new.test');
    await world.change('chief@clinic.test', (account) => ({ ...account, email: 'race@new.test' }));
    const late = await visitor.send(asked, '/account/address/code', { code });
    expect(late.status).to.equal(400);
    expect((await world.account(MARA.login)).email).to.equal(MARA.login);
  });

  it('says what is wrong with an address', async () => {
    const visitor = await world.signedIn(MARA);
    const page = await visitor.open('/account/address');
    const none = await visitor.send(page, '/account/address', { email: 'nobody' });
    expect(alertOf(none)).to.contain('a valid email address');
    const same = shown(await visitor.send(page, '/account/address', { email: ' MARA@clinic.test' }));
    expect(alertOf(same)).to.contain('already your email address');
  });
});
