/**
 * What a vendor's server shows of a person is shown again, byte for byte, by the server that took the person over:
 * show(apply(read(show(A)))) = show(A), for generated accounts A. Two servers: one plays the vendor, on the other
 * the accounts are made of what was read.
 */
import { expect } from 'chai';
import type { OrganizationView } from '../../src/dialects/contract/dialect.ts';
import {
  type Answer,
  type Bearer,
  type Confirmed,
  joined,
  type LegacyTokens,
  type Outgoing,
  type Question,
} from '../../src/dialects/contract/legacy-api.ts';
import { parseSettings } from '../../src/dialects/runtime/mounted.ts';
import { recordOf } from '../../src/identity/accounts/create-account.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Fields, generatedAccounts } from './generated-accounts.ts';
import { exampleContext, vendors } from './vendors.ts';

const PASSWORD = 'Granary-Window-Feather-63';
/** Each signs in once on either side: hashing makes that slow. */
const PEOPLE = 8;
/** Accounts that each of them has one after another. */
const ROUNDS = 25;

type Side = { readonly server: TestServer; readonly client: HttpClient };

const VOLATILE = /^(token|access_token|refresh_token|refreshToken|expiry)$/;

describe('a vendor read backwards', () => {
  const names = [exampleContext, ...vendors].map(({ dialect }) => dialect.name);
  let theirs: Side;
  let ours: Side;
  let hash = '';
  let address = 0;

  async function start(): Promise<Side> {
    const server = await startTestServer({
      dialects: [exampleContext, ...vendors].map(({ dialect }) => dialect),
      config: { dialects: { visitnote: { limits: { general: 100_000 } } } },
    });
    return { server, client: openClient(server.url) };
  }

  before(async () => {
    [theirs, ours] = await Promise.all([start(), start()]);
    hash = await theirs.server.running.identity.hasher.hash(PASSWORD);
  });

  after(async () => {
    for (const { client, server } of [theirs, ours].filter(Boolean)) {
      client.close();
      await server.close();
    }
  });

  for (const { dialect, organization } of [exampleContext, ...vendors]) {
    const { name, legacy = never() } = dialect;
    const mounted = parseSettings([dialect], { [name]: { enabled: true } })[0] ?? never();
    const view: OrganizationView = { id: organization, name: '', vendor: name === 'vsee' ? {} : undefined };
    const context = { settings: mounted.settings, organization: view };
    const base = mounted.dialect.mounts(mounted.settings)[0]?.base ?? '';

    /** Sends a question from a client address of its own. */
    async function send({ client }: Side, { method, path, headers, json }: Outgoing) {
      address += 1;
      const reply = await client.send({
        method,
        path: base + path,
        headers: {
          ...headers,
          ...(json !== undefined && { 'content-type': 'application/json' }),
          'x-forwarded-for': `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`,
        },
        ...(json !== undefined && { body: JSON.stringify(json) }),
      });
      const body = reply.text === '' ? undefined : reply.json();
      return { status: reply.status, json: body, header: (one: string) => reply.headers[one] };
    }

    function yesOf(
      answer: Answer,
      what: string,
    ): Exclude<Answer, 'no' | { later: unknown } | { odd: unknown }> {
      if (answer === 'no' || !('yes' in answer))
        throw new Error(`${name}: ${what}: ${JSON.stringify(answer)}`);
      return answer;
    }

    const claimsOf = (token: string): NonNullable<Bearer['claims']> => {
      const [, payload, signature] = token.split('.');
      return signature === undefined ? {} : JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
    };

    interface Shown {
      confirmed: Confirmed;
      tokens: LegacyTokens;
      readonly replies: unknown[];
    }

    /** Asks who the bearer is, and goes on as long as there is more. */
    async function askOn(side: Side, shown: Shown, questions: readonly ('person' | 'details')[]) {
      for (const question of questions) {
        const token = shown.tokens.access?.value ?? '';
        const { vendorId } = shown.confirmed;
        const asked: Bearer = { token, claims: claimsOf(token), ...(vendorId !== undefined && { vendorId }) };
        const reply = await send(side, legacy[question]?.ask(asked, context) ?? never());
        const answer = yesOf(legacy[question]?.read(reply, asked) ?? never(), question);
        shown.replies.push(stable(reply.json));
        shown.confirmed = joined(shown.confirmed, answer.yes);
        if (answer.more === undefined) return;
      }
    }

    async function bearer(side: Side, token: string): Promise<Shown> {
      const shown: Shown = { confirmed: { account: {} }, tokens: { access: { value: token } }, replies: [] };
      await askOn(side, shown, ['person', 'details']);
      return shown;
    }

    /** Asks a question that comes before who the bearer is. */
    async function begun<Asked>(
      side: Side,
      question: Question<Asked> | undefined,
      asked: Asked,
    ): Promise<Shown> {
      if (question === undefined) throw new Error(`${name} is not asked this.`);
      const reply = await send(side, question.ask(asked, context));
      const { yes, tokens = {}, more } = yesOf(question.read(reply, asked), JSON.stringify(asked));
      const shown = { confirmed: yes, tokens, replies: [reply.status, stable(reply.json)] };
      if (more) await askOn(side, shown, ['person', 'details']);
      return shown;
    }

    const signIn = (side: Side, login: string) => begun(side, legacy.signIn, { login, password: PASSWORD });

    const refresh = (side: Side, { refresh: token }: LegacyTokens) =>
      begun(side, legacy.refresh, { refreshToken: token?.value ?? '' });

    async function insert({ server }: Side, id: string, fields: Partial<AccountRecord>) {
      const fresh = recordOf({ organization, fields: {}, passwordHash: hash, now: new Date() });
      const outcome = await server.running.stores.accounts.insert({
        ...fresh,
        openedAt: name,
        ...fields,
        id,
      });
      expect(outcome).to.equal('inserted');
    }

    const fieldsOf = ({ vendor, ...fields }: Fields) => ({ ...fields, vendor: { [name]: vendor } });

    /** The account that is made of what the vendor says. */
    function applied({ vendorId, account, createdAt, updatedAt, addressVerified }: Confirmed) {
      const { vendor = {}, password: _, ...rest } = account;
      return {
        ...rest,
        emailVerified: addressVerified ?? false,
        claims: { ...rest.claims },
        aliases: vendorId === undefined ? {} : { [name]: vendorId },
        vendor: { [name]: vendor },
        ...(createdAt && { createdAt }),
        ...(updatedAt && { updatedAt }),
      };
    }

    /** Takes over what the one side shows, and holds what the other shows afterwards against it. */
    async function retold(id: string, account: Fields, tell: (side: Side) => Promise<Shown>) {
      const shown = await tell(theirs);
      await replace(ours, id, applied(shown.confirmed));
      const again = await tell(ours);
      expect(again.replies, JSON.stringify(account)).to.deep.equal(shown.replies);
      return [shown.tokens, again.tokens] as const;
    }

    /** One person, who signs in and is then given other members again and again. */
    async function holdFor(person: number): Promise<void> {
      const generated = generatedAccounts(name, person);
      const id = `acc_${name}${person}`;
      const begin: Fields = { ...next(generated), status: 'active' };
      await Promise.all([
        insert(theirs, id, fieldsOf(begin)),
        insert(ours, id, { email: begin.email ?? '' }),
      ]);
      let [there, here] = await retold(id, begin, (side) => signIn(side, begin.email ?? ''));
      const held = (side: Side) => (side === theirs ? there : here);
      for (let round = 1; round < ROUNDS; round += 1) {
        const account = next(generated);
        await replace(theirs, id, fieldsOf(account));
        await retold(id, account, (side) => bearer(side, held(side).access?.value ?? ''));
        if (legacy.refresh !== undefined && round % 5 === 0)
          [there, here] = await retold(id, account, (side) => refresh(side, held(side)));
      }
    }

    it(`M35 ${name}: ${PEOPLE * ROUNDS} accounts are shown alike afterwards`, async () => {
      await Promise.all(Array.from({ length: PEOPLE }, (_, person) => holdFor(person)));
    });
  }

  it('M35 was shown for every dialect', () => {
    expect(names).to.have.length(6);
  });
});

function never(): never {
  throw new Error('The dialect does not ask this.');
}

function next<Value>(values: Generator<Value>): Value {
  const { value, done } = values.next();
  if (done) throw new Error('The generator ended.');
  return value;
}

/** The account with these members instead of its own; what the account always keeps stays. */
async function replace({ server }: Side, id: string, fields: Partial<AccountRecord>): Promise<void> {
  const { accounts } = server.running.stores;
  const present = await accounts.byId(id);
  if (present === undefined) throw new Error(`There is no account ${id}.`);
  const { username: _, email: __, ...kept } = present;
  expect(await accounts.update({ ...kept, roles: [], ...fields })).to.equal('updated');
}

/** Without what differs from one sign-in to the next. */
function stable(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(stable);
  const members = Object.entries(json).filter(([member]) => !VOLATILE.test(member));
  // Beside an expiry it is the token's age; of a user it is the account's.
  const isToken = 'expiry' in json;
  return Object.fromEntries(
    members.flatMap(([member, value]) => (isToken && member === 'created' ? [] : [[member, stable(value)]])),
  );
}
