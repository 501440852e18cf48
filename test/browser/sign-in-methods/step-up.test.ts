/** Asking again and asking for more: acr_values, max_age, prompt, login_hint; and who goes on. */
import { expect } from 'chai';
import { alertOf, type Channel, DOCTOR, headingOf, MARA, openChannel } from './sign-in-server.ts';

const STEP_UP = 'urn:portico:acr:stepup';
const SINGLE = 'urn:portico:acr:single';

describe('a sign-in that asks for more', () => {
  let channel: Channel;
  before(async () => {
    channel = await openChannel();
  });
  beforeEach(() => channel.later(1000));
  after(() => channel.close());

  const signedIn = async (who = MARA) => (await channel.begin()).press('/sign-in', who);
  const cookieOf = async (
    url: string,
    session: { jar: { getCookies(url: string): Promise<{ key: string; value: string }[]> } },
  ) => (await session.jar.getCookies(url)).find(({ key }) => /session$/.test(key))?.value;

  it('O8 wants password and code for two factors, in one go', async () => {
    const visit = await (await channel.begin({ acr_values: STEP_UP })).press('/sign-in', MARA);
    expect(headingOf(visit.page)).to.equal('Check your email');
    await visit.press('/code', { code: await visit.code(MARA.login) });
    const claims = await visit.claims();
    expect(claims).to.include({ acr: STEP_UP });
    expect(claims.amr).to.have.members(['pwd', 'otp']);
  });

  it('O8 takes them in the other order too', async () => {
    const visit = await (await channel.begin({ acr_values: STEP_UP })).press('/code/send', {
      login: DOCTOR.login,
    });
    await visit.press('/code', { code: await visit.code(DOCTOR.login) });
    expect(headingOf(visit.page)).to.equal('Confirm it’s you');
    await visit.press('/password', { password: 'Wrong-Password-11' });
    expect(alertOf(visit.page)).to.contain('Wrong password');
    await visit.press('/password', { password: DOCTOR.password });
    expect(await visit.claims()).to.include({ acr: STEP_UP });
  });

  it('S1 asks who is signed in for the second proof alone, and gives the session a new id', async () => {
    const first = await signedIn();
    expect(await first.claims()).to.include({ acr: SINGLE });
    const before = await cookieOf(channel.server.url, first.session);
    const visit = await channel.begin({ acr_values: STEP_UP }, first.session);
    expect(headingOf(visit.page)).to.equal('Confirm it’s you');
    await visit.press('/code/send');
    await visit.press('/code', { code: await visit.code(MARA.login) });
    expect(await visit.claims()).to.include({ acr: STEP_UP });
    const after = await cookieOf(channel.server.url, first.session);
    expect(after).to.be.a('string').and.not.equal(before);
    const next = await channel.begin({ acr_values: STEP_UP }, first.session);
    expect(next.at).to.be.a('string');
  });

  it('S1 gives a new session id at every sign-in', async () => {
    const first = await signedIn();
    const before = await cookieOf(channel.server.url, first.session);
    const again = await (await channel.begin({ prompt: 'login' }, first.session)).press('/sign-in', MARA);
    expect(again.at).to.be.a('string');
    expect(await cookieOf(channel.server.url, first.session)).to.not.equal(before);
  });

  it('O6 a code of the first step is none for the second', async () => {
    const visit = await (await channel.begin({ acr_values: STEP_UP })).press('/code/send', {
      login: MARA.login,
    });
    const code = await visit.code(MARA.login);
    await visit.press('/another', { to: 'account' });
    await visit.press('/sign-in', MARA);
    expect(headingOf(visit.page)).to.equal('Check your email');
    await visit.press('/code', { code });
    expect(visit.page.status).to.equal(400);
  });

  it('counts in order of preference: who asks for single first gets single', async () => {
    const visit = await (await channel.begin({ acr_values: `${SINGLE} ${STEP_UP}` })).press('/sign-in', MARA);
    expect(await visit.claims()).to.include({ acr: SINGLE });
    const unknown = await (await channel.begin({ acr_values: 'urn:example:other' })).press('/sign-in', MARA);
    expect(await unknown.claims()).to.include({ acr: SINGLE });
  });

  it('takes an essential acr claim for the same wish', async () => {
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: STEP_UP } } });
    const visit = await (await channel.begin({ claims })).press('/sign-in', MARA);
    await visit.press('/code', { code: await visit.code(MARA.login) });
    expect(await visit.claims()).to.include({ acr: STEP_UP });
  });

  it('tells the app without a page when it must not ask', async () => {
    const { session } = await signedIn();
    const visit = await channel.begin({ acr_values: STEP_UP, prompt: 'none' }, session);
    expect(new URL(String(visit.at)).searchParams.get('error')).to.equal('interaction_required');
  });

  it('leads back to the app who has only one proof to give, and says why', async () => {
    const login = 'codes@clinic.test';
    const visit = await (await channel.begin({ acr_values: STEP_UP })).press('/code/send', { login });
    await visit.press('/code', { code: await visit.code(login) });
    expect(headingOf(visit.page)).to.equal('Two-step verification needed');
    await visit.press('/cancel');
    const back = new URL(String(visit.at)).searchParams;
    expect(back.get('error')).to.equal('unmet_authentication_requirements');
    expect(back.get('state')).to.equal(visit.started.state);
  });

  it('P11 max_age asks again once it has passed, and not before', async () => {
    const { session } = await signedIn();
    expect((await channel.begin({ max_age: '1000' }, session)).at).to.be.a('string');
    const visit = await channel.begin({ max_age: '0' }, session);
    expect(visit.page.body)
      .to.contain('Confirm it’s you to continue')
      .and.to.contain(`value="${MARA.login}"`);
    const before = Math.floor(Date.now() / 1000);
    await visit.press('/sign-in', MARA);
    expect(Number((await visit.claims()).auth_time)).to.be.at.least(before);
  });

  it('P11 prompt=login asks again, by any way', async () => {
    const { session } = await signedIn(DOCTOR);
    const visit = await channel.begin({ prompt: 'login' }, session);
    await visit.press('/code/send', { login: DOCTOR.login });
    await visit.press('/code', { code: await visit.code(DOCTOR.login) });
    expect((await visit.claims()).amr).to.deep.equal(['otp']);
  });

  it('P11 login_hint fills the name in', async () => {
    const visit = await channel.begin({ login_hint: 'chief@clinic.test' });
    expect(visit.page.forms[0]?.fields.login).to.equal('chief@clinic.test');
  });

  it('P11 prompt=select_account asks who goes on: the one who is signed in', async () => {
    const first = await signedIn();
    const visit = await channel.begin({ prompt: 'select_account' }, first.session);
    expect(headingOf(visit.page)).to.equal('Choose an account');
    expect(visit.page.body).to.contain('Mara Ito').and.to.contain(MARA.login);
    await visit.press('/account');
    expect((await visit.claims()).sub).to.equal((await first.claims()).sub);
  });

  it('P11 or another one, whose session takes its place', async () => {
    const first = await signedIn();
    const visit = await channel.begin({ prompt: 'select_account' }, first.session);
    await visit.press('/another');
    expect(visit.page.forms[0]?.fields.login ?? '').to.equal('');
    await visit.press('/sign-in', DOCTOR);
    expect((await visit.claims()).sub).to.equal((await channel.account(DOCTOR.login))?.id);
    const next = await channel.begin({}, first.session);
    expect((await next.claims()).sub).to.equal((await channel.account(DOCTOR.login))?.id);
  });

  it('P11 who is not signed in chooses by signing in, once', async () => {
    const visit = await (await channel.begin({ prompt: 'select_account' })).press('/sign-in', MARA);
    expect(visit.at).to.be.a('string');
    const none = await channel.begin({ prompt: 'none' });
    expect(new URL(String(none.at)).searchParams.get('error')).to.equal('login_required');
  });
});

describe('a sign-in page that an organization or a client has arranged', () => {
  let channel: Channel;
  before(async () => {
    channel = await openChannel();
  });
  after(() => channel.close());

  async function arrange(branding: Record<string, string | string[]>): Promise<void> {
    const { organizations } = channel.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, branding });
  }

  it('W7 asks for the name alone, then for its proof, and says the same of every name', async () => {
    await arrange({ sign_in: 'name-first' });
    const bodies: string[] = [];
    for (const login of [MARA.login, 'nobody@clinic.test']) {
      const visit = await channel.begin();
      expect(visit.page.forms.some(({ names }) => names.includes('password'))).to.equal(false);
      await visit.press('/name', { login });
      expect(visit.page.forms.some(({ names }) => names.includes('password'))).to.equal(true);
      bodies.push(
        visit.page.body.replaceAll(login, 'LOGIN').replace(/interaction[/=][\w-]+|value="[\w-]{40,}"/g, ''),
      );
    }
    expect(bodies[1]).to.equal(bodies[0]);
    const visit = await (await channel.begin()).press('/name', { login: MARA.login });
    await visit.press('/sign-in', { password: MARA.password });
    expect(visit.at).to.be.a('string');
  });

  it('lets the person change the name, and asks for one where there is none', async () => {
    const visit = await (await channel.begin()).press('/name', { login: 'mistyped' });
    await visit.press('/another');
    await visit.press('/name', { login: ' ' });
    expect(visit.page.status).to.equal(400);
    expect(alertOf(visit.page)).to.equal('Please enter your email or username.');
  });

  it('lets a client have it its own way', async () => {
    const { clients } = channel.server.running.stores;
    const known = await clients.byId('own-app');
    if (known === undefined) throw new Error('no client');
    await clients.put({ ...known, metadata: { ...known.metadata, sign_in: 'password' } });
    const { begin, close } = await openChannel({ folder: channel.server.folder });
    try {
      expect((await begin()).page.forms[0]?.names).to.include.members(['login', 'password']);
    } finally {
      await close();
    }
  });

  it('offers only the ways that are wanted, and takes no other', async () => {
    const all = await channel.begin();
    await arrange({ ways: ['code', 'google'] });
    const visit = await channel.begin();
    expect(visit.page.body).to.contain('/with/google').and.not.contain('/with/apple');
    expect(visit.page.forms.some(({ names }) => names.includes('password'))).to.equal(false);
    await visit.press('/code/send', { login: MARA.login });
    expect(headingOf(visit.page)).to.equal('Check your email');
    // A page from before, with the right password.
    await all.press('/name', { login: MARA.login });
    const action = `${all.page.url}/sign-in`;
    const form = all.page.forms[0];
    if (form === undefined) throw new Error('no form');
    all.at = await all.session.submit(all.page, MARA, { form: { ...form, action } });
    expect(all.page.status).to.equal(403);
    await arrange({ ways: ['google'] });
    const upstream = (await channel.begin()).page;
    expect(upstream.body).to.contain('/with/google').and.not.contain('name="login"');
    expect(upstream.body).to.not.match(/code\/send|class="or"|\/forgot/);
    await arrange({ ways: ['password'] });
    const other = await channel.begin();
    expect(other.page.body).to.not.match(/with\/|code\/send/);
    await other.session
      .submit(other.page, {}, { form: { ...form, action: `${other.page.url}/with/google` } })
      .then((page) => expect(typeof page === 'string' ? 0 : page.status).to.be.oneOf([403, 404]));
  });
});
