import { expect } from 'chai';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { clientOf, newDoctor, PASSWORD, pairOf, said } from './client.ts';

const DEAD_TOKEN = '401 {"detail":"Could not validate credentials"}';
const DEAD_REFRESH = '401 {"detail":"Invalid refresh token"}';

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

  describe('sessions', () => {
    it('T8 ten refreshes in flight together get one successor, and it is good', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      for (let round = 0; round < 3; round += 1) {
        const { refresh } = await client.signIn(email, PASSWORD);
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => clientOf(server).refresh(refresh)),
        );
        const good = answers.filter(({ status }) => status === 200);
        // A call that arrives after the first was answered is a later use.
        expect(good.length).to.be.at.least(1);
        for (const answer of answers) if (answer.status !== 200) expect(said(answer)).to.equal(DEAD_REFRESH);
        const successors = new Set(good.map((answer) => pairOf(answer).refresh));
        expect(successors).to.have.property('size', 1);
        const [successor = ''] = successors;
        expect((await client.refresh(successor)).status).to.equal(200);
      }
    });

    it('T9 a later use within the leeway is refused and ends nothing', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      const { refresh } = await client.signIn(email, PASSWORD);
      const next = pairOf(await client.refresh(refresh));
      const afterNext = pairOf(await client.refresh(next.refresh));
      ahead = 9000;
      expect(said(await client.refresh(refresh))).to.equal(DEAD_REFRESH);
      expect(said(await client.refresh(next.refresh))).to.equal(DEAD_REFRESH);
      expect((await client.me(next.access)).status).to.equal(200);
      expect((await client.refresh(afterNext.refresh)).status).to.equal(200);
    });

    it('T7 a use after the leeway ends this sign-in, not the others nor the keys', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      const other = await client.signIn(email, PASSWORD);
      const first = await client.signIn(email, PASSWORD);
      const { key } = await client.makeKey(other.access, ['read:users']);
      const next = pairOf(await client.refresh(first.refresh));
      ahead = 11_000;
      const last = pairOf(await client.refresh(next.refresh));
      // The leeway runs from each token's own rotation: this one's is not over.
      expect(said(await client.refresh(next.refresh))).to.equal(DEAD_REFRESH);
      expect((await client.me(last.access)).status).to.equal(200);
      expect(said(await client.refresh(first.refresh))).to.equal(DEAD_REFRESH);
      for (const { access } of [first, next, last])
        expect(said(await client.me(access))).to.equal(DEAD_TOKEN);
      expect(said(await client.refresh(last.refresh))).to.equal(DEAD_REFRESH);
      expect((await client.me(other.access)).status).to.equal(200);
      expect((await client.get('/auth/me', { 'x-api-key': key })).status).to.equal(200);
      expect((await client.refresh(other.refresh)).status).to.equal(200);
    });

    it('T11 X3 an access token lives fifteen minutes, a refresh token thirty days from its rotation', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      const day = 86_400_000;
      const first = await client.signIn(email, PASSWORD);
      const idle = await client.signIn(email, PASSWORD);
      ahead = 895_000;
      expect((await client.me(first.access)).status).to.equal(200);
      ahead = 901_000;
      expect(said(await client.me(first.access))).to.equal(DEAD_TOKEN);
      ahead = 29 * day;
      const next = pairOf(await client.refresh(first.refresh));
      ahead = 31 * day;
      expect(said(await client.refresh(idle.refresh))).to.equal(DEAD_REFRESH);
      expect((await client.refresh(next.refresh)).status).to.equal(200);
    });

    it('sign-out of the session of a superseded token, a month later', async () => {
      const client = clientOf(server);
      const { email } = await newDoctor(server);
      const first = await client.signIn(email, PASSWORD);
      const next = pairOf(await client.refresh(first.refresh));
      ahead = 20 * 86_400_000;
      const now = await client.signIn(email, PASSWORD);
      const headers = { authorization: `Bearer ${now.access}` };
      const answer = await client.post('/auth/logout', { refresh_token: first.refresh }, headers);
      expect(said(answer)).to.equal('200 {"message":"Logged out"}');
      expect(said(await client.refresh(next.refresh))).to.equal(DEAD_REFRESH);
      expect((await client.me(now.access)).status).to.equal(200);
    });
  });
});
