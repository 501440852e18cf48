/** prompt=create (Initiating User Registration via OpenID Connect): an app sends people to open an account. */
import { expect } from 'chai';
import { clinicdevApp, ownApp, webAppPost } from '../../support/clients.ts';
import { type RelyingParty, relyingParty, type Started } from '../../support/relying-party.ts';
import type { Page } from '../../support/web-session.ts';
import {
  type AccountWorld,
  FRESH,
  formTo,
  MARA,
  pathOf,
  shown,
  startAccountWorld,
  type Visitor,
} from './account-world.ts';

const UNTIL = [ownApp, clinicdevApp, webAppPost].map(({ redirectUri }) => redirectUri);

describe('prompt=create', () => {
  let world: AccountWorld;
  let party: RelyingParty;
  let visitors = 0;

  before(async () => {
    const registration = { mode: 'open', organization: 'clinicdev' } as const;
    world = await startAccountWorld({ config: { oidc: { registration } } });
    await world.openRegistration();
    party = await relyingParty(world.server.issuer, ownApp);
  });
  after(() => world.server.close());

  const newVisitor = () => world.visitor(`198.51.100.${++visitors}`);

  async function ask({ session }: Visitor, extra: Record<string, string> = {}, at = party) {
    const started = await at.begin({ prompt: 'create', ...extra });
    return { started, first: await session.open(started.url, UNTIL) };
  }

  async function register(visitor: Visitor, page: Page, email: string): Promise<string> {
    expect(pathOf(page)).to.match(/\/register$/);
    const fields = { email, name: 'Nia New', password: FRESH };
    const next = shown(await visitor.session.submit(page, fields));
    const code = await world.codeFor(email);
    const arrived = await visitor.session.submit(next, { code }, { until: UNTIL });
    if (typeof arrived === 'string') return arrived;
    const allow = arrived.forms.find(({ fields }) => fields.decision === 'allow');
    return String(await visitor.session.submit(arrived, {}, { until: UNTIL, ...(allow && { form: allow }) }));
  }

  const subjectOf = async (started: Started, callback: string) =>
    (await party.finish(started, callback)).claims()?.sub;

  /** Who is signed in with this browser, as an app hears without a page. */
  async function silently({ session }: Visitor): Promise<string | undefined> {
    const started = await party.begin({ prompt: 'none' });
    return subjectOf(started, String(await session.open(started.url, UNTIL)));
  }

  it('SU3 leads to the registration page, and by it to the app, whatever prompts stand beside it', async () => {
    const beside = ['create', 'create login', 'create consent', 'create select_account'];
    for (const extra of [...beside.map((prompt) => ({ prompt })), { max_age: '0' }]) {
      const visitor = newVisitor();
      const { started, first } = await ask(visitor, extra);
      const email = `nia-${visitors}@new.test`;
      const reply = await register(visitor, shown(first), email);
      expect(await subjectOf(started, reply), JSON.stringify(extra)).to.equal(
        (await world.account(email)).id,
      );
    }
    const { first } = await ask(newVisitor(), { prompt: 'create none' });
    expect(new URL(String(first)).searchParams.get('error')).to.equal('invalid_request');
  });

  it('SU3 lets a person sign in who has an account already, also after a wrong password', async () => {
    const visitor = newVisitor();
    const { started, first } = await ask(visitor);
    const back = /class="links"><a href="([^"]+)"/.exec(shown(first).body)?.[1] ?? '';
    const signIn = await visitor.open(back);
    const wrong = shown(await visitor.session.submit(signIn, { ...MARA, password: 'Not-Hers-At-All-11' }));
    expect(wrong.status).to.equal(400);
    const callback = String(await visitor.session.submit(wrong, MARA, { until: UNTIL }));
    expect(await subjectOf(started, callback)).to.equal((await world.account(MARA.login)).id);
  });

  it('SU3 asks first where a person is signed in, whose sign-in ends with the new account and not before', async () => {
    const visitor = newVisitor();
    await visitor.signIn(MARA);
    const mara = (await world.account(MARA.login)).id;
    const { started: kept, first: choice } = await ask(visitor);
    expect(shown(choice).body)
      .to.include('Mara')
      .and.include('Opening a new account signs this one out here.');
    const goOn = { until: UNTIL, form: formTo(shown(choice), /\/account$/) };
    expect(await subjectOf(kept, String(await visitor.session.submit(shown(choice), {}, goOn)))).to.equal(
      mara,
    );

    const { started, first } = await ask(visitor, { prompt: 'create select_account' });
    const opened = shown(
      await visitor.session.submit(shown(first), {}, { form: formTo(shown(first), /\/another$/) }),
    );
    expect(pathOf(opened)).to.match(/\/register$/);
    expect(await silently(visitor)).to.equal(mara);
    const reply = await register(visitor, opened, 'other@new.test');
    const other = (await world.account('other@new.test')).id;
    expect(await subjectOf(started, reply)).to.equal(other);
    expect(await silently(visitor)).to.equal(other);
  });

  it('SU3 asks for the organization first, whose word counts', async () => {
    const { clients } = world.server.running.stores;
    const client = await clients.byId(webAppPost.clientId);
    if (client === undefined) throw new Error('The client is gone.');
    await clients.put({
      ...client,
      metadata: { ...client.metadata, organizations: 'all', choose_organization: 'list' },
    });
    const several = await relyingParty(world.server.issuer, webAppPost);
    const choose = async (organization: string) => {
      const visitor = newVisitor();
      const { first } = await ask(visitor, {}, several);
      const form = formTo(shown(first), /\/organization$/);
      return visitor.session.submit(shown(first), { organization }, { form, until: UNTIL });
    };
    expect(pathOf(shown(await choose('default')))).to.match(/\/register$/);
    const refused = new URL(String(await choose('clinicdev'))).searchParams;
    expect(refused.get('error')).to.equal('access_denied');
  });

  it('SU3 is refused on a page where the client registered itself, and no person was asked anything', async () => {
    const reply = await fetch(`${world.server.issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Bait', redirect_uris: [clinicdevApp.redirectUri] }),
    });
    const { client_id: clientId, client_secret: secret } = Object(await reply.json());
    const bait = await relyingParty(world.server.issuer, { ...clinicdevApp, clientId, secret });
    expect(shown((await ask(newVisitor(), {}, bait)).first).status).to.equal(404);
  });

  it('SU3 is refused at the app where people may not open accounts', async () => {
    const closed = await relyingParty(world.server.issuer, clinicdevApp);
    const { started, first } = await ask(newVisitor(), {}, closed);
    const { searchParams } = new URL(String(first));
    expect(Object.fromEntries(searchParams)).to.include({ error: 'access_denied', state: started.state });
    expect(searchParams.get('error_description')).to.include('cannot open accounts');
    const visitor = newVisitor();
    await visitor.signIn(MARA);
    const { organizations } = world.server.running.stores;
    const open = await organizations.byId('default');
    if (open === undefined) throw new Error('The organization is gone.');
    await organizations.put({ ...open, registration: false });
    const { first: refused } = await ask(visitor);
    expect(new URL(String(refused)).searchParams.get('error')).to.equal('access_denied');
    expect(await silently(visitor)).to.equal((await world.account(MARA.login)).id);
  });
});
