/** Clients of several organizations: which one a request means, and that nothing leads from one into another. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { authorizationCodeGrant, fetchUserInfo, refreshTokenGrant, tokenIntrospection } from 'openid-client';
import { createLog } from '../../src/observe/log.ts';
import { openStores } from '../../src/store/open-stores.ts';
import type { Stores } from '../../src/store/ports/stores.ts';
import type { TestClient } from '../support/clients.ts';
import { type RelyingParty, relyingParty } from '../support/relying-party.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page, type WebSession } from '../support/web-session.ts';

const SECRET = 'Timber-Violet-Anchor-63';
const ORGANIZATIONS = ['north', 'south', 'west'] as const;
type Organization = (typeof ORGANIZATIONS)[number];
/** One address in every organization, each with a password of its own. */
const EVERYWHERE = 'eva@anywhere.example';
const passwordAt = (organization: string) => `Harbour-Lantern-${organization}-41`;

const SERVED: Readonly<Record<string, readonly Organization[]>> = {
  single: ['north'],
  several: ['north', 'south'],
  listed: ['north', 'south'],
  everyone: ORGANIZATIONS,
};

/** Of one organization. */
const SOUTH_API = 'https://charts.south.example';

const clientOf = (clientId: string): TestClient => ({
  clientId,
  secret: SECRET,
  redirectUri: `https://${clientId}.test/callback`,
});

const client = (client_id: string, organization: string, more: object = {}) => ({
  client_id,
  client_secret: SECRET,
  client_name: `The ${client_id} app`,
  organization,
  first_party: true,
  redirect_uris: [`https://${client_id}.test/callback`],
  grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
  response_types: ['code'],
  scope: 'openid profile email offline_access',
  ...more,
});

const api = (client_id: string, organization: string, more: object = {}) => ({
  ...{
    client_id,
    client_secret: SECRET,
    organization,
    grant_types: ['client_credentials'],
    response_types: [],
  },
  introspects: Object.keys(SERVED),
  ...more,
});

const SEED = {
  organizations: [
    { id: 'north', name: 'North Clinic', email_domains: ['north.example', 'bücher.example'] },
    {
      id: 'south',
      name: 'South Clinic',
      email_domains: ['South.example'],
      branding: { name: 'South Clinic' },
    },
    { id: 'west', name: 'West Clinic', email_domains: ['west.example'], branding: { name: 'West Clinic' } },
  ],
  accounts: ORGANIZATIONS.flatMap((organization) => [
    { organization, email: EVERYWHERE, email_verified: true, password: passwordAt(organization) },
  ]),
  apis: [{ id: 'charts', identifier: SOUTH_API, organization: 'south', scopes: { charts: {} } }],
  clients: [
    client('single', 'north'),
    client('several', 'north', { organizations: ['south'], apis: { [SOUTH_API]: ['charts'] } }),
    client('listed', 'north', { organizations: ['south'], choose_organization: 'list', registration: true }),
    client('everyone', 'north', { organizations: 'all' }),
    client('only-south', 'south'),
    client('only-west', 'west'),
    api('north-api', 'north'),
    api('south-api', 'south'),
    api('both-api', 'north', { organizations: ['south'] }),
  ],
};

describe('clients of several organizations', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-organizations-'));
  const parties = new Map<string, RelyingParty>();
  let server: TestServer;
  let stores: Stores;
  let offset = 0;

  before(async () => {
    const seed = path.join(folder, 'seed.yaml');
    writeFileSync(seed, JSON.stringify(SEED));
    server = await startTestServer({ seeds: [seed], clock: { now: () => new Date(Date.now() + offset) } });
    for (const id of [...Object.keys(SERVED), 'only-south', 'only-west'])
      parties.set(id, await relyingParty(server.issuer, clientOf(id)));
    stores = await openStores(server.config.store, { log: createLog({ level: 'silent' }) });
  });
  after(async () => {
    await stores.close();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  const party = (id: string): RelyingParty => {
    const found = parties.get(id);
    if (found === undefined) throw new Error(`There is no client ${id}.`);
    return found;
  };

  function page(shown: Page | string): Page {
    if (typeof shown === 'string') throw new Error(`The browser was sent to ${shown}.`);
    return shown;
  }

  /** Where the browser of a session is sent, or the page that it gets. */
  async function ask(id: string, session: WebSession, parameters: Record<string, string> = {}) {
    const started = await party(id).begin(parameters);
    const shown = await session.open(started.url, [`https://${id}.test/callback`]);
    return { started, shown };
  }

  /** What the client is told: an error, or the organization of the person. */
  async function told(id: string, session: WebSession, parameters: Record<string, string>): Promise<unknown> {
    const { started, shown } = await ask(id, session, { prompt: 'none', ...parameters });
    const error = new URL(String(shown)).searchParams.get('error');
    if (error !== null) return error;
    const tokens = await party(id).finish(started, String(shown));
    const account = await stores.accounts.byId(tokens.claims()?.sub ?? '');
    return account?.organization;
  }

  async function signedIn(organization: Organization, id = `only-${organization}`): Promise<WebSession> {
    const session = openWebSession();
    const at = organization === 'north' ? 'single' : id;
    const { shown } = await ask(at, session);
    const fields = { login: EVERYWHERE, password: passwordAt(organization) };
    const back = await session.submit(page(shown), fields, { until: [`https://${at}.test/callback`] });
    expect(back).to.be.a('string').that.contains('code=');
    return session;
  }

  /** Signs in at a client at the organization that the request names. */
  async function tokensAt(id: string, organization: Organization) {
    const session = openWebSession();
    const { started, shown } = await ask(id, session, { organization, scope: 'openid email offline_access' });
    const fields = { login: EVERYWHERE, password: passwordAt(organization) };
    const back = await session.submit(page(shown), fields, { until: [`https://${id}.test/callback`] });
    return { session, tokens: await party(id).finish(started, String(back)) };
  }

  it('ORG1 no session, request or client leads into another organization than the request means', async () => {
    const sessions: [Organization | undefined, WebSession][] = [[undefined, openWebSession()]];
    for (const organization of ORGANIZATIONS) sessions.push([organization, await signedIn(organization)]);
    const wrong: string[] = [];
    for (const [id, served] of Object.entries(SERVED)) {
      for (const asked of [undefined, ...ORGANIZATIONS, 'nowhere']) {
        for (const [present, session] of sessions) {
          const isServed = (name: string | undefined) => served.some((each) => each === name);
          const fits = present !== undefined && isServed(present) && (asked ?? present) === present;
          const expected =
            asked !== undefined && !isServed(asked) ? 'invalid_request' : fits ? present : 'login_required';
          const result = await told(id, session, asked === undefined ? {} : { organization: asked });
          if (result !== expected)
            wrong.push(`${id} asks for ${asked} in a session of ${present}: ${result}, not ${expected}`);
        }
      }
    }
    expect(wrong).to.deep.equal([]);
  });

  it('ORG1 a pushed request that names another organization is refused before a person comes', async () => {
    const push = (id: string, organization: string) =>
      fetch(`${server.url}/par`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${id}:${SECRET}`).toString('base64')}` },
        body: new URLSearchParams({
          ...{
            client_id: id,
            response_type: 'code',
            redirect_uri: `https://${id}.test/callback`,
            organization,
          },
          ...{ scope: 'openid', nonce: 'n', code_challenge_method: 'S256' },
          code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        }),
      });
    for (const [id, organization, status] of [
      ['several', 'south', 201],
      ['several', 'west', 400],
      ['several', 'nowhere', 400],
      ['everyone', 'nowhere', 400],
      ['single', 'south', 400],
    ] as const) {
      const reply = await push(id, organization);
      expect(reply.status, `${id} ${organization}`).to.equal(status);
      if (status === 400) expect(await reply.json()).to.have.property('error', 'invalid_request');
    }
  });

  it('ORG1 tokens say the organization, and work for people of those that the client serves now', async () => {
    const { configuration } = party('several');
    const { tokens } = await tokensAt('several', 'south');
    expect(tokens.claims()).to.have.property('organization', 'south');
    const subject = tokens.claims()?.sub ?? '';
    const person = await fetchUserInfo(configuration, tokens.access_token, subject);
    expect(person).to.include({ organization: 'south', email: EVERYWHERE });
    const own = await tokenIntrospection(configuration, tokens.access_token);
    expect(own).to.include({ active: true, organization: 'south' });
    const refreshed = await refreshTokenGrant(configuration, tokens.refresh_token ?? '');
    expect(refreshed.claims()).to.have.property('organization', 'south');

    const before = await stores.clients.byId('several');
    if (before === undefined) throw new Error('The client is gone.');
    const { organizations: _taken, ...metadata } = before.metadata;
    await stores.clients.put({ ...before, metadata });
    offset += 6_000;
    try {
      expect(await tokenIntrospection(configuration, refreshed.access_token)).to.deep.equal({
        active: false,
      });
      const refusedAt = async (work: Promise<unknown>) =>
        work.then(
          () => 'nothing was refused',
          (error: { error?: string; status?: number; cause?: { status?: number } }) =>
            error.error ?? 'refused',
        );
      expect(await refusedAt(refreshTokenGrant(configuration, refreshed.refresh_token ?? ''))).to.equal(
        'invalid_grant',
      );
      expect(await refusedAt(fetchUserInfo(configuration, refreshed.access_token, subject))).to.not.equal(
        'nothing was refused',
      );
    } finally {
      await stores.clients.put(before);
      offset += 6_000;
    }
  });

  it('ORG1 an API of one organization is told nothing of another’s people', async () => {
    for (const organization of ['north', 'south'] as const) {
      const { tokens } = await tokensAt('several', organization);
      for (const [id, sees] of [
        ['north-api', ['north']],
        ['south-api', ['south']],
        ['both-api', ['north', 'south']],
      ] as const) {
        const reply = await fetch(`${server.url}/introspect`, {
          method: 'POST',
          headers: { authorization: `Basic ${Buffer.from(`${id}:${SECRET}`).toString('base64')}` },
          body: new URLSearchParams({ token: tokens.access_token }),
        });
        const active = sees.some((each) => each === organization);
        expect(await reply.json(), `${id} about ${organization}`).to.have.property('active', active);
      }
    }
  });

  it('ORG1 an API of one organization gets tokens of its people only', async () => {
    const asks = { resource: SOUTH_API, scope: 'openid charts' };
    const north = await ask('several', await signedIn('north'), { ...asks, organization: 'north' });
    expect(new URL(String(north.shown)).searchParams.get('error')).to.equal('invalid_target');
    // The request names no organization: its person's decides, at the latest where the token is made.
    const unnamed = await ask('several', await signedIn('north'), asks);
    const back = new URL(String(unnamed.shown));
    const exchanged = await authorizationCodeGrant(
      party('several').configuration,
      back,
      {
        pkceCodeVerifier: unnamed.started.verifier,
        expectedState: unnamed.started.state,
        expectedNonce: unnamed.started.nonce,
      },
      { resource: SOUTH_API },
    ).catch((error: { error?: string }) => error.error);
    expect(exchanged).to.equal('invalid_target');
    const south = await ask('several', await signedIn('south'), asks);
    const tokens = await authorizationCodeGrant(
      party('several').configuration,
      new URL(String(south.shown)),
      {
        pkceCodeVerifier: south.started.verifier,
        expectedState: south.started.state,
        expectedNonce: south.started.nonce,
      },
      { resource: SOUTH_API },
    );
    const claims = JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).to.include({ aud: SOUTH_API, organization: 'south', scope: 'charts' });
  });

  it('ORG1 a page asks by address before any way to sign in, and wears the brand of what the domain decides', async () => {
    for (const [login, organization, brand] of [
      ['someone@south.example', 'south', 'South Clinic'],
      ['SOMEONE@SOUTH.EXAMPLE ', 'south', 'South Clinic'],
      ['someone@xn--bcher-kva.example', 'north', undefined],
      ['someone@west.example', 'north', undefined],
      ['username', 'north', undefined],
    ] as const) {
      const session = openWebSession();
      const { started, shown } = await ask('several', session);
      const asks = page(shown);
      expect(asks.body).to.not.contain('type="password"').and.not.contain('South Clinic');
      const signIn = page(await session.submit(asks, { login }));
      expect(signIn.body, login).to.contain('type="password"').and.contain(login.trim());
      if (brand !== undefined) expect(signIn.body, login).to.contain(brand);
      for (const other of ORGANIZATIONS.filter((each) => each !== organization)) {
        const refused = await session.submit(signIn, { login: EVERYWHERE, password: passwordAt(other) });
        expect(page(refused).status, `${login} ${other}`).to.equal(400);
      }
      const fields = { login: EVERYWHERE, password: passwordAt(organization) };
      const back = await session.submit(signIn, fields, { until: ['https://several.test/callback'] });
      const tokens = await party('several').finish(started, String(back));
      expect(tokens.claims(), login).to.have.property('organization', organization);
    }
  });

  it('ORG1 takes no form of a sign-in before the organization is known', async () => {
    const session = openWebSession();
    const asks = page((await ask('several', session)).shown);
    const [form] = asks.forms;
    if (form === undefined) throw new Error('There is no form.');
    for (const step of ['sign-in', 'name', 'code/send', 'code', 'with/google', 'register']) {
      const action = form.action.replace(/organization$/, step);
      const fields = { login: EVERYWHERE, password: passwordAt('north'), code: '123456' };
      const reply = page(await session.submit(asks, fields, { form: { ...form, action } }));
      expect(reply.body, step).to.contain('/organization"').and.not.contain('type="password"');
    }
    expect(page(await session.submit(asks, { login: ' ' })).status).to.equal(400);
  });

  it('ORG1 a login hint decides where its domain is an organization’s that the client serves', async () => {
    const at = async (login_hint: string) => {
      const { shown } = await ask('several', openWebSession(), { login_hint });
      return page(shown).body;
    };
    expect(await at('someone@south.example'))
      .to.contain('type="password"')
      .and.contain('South Clinic');
    for (const hint of ['someone@west.example', 'someone@nowhere.example', 'someone']) {
      const asks = await at(hint);
      expect(asks, hint).to.not.contain('type="password"').and.not.contain('West Clinic');
      expect(asks, hint).to.contain(`value="${hint}"`);
    }
  });

  it('ORG1 a list has the names of those that the client serves, and only where the client says so', async () => {
    const session = openWebSession();
    const { started, shown } = await ask('listed', session);
    const asks = page(shown);
    expect(asks.body)
      .to.contain('Choose your organization')
      .and.contain('North Clinic')
      .and.contain('South Clinic')
      .and.not.contain('West Clinic');
    for (const organization of ['west', 'nowhere', '']) {
      const reply = page(await session.submit(asks, { organization }));
      expect(reply.status, organization).to.equal(400);
      expect(reply.body, organization).to.not.contain('type="password"');
    }
    const signIn = page(await session.submit(asks, { organization: 'north' }));
    expect(signIn.body).to.contain('type="password"').and.contain('/register"');
    const again = signIn.forms.find(({ fields }) => fields.to === 'organizations');
    if (again === undefined) throw new Error('There is no way to another organization.');
    expect(signIn.body).to.contain('Another organization');
    const back = page(await session.submit(signIn, {}, { form: again }));
    const other = page(await session.submit(back, { organization: 'south' }));
    // What the client says about opening accounts counts in its own organization.
    expect(other.body).to.contain('South Clinic').and.not.contain('/register"');
    const fields = { login: EVERYWHERE, password: passwordAt('south') };
    const callback = await session.submit(other, fields, { until: ['https://listed.test/callback'] });
    const tokens = await party('listed').finish(started, String(callback));
    expect(tokens.claims()).to.have.property('organization', 'south');

    const hidden = page((await ask('several', openWebSession())).shown);
    const guessed = openWebSession();
    const byAddress = page((await ask('several', guessed)).shown);
    expect(page(await guessed.submit(byAddress, { organization: 'south' })).status).to.equal(400);
    expect(hidden.body).to.not.contain('North Clinic</strong>');
  });

  it('ORG1 a request that names its organization cannot be led to another one', async () => {
    const session = openWebSession();
    const signIn = page((await ask('several', session, { organization: 'south' })).shown);
    expect(signIn.body).to.not.contain('value="organizations"');
    const [form] = signIn.forms;
    if (form === undefined) throw new Error('There is no form.');
    const action = form.action.replace(/sign-in$/, 'organization');
    const reply = page(
      await session.submit(signIn, { login: 'a@north.example' }, { form: { ...form, action } }),
    );
    expect(reply.body).to.contain('South Clinic');
  });

  it('ORG1 a device is of the organization that its request names', async () => {
    const start = (organization: string) =>
      fetch(`${server.url}/device_authorization`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`several:${SECRET}`).toString('base64')}` },
        body: new URLSearchParams({ scope: 'openid', organization }),
      });
    const refused = await start('west');
    expect(refused.status).to.equal(400);
    expect(await refused.json()).to.have.property('error', 'invalid_request');
    const device = (await (await start('south')).json()) as { user_code: string };
    // A session of the other organization that the client serves is none for it.
    const session = await signedIn('north');
    const entered = page(
      await session.submit(page(await session.open(`${server.url}/device`)), { user_code: device.user_code }),
    );
    const signIn = page(await session.submit(entered, {}));
    expect(signIn.body).to.contain('type="password"').and.contain('South Clinic');
    const other = page(await session.submit(signIn, { login: EVERYWHERE, password: passwordAt('north') }));
    expect(other.status).to.equal(400);
    const done = await session.submit(signIn, { login: EVERYWHERE, password: passwordAt('south') });
    expect(page(done).body).to.contain('Your device is connected');
  });

  it('ORG1 the audit has the person’s organization, not the client’s', async () => {
    const { tokens } = await tokensAt('several', 'south');
    const events = await stores.audit.latest({ limit: 50 });
    const subject = tokens.claims()?.sub;
    const issued = events.filter(({ event, subject: of }) => event === 'token.issued' && of === subject);
    expect(issued.map(({ organization }) => organization)).to.deep.equal(issued.map(() => 'south'));
    expect(issued).to.not.have.length(0);
  });

  it('ORG1 discovery names no member of our own, of which the official suite would warn', async () => {
    const metadata = await (await fetch(`${server.url}/.well-known/openid-configuration`)).json();
    const names = Object.keys(Object(metadata));
    expect(names).to.include('issuer');
    expect(names.filter((name) => name.startsWith('organization'))).to.deep.equal([]);
  });
});
