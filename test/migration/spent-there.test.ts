/** What a legacy system takes once, while it cannot say whose it is: the client's next try goes on from its yes. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { avycenna, vsee } from '../dialects/vendors.ts';
import { type BackEndName, PASSWORD, type People, startPeople } from '../legacy/people.ts';
import { openClient } from '../support/http-client.ts';
import type { LegacyFault } from '../support/legacy-system.ts';

const FAILS: LegacyFault = { kind: 'status', status: 500 };

for (const backEnd of ['embedded', 'distributed'] satisfies BackEndName[]) {
  describe(`What a legacy system takes once (${backEnd})`, function () {
    this.timeout(30_000);
    let started: People | undefined;
    before(async function () {
      const timeout = '2s';
      const avycenna = { timeout, roles: ['doctor'], registration: 'proxy' };
      // VSee has no registration: where it is asked about people, no account is opened.
      const vsee = { timeout, roles: ['200'], organizations: ['clinicdev'] };
      started = await startPeople(backEnd, { vsee, avycenna });
      if (started === undefined) this.skip();
    });
    after(() => started?.close());
    const world = () => {
      if (started === undefined) throw new Error('there is no server');
      return started;
    };

    /** While the own account gives no answer each try is 503, and the next one succeeds. The request is asked once. */
    async function goesOn(
      request: () => ReturnType<People['post']>,
      question: RegExp,
      first: LegacyFault = FAILS,
    ) {
      const { system, server } = world();
      system.forget();
      for (const fault of [first, FAILS]) {
        system.suffer(fault, /\/me/);
        expect((await request()).status, fault.kind).to.equal(503);
      }
      const files = readdirSync(server.folder).map((file) => readFileSync(path.join(server.folder, file)));
      const stored = [...system.world.tokens.keys()].filter((token) =>
        files.some((file) => file.includes(token)),
      );
      expect(stored).to.deep.equal([]);
      system.suffer(undefined);
      const reply = await request();
      expect(reply.status, reply.text).to.be.within(200, 201);
      expect(system.calls.filter(({ url }) => question.test(url))).to.have.length(1);
      return JSON.parse(reply.text);
    }

    async function meAt({ me }: typeof vsee, token: string) {
      const client = openClient(world().server.url);
      const { status } = await client.send({ method: 'GET', path: me.path, headers: me.headers(token) });
      client.close();
      return status;
    }

    it('M20 a refresh token: at VSee and AVYCENNA its session goes on, and by no other token', async () => {
      const { system, post } = world();
      const atVSee = system.issue(
        system.add('vsee', { email: 'spent-vsee@clinic.test', password: PASSWORD }),
      );
      const refresh = (refresh_token = '') => post('/api_v3/tokens/refresh', { refresh_token }, vsee.headers);
      const { data } = await goesOn(() => refresh(atVSee.refresh?.value), /refresh/, { kind: 'hang' });
      expect(await meAt(vsee, data.token)).to.equal(200);
      expect((await refresh(data.refresh_token.token)).status).to.equal(200);
      expect((await refresh('f'.repeat(32))).status).to.equal(401);

      const atAvycenna = system.issue(
        system.add('avycenna', { email: 'spent@clinic.test', password: PASSWORD }),
      );
      const refresh_token = atAvycenna.refresh?.value;
      const pair = await goesOn(() => post('/api/v1/auth/refresh', { refresh_token }), /refresh/);
      expect(await meAt(avycenna, pair.access_token)).to.equal(200);
    });

    it('M4 a code and an address for a new account: the next try with the same request succeeds', async () => {
      const { system, post } = world();
      const email = 'spent-code@clinic.test';
      const otp = '482913';
      system.add('avycenna', { email });
      system.world.send('avycenna', email, 'code', otp);
      const code = await goesOn(() => post('/api/v1/auth/otp/verify', { email, otp }), /verify/);
      expect(await meAt(avycenna, code.access_token)).to.equal(200);
      const person = { name: 'New Person', email: 'spent-new@clinic.test', password: PASSWORD };
      const account = await goesOn(() => post('/api/v1/auth/register', person), /register/);
      expect(await meAt(avycenna, account.access_token)).to.equal(200);
    });
  });
}
