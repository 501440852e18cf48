/** Google and Apple: the way there and back, what is bound to what, and what happens when they say no. */
import { expect } from 'chai';
import {
  alertOf,
  type Channel,
  deliver,
  freshBrowser,
  headingOf,
  MARA,
  openChannel,
} from './sign-in-server.ts';

const APPLE_NAME = { user: JSON.stringify({ name: { firstName: 'Ana', lastName: 'Reis' } }) };

describe('a sign-in with an upstream', () => {
  let channel: Channel;
  before(async () => {
    channel = await openChannel();
    const { organizations } = channel.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, registration: true });
  });
  beforeEach(() => channel.server.upstream.setDown(false));
  after(() => channel.close());

  let people = 0;
  const somebody = (more: Record<string, unknown> = {}) => {
    people += 1;
    return { sub: `person-${people}`, email: `person-${people}@gmail.com`, email_verified: true, ...more };
  };

  for (const provider of ['google', 'apple'] as const) {
    it(`O8 B2 with ${provider} opens an account at the first time and leads to it afterwards; amr says fed`, async () => {
      const person = somebody();
      const first = await (await channel.begin()).with(provider, person);
      const claims = await first.claims();
      expect(claims).to.include({ acr: 'urn:portico:acr:single' });
      expect(claims.amr).to.deep.equal(['fed']);
      const opened = { emailVerified: true, openedAt: 'hosted' };
      expect(await channel.account(person.email)).to.include({ id: claims.sub, ...opened });
      const second = await (await channel.begin()).with(provider, { ...person, email: 'moved@gmail.com' });
      expect((await second.claims()).sub).to.equal(claims.sub);
    });
  }

  it('F3 the same subject of two upstreams is two people', async () => {
    const sub = 'same-subject';
    const google = await (await channel.begin()).with('google', somebody({ sub }));
    const apple = await (await channel.begin()).with('apple', somebody({ sub }));
    expect((await google.claims()).sub).to.not.equal((await apple.claims()).sub);
  });

  it('F2 takes Apple’s texts for truth values, its relay addresses, and the name that it sends once', async () => {
    const email = 'x7k2@privaterelay.appleid.com';
    const person = { sub: 'apple-relay', email, email_verified: 'true', is_private_email: 'true' };
    const visit = await (await channel.begin()).with('apple', person, { beside: APPLE_NAME });
    const account = await channel.account(email);
    expect(account).to.include({ id: (await visit.claims()).sub, emailVerified: true });
    expect(account?.claims).to.include({ name: 'Ana Reis', given_name: 'Ana', family_name: 'Reis' });
    await (await channel.begin()).with('apple', person);
    expect((await channel.account(email))?.claims).to.include({ name: 'Ana Reis' });
  });

  it('F2 keeps Apple’s name when the first try leads nowhere, and puts it on the account of the second', async () => {
    const person = somebody({ email_verified: 'true' });
    const visit = await channel.begin();
    const answer = await visit.leave('apple', person, { beside: APPLE_NAME });
    channel.server.upstream.setDown(true);
    visit.at = await deliver(visit.session, answer);
    expect(visit.page.status).to.equal(503);
    channel.server.upstream.setDown(false);
    await visit.with('apple', person);
    expect(visit.at).to.be.a('string');
    expect((await channel.account(person.email))?.claims).to.include({ name: 'Ana Reis' });
  });

  it('F2 keeps Apple’s name over days when the account has to be proven first', async () => {
    const days = 5 * 24 * 3600;
    const fresh = await openChannel();
    try {
      await fresh.make({ email: 'owner@clinic.test' });
      const person = { sub: 'apple-owner', email: 'owner@clinic.test', email_verified: false };
      const visit = await (await fresh.begin()).with('apple', person, { beside: APPLE_NAME });
      expect(headingOf(visit.page)).to.equal('You already have an account');
      fresh.later(days);
      const iat = Math.floor(Date.now() / 1000) + days;
      const again = await (await fresh.begin()).with('apple', { ...person, iat, exp: iat + 3600 });
      await again.press('/code/send');
      await again.press('/code', { code: await again.code('owner@clinic.test') });
      expect(again.at).to.be.a('string');
      expect((await fresh.account('owner@clinic.test'))?.claims).to.include({ given_name: 'Ana' });
    } finally {
      await fresh.close();
    }
  });

  it('F6 goes there with PKCE, state and nonce of its own each time, to one address per provider', async () => {
    const visit = await channel.begin();
    const first = await visit.leave('google', somebody());
    const second = await (await channel.begin()).leave('apple', somebody());
    expect(first.callback).to.equal(`${channel.server.issuer}/federation/google/callback`);
    expect(second.callback).to.equal(`${channel.server.issuer}/federation/apple/callback`);
    expect(first.method).to.equal('GET');
    expect(second.method).to.equal('POST');
    expect(first.parameters.get('state'))
      .to.match(/^[\w-]{43}$/)
      .and.not.equal(second.parameters.get('state'));
  });

  it('F6 takes an answer once: a replayed callback signs nobody in', async () => {
    const visit = await channel.begin();
    const answer = await visit.leave('google', somebody());
    visit.at = await deliver(visit.session, answer, [channel.party.client.redirectUri]);
    expect(visit.at).to.be.a('string');
    for (const session of [visit.session, freshBrowser()]) {
      const replayed = await deliver(session, answer);
      expect(typeof replayed === 'string' ? 0 : replayed.status).to.equal(410);
    }
  });

  it('F6 of ten equal callbacks at once one is taken', async () => {
    const visit = await channel.begin();
    const { callback, parameters } = await visit.leave('google', somebody());
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => visit.session.request(`${callback}?${parameters}`)),
    );
    expect(replies.filter(({ status }) => status === 303)).to.have.length(1);
    expect(replies.filter(({ status }) => status === 410)).to.have.length(9);
  });

  it('F6 refuses the answer of one provider at the other’s address', async () => {
    for (const [from, to] of [
      ['google', 'apple'],
      ['apple', 'google'],
    ] as const) {
      const visit = await channel.begin();
      const answer = await visit.leave(from, somebody());
      const mixed = { ...answer, callback: answer.callback.replace(from, to) };
      const page = await deliver(visit.session, mixed);
      expect(typeof page === 'string' ? 0 : page.status, from).to.equal(410);
    }
  });

  it('F6 refuses a code that another issuer claims to have given (RFC 9207)', async () => {
    const visit = await channel.begin();
    const answer = await visit.leave('google', somebody());
    answer.parameters.set('iss', channel.server.upstream.issuers.apple);
    visit.at = await deliver(visit.session, answer);
    expect(visit.page.status).to.equal(400);
    expect(alertOf(visit.page)).to.contain('Google');
  });

  it('F6 S1 refuses in one browser what was begun in another, and leaves both signed out', async () => {
    const victim = freshBrowser();
    const attacker = await channel.begin();
    const answer = await attacker.leave('google', somebody());
    const page = await deliver(victim, answer);
    expect(typeof page === 'string' ? 0 : page.status).to.equal(410);
    const own = await channel.begin({}, victim);
    expect(headingOf(own.page)).to.equal('Sign in');
    // The attacker's own browser has lost the answer too.
    const back = await attacker.session.open(attacker.page.url.replace(/\/with.*/, ''));
    expect(typeof back === 'string' ? '' : headingOf(back)).to.equal('Sign in');
  });

  it('F6 S1 refuses it also when the other browser was given the interaction’s cookie', async () => {
    const attacker = await channel.begin();
    const answer = await attacker.leave('google', somebody());
    const victim = await channel.begin();
    const uid = /interaction\/[\w-]+/.exec(attacker.page.url)?.[0] ?? '';
    for (const cookie of await attacker.session.jar.getCookies(`${channel.server.url}/${uid}`)) {
      if (/sign_in_/.test(cookie.key))
        await victim.session.jar.setCookie(cookie, `${channel.server.url}/${uid}`);
    }
    const page = await deliver(victim.session, answer);
    expect(typeof page === 'string' ? 0 : page.status).to.equal(403);
  });

  it('F6 an answer finishes the interaction that it was asked for, not another of the same browser', async () => {
    const one = await channel.begin();
    const two = await channel.begin({}, one.session);
    const [answerOne, answerTwo] = [
      await one.leave('google', somebody()),
      await two.leave('apple', somebody()),
    ];
    const until = [channel.party.client.redirectUri];
    two.at = await deliver(two.session, answerTwo, until);
    expect(String(two.at)).to.contain(`state=${two.started.state}`);
    one.at = await deliver(one.session, answerOne, until);
    const pages = typeof one.at === 'string' ? [] : one.at.forms;
    // A second person in one browser: the first one is signed out on the way.
    if (typeof one.at !== 'string')
      one.at = await one.session.submit(one.at, {}, { until, form: pages[0] as never });
    expect(String(one.at)).to.contain(`state=${one.started.state}`);
  });

  it('F6 a made-up, empty, repeated or missing state leads to a page, never in', async () => {
    for (const query of [
      '',
      'state=',
      'state=made-up&code=x',
      `state=${'s'.repeat(43)}`,
      `state=${'x'.repeat(5000)}`,
    ]) {
      for (const provider of ['google', 'apple', 'github']) {
        const reply = await freshBrowser().request(
          `${channel.server.url}/federation/${provider}/callback?${query}`,
        );
        expect(reply.status, `${provider} ${query.slice(0, 20)}`).to.equal(410);
      }
    }
    const twice = await freshBrowser().request(
      `${channel.server.url}/federation/google/callback?state=a&state=b`,
    );
    expect(twice.status).to.equal(400);
  });

  it('C7 asking with HEAD uses up nothing', async () => {
    const visit = await channel.begin();
    const answer = await visit.leave('google', somebody());
    const head = await visit.session.request(`${answer.callback}?${answer.parameters}`, { method: 'HEAD' });
    expect(head.status).to.equal(405);
    visit.at = await deliver(visit.session, answer, [channel.party.client.redirectUri]);
    expect(visit.at).to.be.a('string');
  });

  it('says that the person stopped there, and offers every way again', async () => {
    for (const provider of ['google', 'apple'] as const) {
      const visit = await (await channel.begin()).with(provider, 'denied');
      expect(alertOf(visit.page)).to.match(/^Sign-in with (Google|Apple) was cancelled/);
      await visit.press('/sign-in', MARA);
      expect(visit.at).to.be.a('string');
    }
  });

  it('F8 says that an upstream does not answer, and offers the other ways', async () => {
    const visit = await channel.begin();
    const answer = await visit.leave('google', somebody());
    channel.server.upstream.setDown(true);
    visit.at = await deliver(visit.session, answer);
    expect(visit.page.status).to.equal(503);
    expect(alertOf(visit.page)).to.contain('Google is not responding');
    await visit.press('/sign-in', MARA);
    expect(visit.at).to.be.a('string');
  });

  it('F8 says so too when it is down before anybody has left', async () => {
    const fresh = await openChannel();
    try {
      fresh.server.upstream.setDown(true);
      const visit = await (await fresh.begin()).press('/with/apple');
      expect(visit.page.status).to.equal(503);
      expect(alertOf(visit.page)).to.contain('Apple is not responding');
      await visit.press('/sign-in', MARA);
      expect(visit.at).to.be.a('string');
    } finally {
      await fresh.close();
    }
  });

  it('opens no account where people may not open accounts themselves', async () => {
    const { organizations } = channel.server.running.stores;
    const known = await organizations.byId('default');
    if (known === undefined) throw new Error('no organization');
    await organizations.put({ ...known, registration: false });
    try {
      const person = somebody();
      const visit = await (await channel.begin()).with('google', person);
      expect(visit.page.status).to.equal(403);
      expect(alertOf(visit.page)).to.contain('no account here');
      expect(await channel.account(person.email)).to.equal(undefined);
    } finally {
      await organizations.put(known);
    }
  });

  it('leads into no account that is blocked', async () => {
    const person = somebody();
    await channel.make({ email: person.email, status: 'blocked' });
    const visit = await (await channel.begin()).with('google', person);
    expect(visit.page.status).to.equal(403);
    expect(alertOf(visit.page)).to.contain('could not sign you in');
  });

  it('asks the upstream to ask when the app wants a new sign-in', async () => {
    const visit = await (await channel.begin()).with('google', somebody());
    const again = await channel.begin({ prompt: 'login' }, visit.session);
    await again.press('/with/google');
    expect(again.page.headers.get('refresh')).to.contain('prompt=select_account');
  });

  it('leaves by a page that works without a script and says where it leads', async () => {
    const visit = await (await channel.begin()).press('/with/google');
    expect(headingOf(visit.page)).to.equal('Taking you to Google');
    expect(visit.page.headers.get('refresh')).to.match(/^0; url=http/);
    expect(visit.page.body).to.contain(`href="${channel.server.upstream.issuers.google}/authorize?`);
  });

  it('L2 leaves no code, state, name or token in the log', async () => {
    const visit = await channel.begin();
    const answer = await visit.leave('apple', somebody(), { beside: APPLE_NAME });
    visit.at = await deliver(visit.session, answer, [channel.party.client.redirectUri]);
    const log = channel.server.logText();
    for (const name of ['code', 'state']) expect(log).to.not.contain(answer.parameters.get(name));
    expect(log)
      .to.not.contain('Reis')
      .and.not.match(/answer=|eyJ/);
  });
});
