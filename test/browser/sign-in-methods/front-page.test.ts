/** The first page of a sign-in: what it offers, in the order that the organization says, and where an address leads. */
import { expect } from 'chai';
import {
  answerOf,
  type Channel,
  deliver,
  headingOf,
  MARA,
  openChannel,
  type Visit,
} from './sign-in-server.ts';

describe('the first page of a sign-in', () => {
  let channel: Channel;
  before(async () => {
    channel = await openChannel({
      federation: ({ federation, openid }) => ({
        ...federation,
        openid: { keycloak: { ...openid.keycloak, domains: ['clinic.test', 'bücher.test'] } },
      }),
    });
  });
  after(() => channel.close());

  async function arrange(branding: Record<string, string | string[]>): Promise<void> {
    const { organizations } = channel.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, branding });
  }

  /** What stands on it, from top to bottom. */
  async function offered(branding: Record<string, string | string[]>): Promise<string[]> {
    await arrange(branding);
    const { body } = (await channel.begin()).page;
    const parts = /class="(or)"|name="(login|password)"|action="\/interaction\/[\w-]+\/([a-z/-]+)"/g;
    return [...body.matchAll(parts)]
      .map(([, ...found]) => String(found.find((part) => part !== undefined)))
      .filter((part) => part !== 'cancel');
  }

  it('has everything in the order that the organization says, and in a usual one where it says nothing', async () => {
    const both = ['sign-in', 'login', 'password', 'code/send'];
    const orders: [Record<string, string | string[]>, string[]][] = [
      [{}, [...both, 'or', 'with/google', 'with/apple', 'with/keycloak']],
      [{ ways: [] }, [...both, 'or', 'with/google', 'with/apple', 'with/keycloak']],
      [{ ways: ['apple', 'google', 'password', 'code'] }, ['with/apple', 'with/google', 'or', ...both]],
      [{ ways: ['google', 'password', 'apple', 'code'] }, ['with/google', 'or', ...both, 'or', 'with/apple']],
      [{ ways: ['code', 'google', 'password'] }, ['code/send', 'login', 'name', 'or', 'with/google']],
      [{ ways: ['code'] }, ['code/send', 'login']],
      [{ ways: ['google', 'google', 'nobody'] }, ['with/google']],
      [
        { ways: ['google', 'code', 'password'], sign_in: 'name-first' },
        ['with/google', 'or', 'code/send', 'login', 'name'],
      ],
      [{ sign_in: 'name-first' }, ['name', 'login', 'or', 'with/google', 'with/apple', 'with/keycloak']],
    ];
    for (const [branding, order] of orders)
      expect(await offered(branding), JSON.stringify(branding)).to.deep.equal(order);
  });

  it('sends a code at once where the code comes first, and takes the password all the same', async () => {
    await arrange({ ways: ['code', 'password'] });
    const visit = await channel.begin();
    await visit.press('/code/send', { login: MARA.login });
    expect(headingOf(visit.page)).to.equal('Check your email');
    const other = await channel.begin();
    await other.press('/name', { login: MARA.login, by: 'password' });
    await other.press('/sign-in', { password: MARA.password });
    expect(other.at).to.be.a('string');
  });

  /** Where the page that answers the name leads by itself; undefined: it does not. */
  async function ledTo(login: string): Promise<{ url: URL | undefined; visit: Visit; page: string }> {
    const visit = await (await channel.begin()).press('/name', { login });
    const { headers, body, status } = visit.page;
    expect(status).to.equal(200);
    const [, url] = (headers.get('refresh') ?? '').split('url=');
    const page = body.replace(/href="[^"]*\/authorize[^"]*"/, '');
    return { url: url === undefined ? undefined : new URL(url), visit, page };
  }

  it('leads an address to the upstream that has its domain, whether or not there is such a person', async () => {
    await arrange({ sign_in: 'name-first' });
    const { issuers } = channel.server.upstream;
    const pages = new Set<string>();
    const led = [
      MARA.login,
      'nobody@clinic.test',
      ' Mara@CLINIC.test ',
      'x@bücher.test',
      'x@xn--bcher-kva.test',
    ];
    for (const login of led) {
      const { url, page } = await ledTo(login);
      expect(url?.href, login).to.contain(`${issuers.keycloak}/authorize?`);
      expect(url?.searchParams.get('login_hint')).to.equal(login.trim());
      pages.add(page);
    }
    expect(pages.size, 'one page for all').to.equal(1);
    const others = ['mara', 'clinic.test', 'x@evil.test', 'x@clinic.test.evil.test', 'x@sub.clinic.test'];
    for (const login of others) {
      const { url, visit } = await ledTo(login);
      expect(url, login).to.equal(undefined);
      expect(visit.page.forms.some(({ names }) => names.includes('password'))).to.equal(true);
    }
    const person = { sub: 'mara-at-work', email: MARA.login, email_verified: true };
    channel.server.upstream.nextPerson('keycloak', person);
    const { url, visit } = await ledTo(MARA.login);
    const back = await deliver(visit.session, await answerOf(url?.href ?? ''));
    expect(typeof back === 'string' ? back : headingOf(back)).to.equal('You already have an account');
  });

  it('leads nowhere that the organization does not offer, and sends a code to all others where that comes first', async () => {
    await arrange({ sign_in: 'name-first', ways: ['password', 'google'] });
    expect((await ledTo(MARA.login)).url).to.equal(undefined);
    await arrange({ ways: ['code', 'keycloak', 'password'] });
    const { body } = (await channel.begin()).page;
    expect(body, 'the button promises no code').to.contain('>Continue<').and.not.contain('code/send');
    expect((await ledTo(MARA.login)).url?.pathname).to.contain('/realms/keycloak/');
    expect(headingOf((await ledTo('x@evil.test')).visit.page)).to.equal('Check your email');
    const visit = await (await channel.begin()).press('/name', { login: 'x@evil.test', by: 'password' });
    expect(visit.page.forms.some(({ names }) => names.includes('password'))).to.equal(true);
  });

  it('asks once for the address that tells the organization and the upstream', async () => {
    const { organizations, clients } = channel.server.running.stores;
    const [north, app] = [await organizations.byId('north_clinic'), await clients.byId('own-app')];
    if (north === undefined || app === undefined) throw new Error('The seed has changed.');
    const branding = { sign_in: 'name-first' };
    await organizations.put({ ...north, emailDomains: ['clinic.test'], branding });
    await clients.put({ ...app, metadata: { ...app.metadata, organizations: [north.id] } });
    const fresh = await openChannel({
      folder: channel.server.folder,
      federation: ({ openid }) => ({
        openid: { keycloak: { ...openid.keycloak, domains: ['clinic.test'] } },
      }),
    });
    try {
      const visit = await (await fresh.begin()).press('/organization', { login: 'x@clinic.test' });
      expect(visit.page.body).to.contain('value="x@clinic.test"').and.not.contain('name="password"');
      await visit.press('/name', { login: 'x@clinic.test' });
      expect(visit.page.headers.get('refresh')).to.contain('/realms/keycloak/authorize?');
    } finally {
      await fresh.close();
    }
  });
});
