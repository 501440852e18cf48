/** What is asked of a vendor's server besides sign-in and me: a server of ours plays it, and answers for real. */
import { expect } from 'chai';
import { everyDialect, type Side, startSide, stopSide, Vendor } from './asking.ts';

const PASSWORD = 'Granary-Window-Feather-63';
const KEY = { key: '6f1d2c3b4a5968778695a4b3c2d1e0f1', secret: '0f1e2d3c4b5a69788796a5b4c3d2e1f0' };

const ada = {
  password: PASSWORD,
  claims: {
    name: 'Ada Quill',
    given_name: 'Ada',
    family_name: 'Quill',
    gender: 'female',
    birthdate: '1990-01-01',
    phone_number: '+15555550177',
    address: { region: 'AB' },
  },
  vendor: { title: 'Dr.', specialty: 'Surgery', ehr_system_type: 'Epic', ehr_system_name: 'East' },
};

describe('a vendor’s own server', () => {
  const vendors = new Map(everyDialect.map((info) => [info.dialect.name, new Vendor(info)]));
  let theirs: Side;

  before(async () => {
    theirs = await startSide();
  });

  after(() => theirs && stopSide(theirs));

  function vendor(name: string): Vendor {
    const one = vendors.get(name);
    if (one === undefined) throw new Error(`There is no ${name}.`);
    return one;
  }

  const signIn = (at: Vendor, login: string, password = PASSWORD) =>
    at.begin(theirs, at.api.signIn, { login, password });

  it('M9 registers a person under the id that it gives, and says no to a taken address', async () => {
    for (const at of [...vendors.values()].filter(({ api }) => api.register !== undefined)) {
      const email = `new-${at.name}@x.test`;
      const { confirmed } = await at.begin(theirs, at.api.register, { ...ada, email });
      const record = await theirs.server.running.stores.accounts.byEmail(at.organization, email);
      expect(confirmed.vendorId, at.name).to.equal(record?.aliases[at.name]);
      expect(confirmed.account, at.name).to.include({ email }).and.not.to.have.property('password');
      const { answer } = await at.ask(theirs, at.api.register, { ...ada, email });
      expect(answer, at.name).to.equal('no');
    }
  });

  it('M6 a register call with an issue that is no taken address says neither', async () => {
    for (const at of [...vendors.values()].filter(({ api }) => api.register !== undefined)) {
      const { answer } = await at.ask(theirs, at.api.register, {
        ...ada,
        email: 'no address',
        password: 'x',
      });
      expect(answer, at.name).to.have.property('odd');
    }
  });

  it('M6 says no to a wrong password and to what is no login of its own', async () => {
    for (const at of vendors.values())
      for (const login of ['unknown@x.test', 'pat', '  ', 'x'.repeat(300)]) {
        const { answer } = await at.ask(theirs, at.api.signIn, { login, password: PASSWORD });
        expect(answer, `${at.name} ${login}`).to.equal('no');
      }
  });

  it('M6 says no to a token that it does not know', async () => {
    for (const at of vendors.values()) {
      const { answer } = await at.ask(theirs, at.api.person, { token: 'a'.repeat(32) });
      expect(answer, at.name).to.equal('no');
      if (at.api.refresh === undefined) continue;
      const refreshed = await at.ask(theirs, at.api.refresh, { refreshToken: 'a'.repeat(32) });
      expect(refreshed.answer, at.name).to.equal('no');
    }
  });

  it('ends the session of a sign-in that was asked for', async () => {
    for (const at of [...vendors.values()].filter(({ api }) => api.signOut !== undefined)) {
      const login = { visitnote: 'mara@clinic.test', avycenna: 'dr@clinic.test' }[at.name] ?? 'pat@x.test';
      const password =
        { visitnote: 'Harbour-Lantern-Quartz-41', avycenna: 'Saffron-Glacier-Pilot-19' }[at.name] ??
        'Willow-Compass-Ember-87';
      const { tokens } = await signIn(at, login, password);
      const token = tokens.access?.value ?? '';
      const ended = await at.ask(theirs, at.api.signOut, {
        token,
        refreshToken: tokens.refresh?.value ?? '',
      });
      expect(ended.answer, at.name).to.have.property('yes');
      expect((await at.ask(theirs, at.api.person, { token })).answer, at.name).to.equal('no');
    }
  });

  /** Has the vendor send its code, and takes it out of the email. */
  async function sent(at: Vendor, email: string, names?: { given_name: string; family_name: string }) {
    const { answer } = await at.ask(theirs, at.api.sendCode, { email, ...(names && { names }) });
    expect(answer).to.have.property('yes');
    const { text } = await theirs.server.mail.take(email);
    return /\b(\d{6})\b|code: ([a-z]{6})/.exec(text)?.slice(1).find(Boolean) ?? '';
  }

  it('sends its own code, and a right one proves the address', async () => {
    const avycenna = vendor('avycenna');
    const email = 'codes@clinic.test';
    const code = await sent(avycenna, email);
    const wrong = await avycenna.ask(theirs, avycenna.api.code, {
      email,
      code: code === '000000' ? '1' : '000000',
    });
    expect(wrong.answer).to.equal('no');
    const { confirmed } = await avycenna.begin(theirs, avycenna.api.code, { email, code });
    expect(confirmed).to.deep.include({ vendorId: 'usr_C0de0n1y', addressVerified: true });
    expect(confirmed.createdAt).to.deep.equal(new Date('2030-02-01T12:30:45Z'));
  });

  it('sends an invitation to a newcomer of VSee, whose account is inactive until there is a password', async () => {
    const vsee = vendor('vsee');
    const email = 'invited@x.test';
    const code = await sent(vsee, email, { given_name: 'Ina', family_name: 'Vited' });
    const { confirmed } = await vsee.begin(theirs, vsee.api.code, { email, code });
    expect(confirmed.addressVerified).to.equal(true);
    expect(confirmed.account).to.deep.include({ email, status: 'inactive' });
    expect(confirmed.account.claims).to.deep.equal({ given_name: 'Ina', family_name: 'Vited' });
    // Without names no account is made.
    expect(await sent(vsee, email)).to.match(/^[a-z]{6}$/);
  });

  it('signs a clinic’s person in by the clinic’s own code, and shows the type that the reply leaves out', async () => {
    const vsee = vendor('vsee');
    const body = { first_name: 'Kim', last_name: 'Ray', type: 400, code: 'clinic-17', email: 'kim@x.test' };
    const { confirmed } = await vsee.begin(theirs, vsee.api.singleSignOn, { body, ...KEY });
    expect(confirmed.account.vendor).to.include({ sso_code: 'clinic-17', type: 400 });
    expect(confirmed.account).to.include({ email: 'kim@x.test' });
    const { answer } = await vsee.ask(theirs, vsee.api.singleSignOn, { body, key: 'f'.repeat(32) });
    expect(answer).to.equal('no');
  });

  it('signs a clinician in by an ID token, and says no where it belongs to no account', async () => {
    const visitnote = vendor('visitnote');
    const idToken = await theirs.server.upstream.signIdToken('google', {
      sub: 'g-1',
      email: 'mara@clinic.test',
    });
    const asked = { provider: 'google', idToken, email: 'mara@clinic.test' };
    const ask = () => visitnote.ask(theirs, visitnote.api.social, asked);
    expect((await ask()).answer).to.equal('no');
    const { identity } = theirs.server.running;
    const mara = await identity.stores.accounts.byEmail('default', 'mara@clinic.test');
    await identity.stores.identities.link({
      ...{ organization: 'default', accountId: mara?.id ?? '', subject: 'g-1', createdAt: new Date() },
      issuer: theirs.server.upstream.issuers.google,
    });
    const { answer } = await ask();
    expect(visitnote.yes(answer).yes.vendorId).to.equal('5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1a01');
  });

  it('sends its own link for a new password', async () => {
    for (const [name, email] of [
      ['vsee', 'pat@x.test'],
      ['careportals', 'lea@x.test'],
    ] as const) {
      const at = vendor(name);
      const { answer } = await at.ask(theirs, at.api.reset, { email });
      expect(answer, name).to.have.property('yes');
      expect((await theirs.server.mail.take(email)).text, name).to.include('/reset');
    }
  });
});
