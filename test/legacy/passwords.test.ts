/** The table of states and answers (M4 to M6, M8) over HTTP, on both back ends: what each reply changes, and what not. */
import { expect } from 'chai';
import { deleteAccount } from '../../src/identity/accounts/delete-account.ts';
import { setStatus } from '../../src/identity/accounts/set-status.ts';
import { setPassword } from '../../src/identity/self-service/set-password.ts';
import type { LegacyFault } from '../support/legacy-system.ts';
import { type BackEndName, OTHER, PASSWORD, type People, startPeople } from './people.ts';

const DAY = 86_400;

/** Faults of the sign-in call. None of them is a yes or a no. */
const FAULTS: readonly LegacyFault[] = [
  { kind: 'status', status: 429, headers: { 'retry-after': '7' } },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 500 },
  { kind: 'redirect', to: 'http://127.0.0.1:1/' },
  { kind: 'garbage' },
  { kind: 'misfit' },
  { kind: 'wrong-type' },
  { kind: 'huge' },
  { kind: 'bomb' },
  { kind: 'reset' },
  { kind: 'hang' },
  { kind: 'another', email: 'else@clinic.test' },
];

/** The state in which a person is, and what a sign-in with each password comes to. `away`: what each fault makes of it. */
interface State {
  readonly name: string;
  readonly password: string;
  readonly yes: number;
  readonly no: number;
  readonly away: number;
  /** The legacy system is asked. */
  readonly asked: boolean;
}
const state = (
  name: string,
  password: string,
  outcomes: [yes: number, no: number, away: number],
  asked: boolean,
): State => {
  const [yes, no, away] = outcomes;
  return { name, password, yes, no, away, asked };
};
const STATES: readonly State[] = [
  state('U', PASSWORD, [200, 401, 503], true),
  state('R', PASSWORD, [200, 401, 503], true),
  state('I', PASSWORD, [200, 200, 200], false),
  state('I', OTHER, [200, 401, 503], true),
  state('I, older', PASSWORD, [200, 401, 200], true),
  state('H', PASSWORD, [200, 200, 200], false),
  state('H', OTHER, [401, 401, 401], false),
  state('B', PASSWORD, [401, 401, 401], false),
  state('G', PASSWORD, [401, 401, 401], false),
];

let serial = 0;

async function personIn({ server, system, pass, signIn, account }: People, { name }: State): Promise<string> {
  serial += 1;
  const email = `person-${serial}@clinic.test`;
  const person = system.add('visitnote', { email, password: PASSWORD });
  const { identity } = server.running;
  if (name === 'U') return email;
  if (name === 'R') {
    const { registerAccount } = await import('../../src/identity/accounts/create-account.ts');
    const legacy = { visitnote: { password: 'legacy' } } as const;
    const aliases = { visitnote: person.id };
    await registerAccount(identity, { organization: 'default', account: { email, aliases, legacy } });
    return email;
  }
  const first = await signIn(email, PASSWORD);
  expect(first.status, first.text).to.equal(200);
  const accountId = (await account(email))?.id ?? '';
  if (name === 'I, older') pass(DAY + 1);
  if (name === 'H') await setPassword(identity, { accountId, password: PASSWORD, minimum: 8 });
  if (name === 'B') await setStatus(identity, { accountId, status: 'blocked' });
  if (name === 'G') await deleteAccount(identity, { accountId });
  return email;
}

for (const backEnd of ['embedded', 'distributed'] satisfies BackEndName[]) {
  describe(`Passwords of a legacy system (${backEnd})`, function () {
    this.timeout(120_000);
    let people: People;
    before(async function () {
      const started = await startPeople(backEnd);
      if (started === undefined) return this.skip();
      people = started;
    });
    after(() => people?.close());

    /** A sign-in, with what it changed. */
    async function tried(email: string, password: string) {
      const before = await people.account(email);
      people.system.forget();
      const reply = await people.signIn(email, password);
      const asked = people.system.calls.filter(({ url }) => url.endsWith('/sign-in')).length;
      const after = await people.account(email);
      const same =
        JSON.stringify({ ...after, lastSignInAt: 0 }) === JSON.stringify({ ...before, lastSignInAt: 0 });
      return { reply, asked, same, after };
    }

    it('M4 a yes and a no do what the table of states says', async () => {
      for (const row of STATES) {
        const what = `${row.name}, ${row.password === PASSWORD ? 'right here or there' : 'wrong here'}`;
        for (const answer of ['yes', 'no'] as const) {
          const email = await personIn(people, row);
          const known = people.system.world.byEmail('visitnote', email);
          if (known !== undefined) known.password = answer === 'yes' ? row.password : 'Nobody-Knows-It-77';
          const { reply, asked, same, after } = await tried(email, row.password);
          expect(reply.status, `${what}, ${answer}: ${reply.text}`).to.equal(row[answer]);
          expect(asked, `${what}, ${answer}`).to.equal(row.asked ? 1 : 0);
          const dropped = row.name === 'I, older' && answer === 'no';
          if (dropped) expect(after, what).to.not.have.property('passwordHash');
          else if (reply.status !== 200 || !row.asked) expect(same, `${what}, ${answer}`).to.equal(true);
          if (reply.status === 200 && row.asked) {
            expect(after?.legacy?.visitnote, what).to.include({ password: 'legacy' });
            expect(after?.aliases.visitnote, what).to.equal(known?.id);
          }
        }
      }
    });

    it('M6 whatever is no answer is told as 503 with Retry-After, and changes no record', async () => {
      const rows = STATES.filter(({ asked }) => asked);
      for (const row of rows) {
        const email = await personIn(people, row);
        const known = people.system.world.byEmail('visitnote', email);
        if (known !== undefined) known.password = row.password;
        for (const fault of backEnd === 'embedded' ? FAULTS : FAULTS.slice(0, 3)) {
          const what = `${row.name}, ${fault.kind}`;
          people.system.suffer(fault, /sign-in|my-profile/);
          const { reply, same } = await tried(email, row.password);
          people.system.suffer(undefined);
          expect(reply.status, `${what}: ${reply.text}`).to.equal(row.away);
          if (row.away === 503) expect(Number(reply.headers['retry-after']), what).to.be.at.least(1);
          expect(same, what).to.equal(true);
          // One good answer closes what a row of bad ones would open.
          await people.signIn(`nobody-${serial}@clinic.test`, OTHER);
        }
      }
    });

    it('M3 fifty first sign-ins at once make one account', async () => {
      // Fifty hashes at once take a busy machine longer than the calls of the others may.
      const many = await startPeople(backEnd, { visitnote: { timeout: '30s' } });
      if (many === undefined) throw new Error('The back end did not start.');
      const { email, id } = many.system.add('visitnote', {
        email: 'fifty@clinic.test',
        password: PASSWORD,
      });
      const replies = await Promise.all(Array.from({ length: 50 }, () => many.signIn(email, PASSWORD)));
      expect(new Set(replies.map(({ status }) => status))).to.deep.equal(new Set([200]));
      const uuids = replies.map(
        (reply) => (reply.json() as { data: { loginData: { uuid: string } } }).data.loginData.uuid,
      );
      expect(new Set(uuids)).to.deep.equal(new Set([id]));
      await many.close();
    });
  });
}
