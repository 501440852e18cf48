/**
 * What is asked of every dialect, the example vendor included. A dialect gives the facts of its API (where
 * a sign-in goes, what a refusal looks like); who signs in, and what is done to its routes, is the suite's.
 */
import { expect } from 'chai';
import { setStatus } from '../../src/identity/accounts/set-status.ts';
import type { Incoming } from '../support/http-client.ts';
import { type DialectInfo, DialectUnderTest, PASSWORD, type Refusal } from './dialect-under-test.ts';
import { hostileBodies } from './hostile-bodies.ts';

/** `neighbour`: another dialect, whose tokens must open nothing here. */
export function dialectSuite(name: string, context: DialectInfo, neighbour: DialectInfo): void {
  describe(`the dialect ${name}`, () => {
    const suite = new DialectUnderTest(context, neighbour);
    before(() => suite.start());
    after(() => suite.stop());

    it('W7 refuses unknown account, wrong password, blocked account and no password with the same bytes', async () => {
      const tries = [
        await suite.signIn(`nobody.${name}@people.test`),
        await suite.signIn(suite.person.email ?? '', 'Wrong-Password-Entirely-1'),
        await suite.signIn(suite.blocked.email ?? ''),
        await suite.signIn(suite.withoutPassword.email ?? ''),
      ];
      for (const reply of tries) expectRefusal(reply, context.refused);
      expect(new Set(tries.map(({ text }) => text)).size).to.equal(1);
      expect(new Set(tries.map(comparableHeaders)).size).to.equal(1);
    });

    it('C2 signs in, is known to a resource server, and is dead here once it was revoked there', async () => {
      const token = await suite.token();
      expect((await suite.me(token)).status).to.equal(200);
      const known = await suite.introspect(token);
      expect(known).to.include({ active: true, client_id: suite.clientId, sub: suite.person.id });
      await suite.revoke(token);
      expect(await suite.introspect(token)).to.deep.equal({ active: false });
      expectRefusal(await suite.me(token), context.deadToken);
    });

    it('says the same of every token that is not good', async () => {
      const token = await suite.token();
      const dead = [
        'x',
        `${token}x`,
        token.slice(0, -2),
        'a'.repeat(32),
        'eyJhbGciOiJub25lIn0.e30.',
        `${'a'.repeat(4000)}`,
      ];
      for (const bad of dead) expectRefusal(await suite.me(bad), context.deadToken);
      const none = context.noCredential ?? context.deadToken;
      expectRefusal(await suite.send({ method: 'GET', path: context.me.path }), none);
      expectRefusal(await suite.me(''), none);
    });

    it('S4 refuses the token of an account that was blocked since, at once', async () => {
      const account = await suite.newPerson('sinceblocked');
      const token = await suite.token(account);
      await setStatus(suite.server.running.identity, { accountId: account.id, status: 'blocked' });
      expectRefusal(await suite.me(token), context.deadToken);
      expectRefusal(await suite.signIn(account.email ?? ''), context.refused);
    });

    it('T3 T4 takes no token of another dialect, and no other dialect takes its', async () => {
      expectRefusal(await suite.me(await suite.foreignToken()), context.deadToken);
      expectRefusal(await suite.foreignMe(await suite.token()), neighbour.deadToken);
    });

    it('C7 signs nobody in by GET, and reads no credential from the query or the body', async () => {
      const { path, body } = context.signIn;
      const fields = body(suite.person.email ?? '', PASSWORD);
      const query = new URLSearchParams(
        Object.entries(fields).map(([key, value]): [string, string] => [key, String(value)]),
      );
      for (const method of ['GET', 'HEAD']) {
        const reply = await suite.send({ method, path: `${path}?${query}` });
        expect(reply.status, method).to.be.within(400, 499);
      }
      const posted = await suite.send({ method: 'POST', path: `${path}?${query}`, json: {} });
      expect(posted.status).to.be.within(400, 499);
      const token = await suite.token();
      for (const key of ['access_token', 'token', 'api_token', 'authorization', 'X-ApiToken']) {
        const reply = await suite.send({ method: 'GET', path: `${context.me.path}?${key}=${token}` });
        expectRefusal(reply, context.noCredential ?? context.deadToken);
      }
    });

    it('H3 answers a body of more than 64 KiB in its own words', async () => {
      const reply = await suite.send({
        method: 'POST',
        path: context.signIn.path,
        headers: { 'content-type': 'application/json' },
        text: JSON.stringify({ filler: 'x'.repeat(70_000) }),
      });
      expectRefusal(reply, context.tooLarge);
    });

    it('C6 lets no hostile body through to the domain, on any route, and stores none', async function () {
      this.timeout(120_000);
      await suite.quiet();
      const before = await suite.accounts();
      const stop = suite.watchDomain();
      for (const { endpoint, path } of suite.routes()) {
        for (const { text, type } of hostileBodies(suite.fieldNames(endpoint))) {
          const reply = await suite.call(endpoint, path, { text, type });
          expect(
            reply.status,
            `${endpoint.method} ${path} ${text.slice(0, 80)} -> ${reply.text}`,
          ).to.be.below(500);
        }
      }
      expect(stop(), 'what reached the domain and was no text').to.deep.equal([]);
      expect(await suite.accounts()).to.deep.equal(before);
      expect(({} as { polluted?: unknown }).polluted).to.equal(undefined);
    });

    it('H1 lets nobody keep a reply and sets no cookie, whatever the status', async () => {
      const replies = [
        await suite.signIn(suite.person.email ?? ''),
        await suite.me('x'),
        await suite.signIn('nobody@people.test'),
      ];
      for (const reply of replies) {
        expect(reply.headers['cache-control']).to.match(/no-store/);
        expect(reply.cookies).to.deep.equal([]);
      }
    });

    it('answers as its tables say', () => {
      expect(suite.undocumented).to.deep.equal([]);
      expect(suite.answered).to.be.greaterThan(5);
    });

    it('L2 writes no password and no token to the log', async () => {
      const log = suite.server.logText();
      expect(log).to.contain(suite.person.id);
      for (const secret of suite.secrets) expect(log.includes(secret), secret.slice(0, 12)).to.equal(false);
      expect(suite.secrets.size).to.be.greaterThan(3);
    });
  });
}

function expectRefusal(reply: Incoming, { status, json }: Refusal): void {
  expect([reply.status, reply.json()]).to.deep.equal([status, json]);
}

/** Everything but what differs from one request to the next by nature. */
function comparableHeaders({ headers }: Incoming): string {
  const varying = new Set(['date', 'x-request-id', 'x-ratelimit-remaining', 'retry-after']);
  return JSON.stringify(
    Object.entries(headers)
      .filter(([header]) => !varying.has(header))
      .sort(),
  );
}
