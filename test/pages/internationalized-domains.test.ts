/** Addresses at internationalized domains: one account for both spellings, whichever way they come in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { ownApp } from '../support/clients.ts';
import { relyingParty } from '../support/relying-party.ts';
import { CLIENTS, PEOPLE, startTestServer, type TestServer } from '../support/server.ts';
import { openWebSession, type Page } from '../support/web-session.ts';

const PASSWORD = 'Harbour-Lantern-Quartz-41';
const UNICODE = 'jan@b\u00fccher.example';
const ASCII = 'jan@xn--bcher-kva.example';
const SPELLINGS = [UNICODE, ASCII, 'JAN@B\u00dcCHER.example', 'jan@bu\u0308cher\u3002example'];

describe('an address at an internationalized domain', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-domains-'));
  let server: TestServer;

  before(async () => {
    const seed = path.join(folder, 'people.yaml');
    writeFileSync(
      seed,
      JSON.stringify({
        accounts: [
          {
            organization: 'default',
            email: UNICODE,
            email_verified: true,
            password: PASSWORD,
            aliases: { visitnote: '5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1b77' },
            vendor: {
              visitnote: { subscription_status: 'active', trial_ends_at: null, needs_onboarding: false },
            },
          },
        ],
      }),
    );
    server = await startTestServer({ seeds: [PEOPLE, CLIENTS, seed] });
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  it('CL10 signs in at the pages in every spelling, as one account', async () => {
    const party = await relyingParty(server.issuer, ownApp);
    const subjects = new Set<string | undefined>();
    for (const login of SPELLINGS) {
      const session = openWebSession();
      const started = await party.begin();
      const page = await session.open(started.url);
      if (typeof page === 'string') throw new Error(page);
      const back = await session.submit(page, { login, password: PASSWORD }, { until: [ownApp.redirectUri] });
      const { claims } = await party.finish(started, String(back));
      subjects.add(claims()?.sub);
    }
    expect([...subjects]).to.have.length(1);
  });

  it('CL10 signs in at a dialect in every spelling', async () => {
    const ids = new Set<unknown>();
    for (const email of SPELLINGS.slice(0, 3)) {
      const reply = await fetch(`${server.url}/api/therapist/v1/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ email, password: PASSWORD, device_name: 'desk' }),
      });
      expect(reply.status, email).to.equal(200);
      ids.add(JSON.stringify(await reply.json()).match(/5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1b77/)?.[0]);
    }
    expect([...ids]).to.deep.equal(['5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1b77']);
  });

  it('CL10 is shown to its person in its own letters, and gets their emails', async () => {
    const session = openWebSession();
    const open = async (address: string): Promise<Page> => {
      const page = await session.open(server.url + address);
      if (typeof page === 'string') throw new Error(page);
      return page;
    };
    const signIn = await open('/account');
    const front = await session.submit(signIn, { login: ASCII, password: PASSWORD });
    if (typeof front === 'string') throw new Error(front);
    expect(front.body).to.contain(UNICODE).and.not.contain('xn--');
    const other = openWebSession();
    const forgot = await other.open(`${server.url}/forgot`);
    if (typeof forgot === 'string') throw new Error(forgot);
    await other.submit(forgot, { login: UNICODE });
    const email = await server.mail.take(UNICODE);
    expect(email.text).to.contain('/reset?token=');
  });
});
