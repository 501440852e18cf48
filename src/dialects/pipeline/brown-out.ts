/**
 * Brown-outs: windows in which new sign-ins are answered as unavailable, before a vendor's API ends for good. A token
 * that lives is never refused: me, refresh and sign-out go on.
 */
import { clientName } from '../../usage/client-name.ts';
import { Refused } from '../contract/dialect.ts';
import type { RequestView } from '../contract/endpoint.ts';
import type { DialectServices } from '../runtime/deps.ts';
import { organizationKnown } from '../runtime/directory.ts';
import { endpointName, type RouteMatch } from '../runtime/match-route.ts';
import type { MountedDialect } from '../runtime/mounted.ts';

export interface BrownedOut {
  readonly refusal: Refused;
  readonly organization: string | undefined;
  readonly stage?: undefined;
  readonly body?: undefined;
}

/** Undefined: the request goes its way. */
export async function brownOutOf(
  route: RouteMatch<MountedDialect>,
  request: RequestView,
  { identity, clock, brownOuts }: DialectServices,
): Promise<BrownedOut | undefined> {
  const { owner } = route.at;
  if (route.kind !== 'endpoint' || route.endpoint.begins !== 'sign-in') return undefined;
  const now = clock.now();
  const name = endpointName(route.endpoint);
  const client = clientName(request.header('user-agent') ?? '');
  const on = owner.deprecation?.brownouts.filter(
    ({ from, to, endpoints = [name], clients = ['*'] }) =>
      from <= now && now < to && endpoints.includes(name) && clients.some((each) => fitsClient(each, client)),
  );
  if (on === undefined || on.length === 0 || brownOuts?.areStopped(owner.dialect.name)) return undefined;
  const at = { request, endpoint: route.endpoint };
  // While the store is away the dialect could not answer either.
  const organization = await organizationKnown(identity, owner, at).catch(() => undefined);
  const window = on.find(({ except }) => organization === undefined || !except.includes(organization));
  if (window === undefined) return undefined;
  const retryAfter = (window.to.getTime() - now.getTime()) / 1000;
  return { refusal: new Refused('unavailable', { retryAfter, detail: 'a brown-out' }), organization };
}

/** `*` stands for any characters. Each part is looked for once, from left to right, so that no pattern is slow. */
export function fitsClient(pattern: string, client: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return client === pattern;
  if (!client.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = client.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return client.length - last.length >= at && client.endsWith(last);
}
