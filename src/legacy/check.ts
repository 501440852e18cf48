/**
 * What an operator wants to know of a legacy system before people depend on it: whether it is there and speaks the
 * vendor's API, whether its name leads back here, its certificate, its clock. No person is signed in, and nothing changes.
 */
import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import type { OrganizationView } from '../dialects/contract/dialect.ts';
import type { Question } from '../dialects/contract/legacy-api.ts';
import type { MigratingDialect } from '../dialects/runtime/mounted.ts';
import type { RequestContext } from '../identity/context.ts';
import { headerOf, NoReply, openConnection, placeOnNetwork, type WireReply } from './call.ts';
import { LOOP_DETECTED } from './loop.ts';
import { createPrepare, judged } from './question.ts';

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly says: string;
}

export const ok = (check: string, says: string): Finding => ({ check, state: 'ok', says });
export const warning = (check: string, says: string): Finding => ({ check, state: 'warning', says });
export const failed = (check: string, says: string): Finding => ({ check, state: 'failed', says });

/** A token that no server has made. */
const MADE_UP = 'portico-migration-check';
/** Seconds by which clocks may differ without a word, and without harm. */
const CLOCKS_AGREE = 5;
const CLOCKS_DIFFER = 60;
const DAYS_OF_WARNING = 21;

export async function checkReachability(options: {
  readonly mounted: MigratingDialect;
  readonly organization: OrganizationView;
  readonly via: string;
  readonly ownPorts: readonly number[];
  readonly clock: Clock;
  readonly context: RequestContext;
}): Promise<Finding[]> {
  const { mounted, clock } = options;
  const connection = openConnection({ ...options, legacy: mounted.legacy });
  try {
    const question: Question<{ token: string }> | undefined = mounted.dialect.legacy?.person;
    if (question === undefined) return [failed('reachable', 'the dialect does not say how it is asked')];
    const prepared = createPrepare(mounted)(question, { token: MADE_UP }, options);
    if (prepared === undefined)
      return [failed('reachable', 'the question has no path in the dialect’s table')];
    const reply = await connection.send(prepared.request);
    return [
      answering(reply, question),
      ...(await certificate(mounted.legacy, clock)),
      clockOf(reply, clock.now()),
    ];
  } catch (error) {
    if (error instanceof NoReply) return [failed('reachable', error.message)];
    throw error;
  } finally {
    await connection.close();
  }
}

function answering(reply: WireReply, question: Question<{ token: string }>): Finding {
  if (reply.status === LOOP_DETECTED) {
    return failed('loop', 'its name leads back to this server: set dialects.<name>.legacy.address');
  }
  const { result: answer } = judged(reply, question, { token: MADE_UP });
  if (answer === 'no') return ok('reachable', 'it answers, and refuses a token that was made up');
  if ('yes' in answer) return failed('reachable', 'it takes a token that was made up for a good one');
  return failed('reachable', `it does not answer as the vendor’s API does: ${answer.away}`);
}

function clockOf(reply: WireReply, now: Date): Finding {
  const time = Date.parse(headerOf(reply.headers, 'date') ?? '');
  if (Number.isNaN(time)) return warning('clock', 'its replies tell no time');
  const off = Math.round(Math.abs(time - now.getTime()) / 1000);
  if (off <= CLOCKS_AGREE) return ok('clock', 'it agrees with this server’s');
  const says = `it is ${off} s off this server’s: tokens seem to begin or end at other times`;
  return off <= CLOCKS_DIFFER ? warning('clock', says) : failed('clock', says);
}

/** Only of a server that has been reached, so its certificate is good. */
async function certificate(legacy: MigratingDialect['legacy'], clock: Clock): Promise<Finding[]> {
  if (!legacy.url.startsWith('https:')) return [];
  const { name, host, port } = placeOnNetwork(legacy);
  const until = await new Promise<string>((resolve) => {
    const named = isIP(name) === 0 ? { servername: name } : {};
    const socket = connect({ host, port, ...named, rejectUnauthorized: false });
    socket.setTimeout(legacy.timeout, () => socket.destroy());
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate().valid_to);
      socket.end();
    });
    socket.once('error', () => resolve('')).once('close', () => resolve(''));
  });
  const days = Math.floor((Date.parse(until) - clock.now().getTime()) / 86_400_000);
  if (Number.isNaN(days)) return [warning('certificate', 'its end could not be read')];
  const says = `it ends in ${days} days`;
  return [days < DAYS_OF_WARNING ? warning('certificate', says) : ok('certificate', says)];
}

/**
 * An attacker who registered a victim's address at one vendor would get into the victim's account of the other. Where
 * neither proved addresses, the people of each need an organization of their own.
 */
export function checkNeighbours(
  mounted: MigratingDialect,
  {
    own,
    others,
  }: {
    /** Organizations of this one, and of the others without proven addresses. */
    readonly own: readonly string[];
    readonly others: readonly { readonly name: string; readonly organizations: readonly string[] }[];
  },
): Finding[] {
  if (mounted.legacy.addresses === 'verified') return [];
  const shared = others.flatMap(({ name, organizations }) => {
    const both = organizations.filter((id) => own.includes(id));
    return both.length === 0 ? [] : [`${name} (${both.join(', ')})`];
  });
  if (shared.length === 0)
    return [ok('organizations', 'no other legacy system without proven addresses shares them')];
  const says = `neither proved its addresses, so no account is joined by its address there: ${shared.join('; ')}`;
  return [warning('organizations', says)];
}
