/**
 * What a vendor's server shows of a person is shown again, byte for byte, by the server that took the person over:
 * show(apply(read(show(A)))) = show(A), for generated accounts A. Two servers: one plays the vendor, on the other
 * the accounts are made of what was read.
 */
import { expect } from 'chai';
import type { Confirmed } from '../../src/dialects/contract/legacy-api.ts';
import { recordOf } from '../../src/identity/accounts/create-account.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import { everyDialect, type Shown, type Side, startSide, stopSide, Vendor } from './asking.ts';
import { type Fields, generatedAccounts } from './generated-accounts.ts';

const PASSWORD = 'Granary-Window-Feather-63';
/** Each signs in once on either side: hashing makes that slow. */
const PEOPLE = 8;
/** Accounts that each of them has one after another. */
const ROUNDS = 25;

describe('a vendor read backwards', () => {
  let theirs: Side;
  let ours: Side;
  let hash = '';

  before(async () => {
    [theirs, ours] = await Promise.all([startSide(), startSide()]);
    hash = await theirs.server.running.identity.hasher.hash(PASSWORD);
  });

  after(() => Promise.all([theirs, ours].filter(Boolean).map(stopSide)));

  async function insert({ server }: Side, vendor: Vendor, fields: Partial<AccountRecord>) {
    const { name, organization } = vendor;
    const fresh = recordOf({ organization, fields: { openedAt: name }, passwordHash: hash, now: new Date() });
    expect(await server.running.stores.accounts.insert({ ...fresh, ...fields })).to.equal('inserted');
  }

  /** Takes over what the one side shows, and holds what the other shows afterwards against it. */
  async function retold(vendor: Vendor, id: string, account: Fields, tell: (side: Side) => Promise<Shown>) {
    const shown = await tell(theirs);
    await replace(ours, id, applied(shown.confirmed, vendor.name));
    const again = await tell(ours);
    const all = async (side: Side, { tokens, replies }: Shown) => {
      return [...replies, await vendor.elsewhere(side, tokens.access?.value ?? '')].map(stable);
    };
    expect(await all(ours, again), JSON.stringify(account)).to.deep.equal(await all(theirs, shown));
    return [shown.tokens, again.tokens] as const;
  }

  /** One person, who signs in and is then given other members again and again. */
  async function holdFor(vendor: Vendor, person: number): Promise<void> {
    const { name, api } = vendor;
    const id = `acc_${name}${person}`;
    const generated = generatedAccounts(name, person);
    const first: Fields = { ...next(generated), status: 'active' };
    const login = first.email ?? '';
    await insert(theirs, vendor, { id, ...fieldsOf(first, name) });
    await insert(ours, vendor, { id, email: login });
    let [there, here] = await retold(vendor, id, first, (side) =>
      vendor.begin(side, api.signIn, { login, password: PASSWORD }),
    );
    const held = (side: Side) => (side === theirs ? there : here);
    for (let round = 1; round < ROUNDS; round += 1) {
      const account = next(generated);
      await replace(theirs, id, fieldsOf(account, name));
      await retold(vendor, id, account, (side) => vendor.bearer(side, held(side).access?.value ?? ''));
      if (api.refresh === undefined || round % 5 > 0) continue;
      [there, here] = await retold(vendor, id, account, (side) =>
        vendor.begin(side, api.refresh, { refreshToken: held(side).refresh?.value ?? '' }),
      );
    }
  }

  for (const vendor of everyDialect.map((info) => new Vendor(info))) {
    it(`M35 ${vendor.name}: ${PEOPLE * ROUNDS} accounts are shown alike afterwards`, async () => {
      await Promise.all(Array.from({ length: PEOPLE }, (_, person) => holdFor(vendor, person)));
    });
  }
});

const fieldsOf = ({ vendor, ...fields }: Fields, name: string) => ({ ...fields, vendor: { [name]: vendor } });

/** The account that is made of what the vendor says. */
function applied(
  { vendorId, account, createdAt, updatedAt, addressVerified }: Confirmed,
  name: string,
): Partial<AccountRecord> {
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

/** The account with these members instead of its own; what the account always keeps stays. */
async function replace({ server }: Side, id: string, fields: Partial<AccountRecord>): Promise<void> {
  const { accounts } = server.running.stores;
  const present = await accounts.byId(id);
  if (present === undefined) throw new Error(`There is no account ${id}.`);
  const { username: _, email: __, ...kept } = present;
  expect(await accounts.update({ ...kept, roles: [], ...fields })).to.equal('updated');
}

function next<Value>(values: Generator<Value>): Value {
  const { value, done } = values.next();
  if (done) throw new Error('The generator ended.');
  return value;
}

const VOLATILE = /^(token|access_token|refresh_token|refreshToken|expiry)$/;

/** Without what differs from one sign-in to the next. */
function stable(json: unknown): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map(stable);
  // Beside an expiry it is the token's age; of a user it is the account's.
  const isToken = 'expiry' in json;
  return Object.fromEntries(
    Object.entries(json)
      .filter(([member]) => !VOLATILE.test(member) && !(isToken && member === 'created'))
      .map(([member, value]) => [member, stable(value)]),
  );
}
