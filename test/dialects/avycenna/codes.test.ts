import { expect } from 'chai';
import { updateAccount } from '../../../src/identity/accounts/update-account.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, newDoctor, said } from './client.ts';

const BAD_CODE = '401 {"detail":"Invalid or expired OTP"}';

describe('AVYCENNA', () => {
  let server: TestServer;
  let ahead = 0;
  before(async () => {
    server = await startTestServer({ clock: { now: () => new Date(Date.now() + ahead) } });
  });
  after(() => server.close());
  beforeEach(() => {
    ahead = 0;
  });

  describe('codes', () => {
    it('O7 stand alone: no other word of six digits is in the email or its headers', async () => {
      const client = clientOf(server);
      for (let count = 0; count < 5; count += 1) {
        await client.post('/auth/otp/send', { email: 'codes@clinic.test' });
        const letter = await server.mail.take('codes@clinic.test');
        const words = (text: string) => text.match(/(?<![\w])\d{6}(?![\w])/g) ?? [];
        const [code, ...more] = new Set(words(letter.text));
        expect(code).to.match(/^\d{6}$/);
        expect(more).to.deep.equal([]);
        for (const word of words(letter.html)) expect(word).to.equal(code);
        for (const [name, value] of letter.headers) expect(words(value), name).to.deep.equal([]);
        expect(words(letter.subject)).to.deep.equal([]);
        expect(server.logText()).to.not.contain(`"${code}"`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });

    it('O2 X3 live ten minutes', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      const otp = await client.code(email);
      ahead = 601_000;
      expect(said(await client.post('/auth/otp/verify', { email, otp }))).to.equal(BAD_CODE);
      ahead = 0;
      const fresh = await client.code(email);
      ahead = 595_000;
      expect((await client.post('/auth/otp/verify', { email, otp: fresh })).status).to.equal(200);
    });

    it('O3 X2 are spent by exactly one of fifty parallel uses', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      const otp = await client.code(email);
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => clientOf(server).post('/auth/otp/verify', { email, otp })),
      );
      expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
      for (const answer of answers) {
        if (answer.status !== 200) expect(said(answer)).to.equal(BAD_CODE);
      }
    });

    it('O4 are dead after five wrong tries of who asked for them, however parallel', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      const otp = await client.code(email);
      const wrong = otp === '000000' ? '000001' : '000000';
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => client.post('/auth/otp/verify', { email, otp: wrong })),
      );
      expect(new Set(answers.map(said))).to.deep.equal(new Set([BAD_CODE]));
      expect(said(await client.post('/auth/otp/verify', { email, otp }))).to.equal(BAD_CODE);
      const next = await client.code(email);
      expect((await client.post('/auth/otp/verify', { email, otp: next })).status).to.equal(200);
    });

    it('B7 outlive what strangers guess and ask for, and end by what their own client asks for', async () => {
      const [client, stranger, phone] = [clientOf(server), clientOf(server), clientOf(server)];
      const { email } = await newDoctor(server);
      const older = await client.code(email);
      const otp = await client.code(email);
      const wrong = ['000000', '000001', '000002'].find((guess) => guess !== older && guess !== otp);
      for (let i = 0; i < 6; i += 1) {
        const guess = await stranger.post('/auth/otp/verify', { email, otp: wrong });
        expect(said(guess)).to.equal(BAD_CODE);
      }
      const others = [await stranger.code(email), await stranger.code(email)];
      if (older !== otp && !others.includes(older))
        expect(said(await phone.post('/auth/otp/verify', { email, otp: older })), 'voided').to.equal(
          BAD_CODE,
        );
      expect((await phone.post('/auth/otp/verify', { email, otp })).status).to.equal(200);
      const late = await stranger.post('/auth/otp/verify', { email, otp: others[1] });
      expect(said(late), 'all of them were spent').to.equal(BAD_CODE);
    });

    it('O6 are none of another organization, nor of another address', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      const { email: other } = await newDoctor(server);
      const otp = await client.code(email);
      expect(said(await client.post('/auth/otp/verify', { email: other, otp }))).to.equal(BAD_CODE);
      expect(said(await client.post('/auth/otp/verify', { email: 'lea@x.test', otp }))).to.equal(BAD_CODE);
      expect((await client.post('/auth/otp/verify', { email, otp })).status).to.equal(200);
    });

    it('O6 prove nothing of an address that the account was given after they were sent', async () => {
      const client = clientOf(server);
      const { email, accountId } = await newDoctor(server);
      const otp = await client.code(email);
      const moved = `moved-${email}`;
      await updateAccount(server.running.identity, accountId, (account) => ({ ...account, email: moved }));
      for (const tried of [moved, email]) {
        expect(said(await client.post('/auth/otp/verify', { email: tried, otp })), tried).to.equal(BAD_CODE);
      }
      const next = await client.code(moved);
      expect((await client.post('/auth/otp/verify', { email: moved, otp: next })).status).to.equal(200);
    });
  });
});
