/** The page that reset emails lead to. */
import { expect } from 'chai';
import { openClient } from '../support/http-client.ts';
import { begin, enter, type Journeys, MARA, resetLink, signIn, startJourneys } from './journey.ts';

const FRESH = 'Seven-Quiet-Otters-Swim-90';

describe('choosing a new password', () => {
  let journeys: Journeys;

  before(async () => {
    journeys = await startJourneys();
  });
  afterEach(() => journeys.settle());
  after(() => journeys.close());

  it('W6 leads from the email to a sign-in with the new password, which the email itself is not', async () => {
    const login = 'dr@clinic.test';
    const page = await journeys.visit();
    await page.goto(await resetLink(journeys, login));
    await page.getByLabel('New password').fill(FRESH);
    await page.getByRole('button', { name: 'Save password' }).click();
    await page.getByRole('heading', { name: 'Your password has been changed' }).waitFor();
    expect(page.url()).to.not.contain('token');
    const party = await journeys.party();
    await begin(page, party, { prompt: 'none' });
    expect(page.url()).to.contain('error=login_required');
    await begin(page, party);
    await enter(page, { login, password: FRESH });
    await page.getByRole('button', { name: 'Allow', exact: true }).waitFor();
    expect((await journeys.server.mail.take(login)).subject).to.match(/password/i);
  });

  it('W6 works once', async () => {
    const link = await resetLink(journeys, 'codes@clinic.test');
    const [first, second] = await Promise.all([journeys.visit(), journeys.visit()]);
    for (const page of [first, second]) {
      await page.goto(link);
      await page.getByLabel('New password').fill(FRESH);
    }
    await first.getByRole('button', { name: 'Save password' }).click();
    await first.getByRole('heading', { name: 'Your password has been changed' }).waitFor();
    await second.getByRole('button', { name: 'Save password' }).click();
    await second.getByRole('heading', { name: 'This link no longer works' }).waitFor();
    expect((await second.goto(link))?.status()).to.equal(400);
  });

  it('C7 opening the link, by whomever and however often, spends nothing', async () => {
    const link = await resetLink(journeys, 'patient@clinic.test');
    const client = openClient(journeys.server.url);
    const { pathname, search } = new URL(link);
    for (const method of ['GET', 'HEAD', 'GET']) {
      expect((await client.send({ method, path: pathname + search })).status).to.equal(200);
    }
    client.close();
    const page = await journeys.visit();
    await page.goto(link);
    await page.getByLabel('New password').fill(FRESH);
    await page.getByRole('button', { name: 'Save password' }).click();
    await page.getByRole('heading', { name: 'Your password has been changed' }).waitFor();
  });

  it('W1 W2 says what is wrong with a password, and lets the person choose again', async () => {
    const page = await journeys.visit();
    await page.goto(await resetLink(journeys, 'chief@clinic.test'));
    const field = page.getByLabel('New password');
    // A browser's own check of the length can be switched off; the server's cannot.
    await field.evaluate((input) => input.removeAttribute('minlength'));
    await field.fill('elevenchars');
    await page.getByRole('button', { name: 'Save password' }).click();
    await page.getByRole('alert').filter({ hasText: 'at least 12 characters' }).waitFor();
    await field.fill('Password1234');
    await page.getByRole('button', { name: 'Save password' }).click();
    await page.getByRole('alert').filter({ hasText: 'easy to guess' }).waitFor();
    await field.fill(FRESH);
    await page.getByRole('button', { name: 'Save password' }).click();
    await page.getByRole('heading', { name: 'Your password has been changed' }).waitFor();
  });

  it('W6 signs the person out everywhere', async () => {
    const [page, party] = await Promise.all([journeys.visit(), journeys.party()]);
    await signIn(page, party);
    const other = await journeys.visit();
    await other.goto(await resetLink(journeys, MARA.login));
    await other.getByLabel('New password').fill(FRESH);
    await other.getByRole('button', { name: 'Save password' }).click();
    await other.getByRole('heading', { name: 'Your password has been changed' }).waitFor();
    await begin(page, party, { prompt: 'none' });
    expect(page.url()).to.contain('error=login_required');
  });

  it('W6 keeps the link token out of the log and out of every Referer', async () => {
    const link = await resetLink(journeys, 'n.okafor@ward.test');
    const token = new URL(link).searchParams.get('token') ?? '';
    const page = await journeys.visit();
    const referers: (string | undefined)[] = [];
    page.on('request', (request) => referers.push(request.headers().referer));
    const reply = await page.goto(link);
    expect(reply?.headers()['referrer-policy']).to.equal('no-referrer');
    expect(referers.filter((referer) => referer !== undefined && referer !== '')).to.deep.equal([]);
    expect(journeys.server.logText()).to.not.contain(token);
  });

  for (const [what, query] of [
    ['no token', ''],
    ['an empty one', '?token='],
    ['an unknown one', '?token=rst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['two', '?token=a&token=b'],
    ['an object', '?token[$ne]=x'],
    ['a long one', `?token=${'x'.repeat(5000)}`],
  ]) {
    it(`W6 shows no form for ${what}`, async () => {
      const client = openClient(journeys.server.url);
      const reply = await client.send({
        method: 'GET',
        path: `/reset${query}`,
        headers: { accept: 'text/html' },
      });
      client.close();
      expect(reply.status).to.equal(400);
      expect(reply.text).to.contain('This link no longer works').and.not.contain('<form');
    });
  }
});
