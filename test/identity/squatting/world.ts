/** What the two sides of a squatted address need: a server with all dialects and a clinic's key. */
import { apiKeyRecord } from '../../../src/seed/records.ts';
import { type Channel, openChannel } from '../../browser/sign-in-methods/sign-in-server.ts';
import { type HttpClient, type Incoming, openClient } from '../../support/http-client.ts';

export const PASSWORD = 'Magnet-Willow-Harbor-47';
export const CLINIC_KEY = 'ab'.repeat(16);

export interface Squatted {
  readonly channel: Channel;
  readonly client: HttpClient;
  /** The only person in question; the address is Google's to vouch for. */
  readonly email: string;
  /** Everyone who opens a page comes from a client address of their own. */
  post(path: string, json: object, headers?: Record<string, string>): Promise<Incoming>;
  /** The first group of the pattern in an email that came to the address after the call. */
  nextEmail(pattern: RegExp): Promise<string>;
}

export async function openSquattedChannel(): Promise<{
  channel: Channel;
  at(email: string): Squatted;
  close(): Promise<void>;
}> {
  const channel = await openChannel({
    config: {
      dialects: {
        // Every proof is to be had at every account, wherever it was opened.
        avycenna: { admitsFrom: ['vsee'] },
        careportals: { organization: 'default', admitsFrom: ['avycenna', 'vsee'] },
        medisync: { admitsFrom: ['avycenna', 'vsee'], limits: { resend: '100/1m' } },
        vsee: { admitsFrom: ['avycenna'] },
      },
    },
  });
  const { stores, identity } = channel.server.running;
  const organization = await stores.organizations.byId('default');
  if (organization === undefined) throw new Error('There is no organization.');
  await stores.organizations.put({
    ...organization,
    vendor: { ...organization.vendor, vsee: { sso: true } },
  });
  const key = { organization: 'default', vendor: 'vsee', name: 'clinic', key: CLINIC_KEY };
  const context = { secrets: identity.secrets, accountId: undefined, now: new Date() };
  await stores.apiKeys.insert(apiKeyRecord(key, context));
  const client = openClient(channel.server.url);
  let addresses = 0;
  return {
    channel,
    at: (email) => ({
      channel,
      client,
      email,
      post(path, json, headers = {}) {
        addresses += 1;
        return client.send({
          method: 'POST',
          path,
          body: JSON.stringify(json),
          headers: {
            'content-type': 'application/json',
            'x-forwarded-for': `10.9.${addresses >> 8}.${addresses & 255}`,
            ...headers,
          },
        });
      },
      async nextEmail(pattern) {
        const { text } = await channel.server.mail.take(email);
        return pattern.exec(text)?.[1] ?? '';
      },
    }),
    async close() {
      client.close();
      await channel.close();
    },
  };
}
