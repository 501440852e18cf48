/**
 * Back-channel logout, the second half: the deliverer of each node takes due deliveries from the outbox and sends
 * them to the clients. A node takes a delivery by compare-and-set, and the delivery becomes due again at the end of
 * the lease: two nodes do not send it at once, and it is not lost with the node that had it. After a failure the wait
 * doubles, and in the end the deliverer gives up.
 */
import type Provider from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import type { Clock } from '../../core/clock.ts';
import type { Audit } from '../../observe/audit.ts';
import type { Log } from '../../observe/log.ts';
import type { DeliveryRecord, DeliveryStore } from '../../store/ports/deliveries.ts';
import { logoutToken } from './logout-token.ts';

export type DeliveryOutcome = 'delivered' | 'failed' | 'dead';

export interface DelivererDeps {
  readonly provider: () => Provider;
  readonly deliveries: DeliveryStore;
  readonly fetch: (
    url: string,
    options: { method: string; headers: Record<string, string>; body: URLSearchParams; signal: AbortSignal },
  ) => Promise<Response>;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly log: Log;
  readonly limits: Config['oidc']['backchannelLogout'];
  readonly count: (outcome: DeliveryOutcome) => void;
  /** Revokes an upstream's token. Resolves with why it could not; undefined: it has. */
  readonly revoke: (delivery: DeliveryRecord) => Promise<string | undefined>;
}

/** How often the outbox is looked at for what became due, or what another process put there. Milliseconds. */
const EVERY = 1_000;
/** What a lease has beyond the time of the request itself. Milliseconds. */
const MARGIN = 5_000;
/** The wait after the first try, and the longest. Milliseconds. */
const FIRST_WAIT = 5_000;
const LONGEST_WAIT = 3_600_000;
/** The share of the concurrent requests that one client gets. A client that does not answer gets one at a time. */
const SHARE = 1 / 4;
/** How many clients that do not answer are remembered. */
const SILENT = 1_000;

export function createDeliverer(deps: DelivererDeps) {
  const { deliveries, clock, log, limits } = deps;
  const stopping = new AbortController();
  const sending = createSending(Math.ceil(limits.concurrency * SHARE));
  let timer: NodeJS.Timeout | undefined;
  let look: Promise<void> | undefined;
  let again = false;

  function wake(): void {
    again = true;
    if (timer === undefined || stopping.signal.aborted) return;
    look ??= lookWhileAsked()
      .catch((error) => log.warn({ err: error }, 'logouts could not be delivered; it is tried again'))
      .finally(() => {
        look = undefined;
      });
  }

  async function lookWhileAsked(): Promise<void> {
    while (again && !stopping.signal.aborted) {
      again = false;
      await takeDue();
    }
  }

  async function takeDue(): Promise<void> {
    const room = limits.concurrency - sending.count();
    if (room <= 0) return;
    const due = await deliveries.due(clock.now(), { limit: room, except: sending.fullClients() });
    for (const delivery of due) {
      const { clientId } = delivery;
      if (sending.isFull(clientId)) continue;
      void sending.add(clientId, take(delivery)).then(wake);
    }
  }

  /** Never rejects. Resolves with whether the client answered; undefined: this node did not ask it, or cannot tell. */
  async function take(delivery: DeliveryRecord): Promise<boolean | undefined> {
    try {
      const { tries, version } = delivery;
      const leaseEnds = new Date(clock.now().getTime() + limits.timeout * 1000 + MARGIN);
      const taken = { ...delivery, dueAt: leaseEnds, tries: tries + 1 };
      // Another node has it.
      if (!(await deliveries.update(taken))) return undefined;
      return await deliver({ ...taken, version: version + 1 }, deps, stopping.signal);
    } catch (error) {
      // The lease runs out, and it is tried again then.
      log.warn({ err: error, client: delivery.clientId }, 'the outcome of a logout could not be noted');
      return undefined;
    }
  }

  return {
    start() {
      timer ??= setInterval(wake, EVERY).unref();
      wake();
    },
    wake,
    /** What is under way is broken off, and due at once for the next node. */
    async stop() {
      stopping.abort();
      clearInterval(timer);
      await look;
      await sending.all();
    },
  };
}

/** Sends one delivery that was taken, and notes what came of it. */
async function deliver(taken: DeliveryRecord, deps: DelivererDeps, stopping: AbortSignal) {
  const { deliveries, clock } = deps;
  const problem = await send(taken, deps, stopping);
  if (problem === undefined) {
    await deliveries.remove(taken.id);
    note(deps, 'delivered', taken);
    return true;
  }
  if (stopping.aborted) {
    await deliveries.update({ ...taken, tries: taken.tries - 1, dueAt: clock.now() });
    return undefined;
  }
  const next = new Date(clock.now().getTime() + waitAfter(taken.tries));
  const { dueAt: _lease, ...givenUp } = { ...taken, problem };
  const isDead = next > taken.endsAt;
  if (await deliveries.update(isDead ? givenUp : { ...givenUp, dueAt: next })) {
    note(deps, isDead ? 'dead' : 'failed', givenUp);
  }
  return problem.startsWith('HTTP ');
}

/** Twice as long each time, and not the same for all that failed together. */
function waitAfter(tries: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1)) * (0.8 + Math.random() * 0.4);
}

/** Why the client has not taken it; undefined: it has. Never rejects, and names nothing secret. */
async function send(
  delivery: DeliveryRecord,
  { provider, fetch, limits, revoke }: DelivererDeps,
  stopping: AbortSignal,
): Promise<string | undefined> {
  try {
    if (delivery.revokes) return await revoke(delivery);
    const client = await provider().Client.find(delivery.clientId);
    if (client?.backchannelLogoutUri === undefined)
      return 'the client has no backchannel_logout_uri any more';
    const { status } = await fetch(client.backchannelLogoutUri, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ logout_token: await logoutToken(provider(), client, delivery) }),
      signal: AbortSignal.any([stopping, AbortSignal.timeout(limits.timeout * 1000)]),
    });
    return status === 200 || status === 204 ? undefined : `HTTP ${status}`;
  } catch (error) {
    const { code, message } = Object(error);
    if (code === 'ABORT_ERR') return 'no answer in time';
    return String(code ?? message).slice(0, 200);
  }
}

function note(
  { audit, count, log }: DelivererDeps,
  outcome: DeliveryOutcome,
  delivery: DeliveryRecord,
): void {
  const { id, clientId, accountId, organization, tries, problem, revokes } = delivery;
  if (!revokes) count(outcome);
  if (outcome === 'failed') {
    const what = revokes ? 'a token waits for its revocation' : 'a logout waits for its client';
    log.info({ client: clientId, tries, problem }, what);
    return;
  }
  const dead = outcome === 'dead';
  const detail = { delivery: id, tries, ...(dead && problem !== undefined && { problem }) };
  const named = { subject: accountId, ...(organization && { organization }) };
  const result = dead ? 'error' : 'success';
  if (revokes) {
    const event = dead ? 'upstream-token.dead' : 'upstream-token.revoke';
    audit.write({ event, outcome: result, ...named, detail: { ...detail, provider: clientId } });
  } else audit.write({ event: `logout.${outcome}`, outcome: result, clientId, ...named, detail });
}

/** What is being sent, by client. */
function createSending(perClient: number) {
  const works = new Set<Promise<unknown>>();
  const busy = new Map<string, number>();
  const silent = new Set<string>();
  const isFull = (clientId: string) => (busy.get(clientId) ?? 0) >= (silent.has(clientId) ? 1 : perClient);
  return {
    isFull,
    count: () => works.size,
    fullClients: () => [...busy.keys()].filter(isFull),
    add(clientId: string, work: Promise<boolean | undefined>): Promise<void> {
      busy.set(clientId, (busy.get(clientId) ?? 0) + 1);
      const whole = work.then((answered) => {
        works.delete(whole);
        const left = (busy.get(clientId) ?? 1) - 1;
        if (left === 0) busy.delete(clientId);
        else busy.set(clientId, left);
        if (answered === true) silent.delete(clientId);
        if (answered === false && silent.size < SILENT) silent.add(clientId);
      });
      works.add(whole);
      return whole;
    },
    all: () => Promise.all(works),
  };
}
