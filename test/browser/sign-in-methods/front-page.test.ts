/** The first page of a sign-in: what it offers, in the order that the organization says, and where an address leads. */
import { expect } from 'chai';
import { type Channel, headingOf, MARA, openChannel } from './sign-in-server.ts';

describe('the first page of a sign-in', () => {
  let channel: Channel;
  before(async () => {
    channel = await openChannel();
  });
  after(() => channel.close());

  async function arrange(branding: Record<string, string | string[]>): Promise<void> {
    const { organizations } = channel.server.running.stores;
    const known = await organizations.byId('default');
    if (known !== undefined) await organizations.put({ ...known, branding });
  }

  /** What stands on it, from top to bottom. */
  async function offered(branding: Record<string, string | string[]>): Promise<string[]> {
    await arrange(branding);
    const { body } = (await channel.begin()).page;
    const parts = /class="(or)"|name="(login|password)"|action="\/interaction\/[\w-]+\/([a-z/-]+)"/g;
    return [...body.matchAll(parts)]
      .map(([, ...found]) => String(found.find((part) => part !== undefined)))
      .filter((part) => part !== 'cancel');
  }

  it('has everything in the order that the organization says, and in a usual one where it says nothing', async () => {
    const both = ['sign-in', 'login', 'password', 'code/send'];
    const orders: [Record<string, string | string[]>, string[]][] = [
      [{}, [...both, 'or', 'with/google', 'with/apple']],
      [{ ways: [] }, [...both, 'or', 'with/google', 'with/apple']],
      [{ ways: ['apple', 'google', 'password', 'code'] }, ['with/apple', 'with/google', 'or', ...both]],
      [{ ways: ['google', 'password', 'apple', 'code'] }, ['with/google', 'or', ...both, 'or', 'with/apple']],
      [{ ways: ['code', 'google', 'password'] }, ['code/send', 'login', 'name', 'or', 'with/google']],
      [{ ways: ['code'] }, ['code/send', 'login']],
      [{ ways: ['google', 'google', 'nobody'] }, ['with/google']],
      [
        { ways: ['google', 'code', 'password'], sign_in: 'name-first' },
        ['with/google', 'or', 'code/send', 'login', 'name'],
      ],
      [{ sign_in: 'name-first' }, ['name', 'login', 'or', 'with/google', 'with/apple']],
    ];
    for (const [branding, order] of orders)
      expect(await offered(branding), JSON.stringify(branding)).to.deep.equal(order);
  });

  it('sends a code at once where the code comes first, and takes the password all the same', async () => {
    await arrange({ ways: ['code', 'password'] });
    const visit = await channel.begin();
    await visit.press('/code/send', { login: MARA.login });
    expect(headingOf(visit.page)).to.equal('Check your email');
    const other = await channel.begin();
    await other.press('/name', { login: MARA.login, by: 'password' });
    await other.press('/sign-in', { password: MARA.password });
    expect(other.at).to.be.a('string');
  });
});
