/**
 * Back-channel logout (OpenID Connect Back-Channel Logout 1.0): every client of a browser session is told that the
 * session has ended. This file notes whom to tell, before the session goes; deliverer.ts tells them, logout-token.ts
 * makes what they are told. Whatever ends a session asks here: endSession and the account's ender
 * (access/grants.ts), and the provider (extensions/browser-session.ts).
 */
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import type { Audit } from '../../observe/audit.ts';
import type { DeliveryRecord, DeliveryStore } from '../../store/ports/deliveries.ts';
import type { ClientRegistry } from '../clients/clients.ts';

/** A session as one of its clients knows it. */
export interface EndedSignIn {
  readonly clientId: string;
  readonly accountId: string;
  readonly sid: string;
}

export type LogoutOutbox = ReturnType<typeof createLogoutOutbox>;

/** How long an operator may have a delivery that was given up sent again. Milliseconds. */
const KEPT_GIVEN_UP = 7 * 86_400_000;

export function createLogoutOutbox(deps: {
  deliveries: DeliveryStore;
  clients: ClientRegistry;
  secrets: Secrets;
  clock: Clock;
  audit: Audit;
  /** Seconds. */
  maximumAge: number;
}) {
  const { deliveries, clients, secrets, clock, audit, maximumAge } = deps;
  let wake = () => {};

  async function deliveryOf({ clientId, accountId, sid }: EndedSignIn): Promise<DeliveryRecord[]> {
    const client = await clients.record(clientId);
    if (typeof client?.metadata.backchannel_logout_uri !== 'string') return [];
    return [
      {
        id: Buffer.from(secrets.hmac('logout-delivery', sid), 'base64url').toString('hex', 0, 16),
        ...{ clientId, accountId, sid, organization: client.organization },
        createdAt: clock.now(),
        ...lifeFrom(clock.now(), maximumAge),
        ...{ tries: 0, version: 1 },
      },
    ];
  }

  return {
    /**
     * Resolves once it is certain that the clients will be told. To be awaited before the session ends: an end that
     * fails in between tells them of a sign-out that the person has to ask for again, and none is lost.
     */
    async queue(ended: readonly EndedSignIn[]): Promise<void> {
      const records = (await Promise.all(ended.map(deliveryOf))).flat();
      if (records.length === 0) return;
      const added = new Set(await deliveries.add(records));
      for (const { id, clientId, accountId, organization } of records) {
        if (!added.has(id)) continue;
        const named = { clientId, subject: accountId, ...(organization && { organization }) };
        audit.write({ event: 'logout.queued', outcome: 'success', ...named, detail: { delivery: id } });
      }
      wake();
    },
    /** `awake`: called when there is something to deliver. */
    follow(awake: () => void) {
      wake = awake;
    },
  };
}

/** From when to when a delivery is tried, and how long it is kept. `maximumAge`: seconds. */
export function lifeFrom(
  now: Date,
  maximumAge: number,
): Pick<DeliveryRecord, 'dueAt' | 'endsAt' | 'expiresAt'> {
  const endsAt = new Date(now.getTime() + maximumAge * 1000);
  return { dueAt: now, endsAt, expiresAt: new Date(endsAt.getTime() + KEPT_GIVEN_UP) };
}
