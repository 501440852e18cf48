/**
 * B5, W7: a channel that sends an email to those whom it knows does the same work for everybody else. What that
 * work costs is too little to be seen in times on a busy machine, so its calls of the store are compared; and
 * the email itself is made and sent when the reply has gone out.
 */
import { expect } from 'chai';
import type { AccountRecord } from '../../../src/model/account.ts';
import { openWorld, type Sent, type World } from './world.ts';

interface EmailChannel {
  readonly name: string;
  send(email: string): Omit<Sent, 'from'>;
  /** Who gets an email there, beside an address that nobody has; and who gets none. */
  readonly known: Parameters<World['person']>[0];
  readonly left: Parameters<World['person']>[0];
  /** Emails to one mailbox, where the channel has a quota of its own that no reply shows. */
  readonly quota?: number;
}

const inDefault = { organization: 'default', password: null } as const;
const post = (path: string, json: unknown, headers = {}) => ({ method: 'POST', path, json, headers });
const blocked = { ...inDefault, status: 'blocked' } as const;

const channels: readonly EmailChannel[] = [
  {
    name: 'avycenna /api/v1/auth/otp/send',
    send: (email) => post('/api/v1/auth/otp/send', { email }),
    known: inDefault,
    left: blocked,
  },
  {
    name: 'careportals /patient/auth/forgot',
    send: (email) => post('/patient/auth/forgot', { email }, { organization: 'default' }),
    known: { ...inDefault, roles: ['patient'] },
    left: { ...blocked, roles: ['patient'] },
    quota: 3,
  },
  {
    name: 'medisync /api/verification/resend',
    send: (email) => post('/api/verification/resend', { email }),
    known: { ...inDefault, verified: false },
    left: { ...inDefault, verified: true },
  },
  {
    name: 'vsee /api_v3/users/reset_password',
    send: (email) => post('/api_v3/users/reset_password', { email }),
    known: inDefault,
    left: blocked,
    quota: 10,
  },
  {
    name: 'vsee /api_v3/users/reset_password, not yet activated',
    send: (email) => post('/api_v3/users/reset_password', { email }),
    known: { ...inDefault, status: 'inactive' },
    left: blocked,
    quota: 10,
  },
];

describe('B5 an email', () => {
  let world: World;
  const calls: string[] = [];
  const unwatched: (() => void)[] = [];

  before(async () => {
    world = await openWorld({ config: { dialects: { vsee: { limits: { letters: '100/1h' } } } } });
    for (const [port, methods] of Object.entries(world.server.running.stores)) {
      if (typeof methods !== 'object') continue;
      for (const [name, method] of Object.entries(methods as Record<string, unknown>)) {
        if (typeof method !== 'function') continue;
        const watched = (...input: unknown[]) => {
          calls.push(`${port}.${name}`);
          return method.apply(methods, input);
        };
        Object.assign(methods, { [name]: watched });
        unwatched.push(() => Object.assign(methods, { [name]: method }));
      }
    }
  });
  after(async () => {
    for (const unwatch of unwatched) unwatch();
    await world.close();
  });

  /**
   * Calls of the store for a request. The audit trail writes, and the brand of an email is looked up, when it
   * comes: after the reply. Usage is stored, and deliveries are looked for, by the clock. A code and a link are one
   * record either way.
   */
  async function callsOf(channel: EmailChannel, email: string): Promise<string[]> {
    calls.length = 0;
    const reply = await world.send(channel.send(email));
    expect(reply.status, reply.text).to.be.oneOf([200, 201]);
    return calls
      .filter((call) => !/^(audit|usage|deliveries)\.|^organizations\.byId$/.test(call))
      .map((call) => call.replace(/^(codes|linkTokens)\.put$/, 'code or link'))
      .sort();
  }

  const emailOf = async (who: Promise<AccountRecord>) => (await who).email ?? '';

  for (const channel of channels) {
    it(`B5 W7 costs the same calls of the store for everybody at ${channel.name}`, async () => {
      const known = await emailOf(world.person(channel.known));
      const left = await emailOf(world.person(channel.left));
      // Neither has an id of the vendor yet: one that was made now would take the time of a write, once.
      const unknown = await callsOf(channel, 'unheard-of@matrix.test');
      expect(unknown.length).to.be.greaterThan(2);
      expect(await callsOf(channel, known), 'known').to.deep.equal(unknown);
      expect(await callsOf(channel, left), 'known, and gets none').to.deep.equal(unknown);
      if (channel.quota === undefined) return;
      for (let sent = 2; sent <= channel.quota; sent += 1) await callsOf(channel, known);
      expect(await callsOf(channel, known), 'over the quota').to.deep.equal(unknown);
    });
  }
});
