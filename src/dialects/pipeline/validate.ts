/**
 * What is asked of the dialects before the server listens. Every issue is named, all at once: a check
 * that is left out, two endpoints that answer one URL, settings that do not fit.
 */

import { OperatorError } from '../../core/errors.ts';
import { type Dialect, STEPS, type Step } from '../contract/dialect.ts';
import type { Endpoint } from '../contract/endpoint.ts';
import {
  byPrecedence,
  type CompiledMount,
  compileMount,
  fits,
  type Segment,
} from '../runtime/match-route.ts';
import { type MountedDialect, parseSettings } from '../runtime/mounted.ts';
import { legacyIssues } from './validate-legacy.ts';

export class DialectsRefused extends OperatorError {
  override readonly name = 'DialectsRefused';
  readonly issues: readonly string[];
  constructor(issues: readonly string[]) {
    super(`The dialects cannot be served:\n${issues.map((issue) => `  - ${issue}`).join('\n')}`);
    this.issues = issues;
  }
}

/** Steps that need the outcome of another. */
const AFTER: readonly (readonly [Step, Step])[] = [
  ['encoding', 'syntax'],
  ['size', 'syntax'],
  ['media', 'syntax'],
  ['syntax', 'fields'],
  ['credential', 'rights'],
  ['organization', 'fields'],
  ['organization', 'limits'],
];

function orderIssues(who: string, order: readonly Step[], { guards = {} }: Dialect): string[] {
  const its = `${who}: its order of checks`;
  const place = (step: Step) => order.indexOf(step);
  return [
    ...STEPS.filter((step) => place(step) < 0).map((step) => `${its} lacks '${step}'`),
    ...STEPS.filter((step) => place(step) !== order.lastIndexOf(step)).map(
      (step) => `${its} names '${step}' twice`,
    ),
    ...AFTER.filter(([before, after]) => place(after) >= 0 && place(before) > place(after)).map(
      ([before, after]) => `${who}: '${before}' must come before '${after}'`,
    ),
    ...order.flatMap((step) => {
      if (STEPS.some((known) => known === step)) return [];
      const [, guard] = /^guard:(.*)$/.exec(step) ?? [];
      if (guard === undefined) return [`${its} names '${step}', which is no step`];
      if (Object.hasOwn(guards, guard)) return [];
      return [`${its} names the guard '${guard}', which it does not have`];
    }),
  ];
}

type Mounted = CompiledMount<MountedDialect>;

/** A guard that no order names would never run. */
function idleGuards({ dialect }: MountedDialect, mounts: readonly Mounted[]): string[] {
  const own = mounts.filter((at) => at.owner.dialect === dialect).flatMap((at) => at.routes);
  const named = new Set([...dialect.order, ...own.flatMap(({ endpoint }) => endpoint.order ?? [])]);
  return Object.keys(dialect.guards ?? {})
    .filter((name) => !named.has(`guard:${name}`))
    .map((name) => `${dialect.name}: the guard '${name}' is in no order of checks`);
}

function segmentsMeet(a: Segment, b: Segment | undefined): boolean {
  if (b === undefined) return false;
  if (a.form !== undefined && b.form !== undefined) return true;
  return a.form === undefined ? fits(b, a.text) : fits(a, b.text);
}

function hostsMeet({ mount: { hosts: a } }: Mounted, { mount: { hosts: b } }: Mounted): boolean {
  return a === undefined || b === undefined || a.some((host) => b.includes(host));
}

interface Answering {
  readonly at: Mounted;
  readonly endpoint: Endpoint;
  /** Those of the base included. */
  readonly segments: readonly Segment[];
}

const pathOf = ({ segments }: Answering) => `/${segments.map(({ text }) => text).join('/')}`;

function spoken(one: Answering): string {
  const { hosts } = one.at.mount;
  return `${one.endpoint.method} ${pathOf(one)}${hosts ? ` on ${hosts.join(', ')}` : ''}`;
}

function collide(a: Answering, b: Answering): boolean {
  // One endpoint may answer in two places of its own dialect.
  if (a.at.owner.dialect === b.at.owner.dialect && a.endpoint.answer === b.endpoint.answer) return false;
  if (a.endpoint.method !== b.endpoint.method || a.segments.length !== b.segments.length) return false;
  return hostsMeet(a.at, b.at) && a.segments.every((segment, i) => segmentsMeet(segment, b.segments[i]));
}

/** Every two of a list. */
function pairsOf<Item>(list: readonly Item[]): (readonly [Item, Item])[] {
  return list.flatMap((one, index) => list.slice(index + 1).map((other) => [one, other] as const));
}

const nameOf = (at: { readonly owner: MountedDialect }) => at.owner.dialect.name;

function routeIssues(mounts: readonly Mounted[], reserved: (path: string) => boolean): string[] {
  const answers = mounts.flatMap((at) =>
    at.routes.map(({ endpoint, segments }) => ({ at, endpoint, segments: [...at.base, ...segments] })),
  );
  const taken = answers.filter((one) => one.at.mount.hosts === undefined && reserved(pathOf(one)));
  return [
    ...pairsOf(answers)
      .filter(([a, b]) => collide(a, b))
      .map(([a, b]) => `${nameOf(a.at)} and ${nameOf(b.at)} both answer ${spoken(a)} (${spoken(b)})`),
    ...taken.map(
      (one) => `${nameOf(one.at)} answers ${spoken(one)}, which is an endpoint of the OpenID Connect server`,
    ),
  ];
}

/** Two dialects that own one base would both want its 404s. */
function baseIssues(mounts: readonly Mounted[]): string[] {
  return pairsOf(mounts.filter(({ mount }) => mount.owns))
    .filter(([a, b]) => a.owner !== b.owner && a.mount.base === b.mount.base && hostsMeet(a, b))
    .map(([a, b]) => `${nameOf(a)} and ${nameOf(b)} both own the base '${a.mount.base}'`);
}

function formIssues(at: Mounted): string[] {
  const name = nameOf(at);
  const { base } = at.mount;
  const isForm = base === '' || (base.startsWith('/') && !base.endsWith('/'));
  const bare = at.routes.filter(({ endpoint }) => !endpoint.path.startsWith('/'));
  return [
    ...(isForm
      ? []
      : [`${name}: the base '${base}' must be empty, or begin with a slash and not end with one`]),
    ...bare.map(({ endpoint }) => `${name}: the path '${endpoint.path}' must begin with a slash`),
  ];
}

function sameClients(mounted: readonly MountedDialect[]): string[] {
  return pairsOf(mounted)
    .filter(([a, b]) => a.clientId === b.clientId)
    .map(([a, b]) => `${a.dialect.name} and ${b.dialect.name} both use the client '${a.clientId}'`);
}

/**
 * Checks everything and answers the mounts in order of precedence. `reserved`: paths that belong to the
 * server itself. Throws DialectsRefused.
 */
export function checkDialects(options: {
  readonly dialects: readonly Dialect[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly reserved: (path: string) => boolean;
}): { mounted: MountedDialect[]; mounts: Mounted[] } {
  const { dialects, settings, reserved } = options;
  const issues = pairsOf(dialects)
    .filter(([a, b]) => a.name === b.name)
    .map(([{ name }]) => `two dialects are named '${name}'`);
  issues.push(...dialects.flatMap((dialect) => orderIssues(dialect.name, dialect.order, dialect)));
  issues.push(...dialects.flatMap(legacyIssues));
  const mounted = parseSettings(dialects, settings, issues);
  const mounts = mounted
    .flatMap((owner) => owner.dialect.mounts(owner.settings).map((mount) => compileMount(owner, mount)))
    .sort(byPrecedence);
  for (const at of mounts) {
    issues.push(...formIssues(at));
    for (const { endpoint } of at.routes) {
      const who = `${nameOf(at)} ${endpoint.method} ${endpoint.path}`;
      if (endpoint.order) issues.push(...orderIssues(who, endpoint.order, at.owner.dialect));
    }
  }
  issues.push(...mounted.flatMap((owner) => idleGuards(owner, mounts)));
  issues.push(...routeIssues(mounts, reserved), ...baseIssues(mounts), ...sameClients(mounted));
  if (issues.length > 0) throw new DialectsRefused([...new Set(issues)]);
  return { mounted, mounts };
}
