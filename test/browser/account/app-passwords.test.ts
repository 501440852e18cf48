/** My account's part about old clients: what a factor changes for them, and the app passwords that they take. */
import { expect } from 'chai';
import { giveApp } from '../../support/authenticator-app.ts';
import type { Page } from '../../support/web-session.ts';
import {
  type AccountWorld,
  alertOf,
  formTo,
  MARA,
  PATIENT,
  pathOf,
  shown,
  startAccountWorld,
} from './account-world.ts';

const LIST = '/account/factors';
const MAKE = `${LIST}/app-passwords`;

describe('app passwords on my account', () => {
  let world: AccountWorld;
  before(async () => {
    world = await startAccountWorld({
      config: {
        dialects: {
          medisync: { factors: 'allow' },
          visitnote: { factors: 'app-passwords' },
          vsee: { organization: 'default', factors: 'app-passwords' },
        },
      },
    });
  });
  after(() => world.server.close());

  /** What the page says of each old client. */
  const rulesOn = ({ body }: Page) =>
    [...body.matchAll(/<li><div><strong>([^<]*)<\/strong> <span>([^<]*)</g)].flatMap(([, apps = '', rule]) =>
      apps.split(', ').map((app) => [app, rule]),
    );
  const madeOn = ({ body }: Page) => /<pre>([a-z2-9-]{24})<\/pre>/.exec(body)?.[1];
  const signInAt = (password: string) =>
    fetch(`${world.server.url}/api/therapist/v1/sign-in`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: MARA.login, password }),
    });

  it('N11 a person is told what a factor changes, makes a password for one old client, and ends it', async () => {
    const first = await world.signedIn(MARA);
    const before = await first.open(LIST);
    expect(rulesOn(before)).to.deep.include.members([
      ['MediSync', 'your password alone, as before'],
      [
        'VisitNote',
        'an app password instead of your password, once you have a passkey or an authenticator app',
      ],
    ]);
    const bare = before.forms.filter(({ action }) => action.includes(MAKE));
    expect(bare, 'without a factor none is offered').to.deep.equal([]);
    expect((await signInAt(MARA.password)).status).to.equal(200);

    const app = await giveApp(world.server.running.identity, (await world.account(MARA.login)).id);
    expect((await signInAt(MARA.password)).status).to.equal(401);
    const visitor = world.visitor();
    const half = await visitor.signIn(MARA);
    shown(await visitor.session.submit(half, { code: app.code(1) }, { form: formTo(half, /\/app-code$/) }));
    expect(rulesOn(await visitor.open(LIST))).to.deep.include.members([
      ['MediSync', 'your password alone, as before'],
      [
        'VisitNote',
        'an app password instead of your password, since you have a passkey or an authenticator app',
      ],
    ]);
    const nameless = await visitor.send(await visitor.open(LIST), MAKE, { dialect: 'visitnote', name: ' ' });
    expect([nameless.status, alertOf(nameless)]).to.deep.equal([
      400,
      'Please choose an app and enter a name for the app password.',
    ]);
    const other = await visitor.send(await visitor.open(LIST), MAKE, { dialect: 'medisync', name: 'No' });
    expect(other.status, 'for a client that takes none').to.equal(400);
    const page = await visitor.send(await visitor.open(LIST), MAKE, {
      dialect: 'visitnote',
      name: 'Ward phone',
    });
    const password = madeOn(page) ?? '';
    expect(password).to.match(/^([a-z2-9]{4}-){4}[a-z2-9]{4}$/);
    expect(page.body).to.contain('Ward phone');
    expect(madeOn(await visitor.open(LIST + new URL(page.url).search)), 'a second time').to.equal(undefined);
    expect((await signInAt(password)).status).to.equal(200);

    const ended = await visitor.send(await visitor.open(LIST), `${MAKE}/end`);
    expect(ended.body).to.contain('The app password has ended').and.not.contain('Ward phone');
    expect((await signInAt(password)).status).to.equal(401);
    const { id: subject } = await world.account(MARA.login);
    const lines = await world.server.running.stores.audit.latest({ limit: 50, subject });
    const events = lines.filter(({ detail }) => detail?.factor === 'app-password').map(({ event }) => event);
    expect(events.reverse()).to.deep.equal(['factor.add', 'sign-in', 'factor.remove']);
    expect(JSON.stringify(lines) + world.server.logText()).to.not.contain(password);
  });

  it('N9 N11 making or ending one takes a sign-in with the second factor', async () => {
    const visitor = await world.signedIn(PATIENT);
    const page = await visitor.open(LIST);
    await giveApp(world.server.running.identity, (await world.account(PATIENT.login)).id);
    const form = formTo(page, `${LIST}/app/new`);
    const action = world.server.url + MAKE;
    const fields = { dialect: 'vsee', name: 'x' };
    for (const path of [action, `${action}/end`]) {
      const reply = await visitor.session.submit(page, fields, { form: { ...form, action: path } });
      expect(typeof reply === 'string' ? reply : pathOf(reply), path).to.match(/^\/interaction\//);
    }
    expect((await world.account(PATIENT.login)).factors?.appPasswords).to.equal(undefined);
  });
});
