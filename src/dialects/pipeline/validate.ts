/**
 * What is asked of the dialects before the server listens. Every issue is named, all at once: a check
 * that is left out, two endpoints that answer one URL, settings that do not fit.
 */

import { OperatorError } from '../../core/errors.ts';
import { type Dialect, STEPS, type Step } from '../contract/dialect.ts';
import {
  byPrecedence,
  type CompiledMount,
  compileMount,
  fits,
  type Segment,
} from '../runtime/match-route.ts';
import { type MountedDialect, parseSettings } from '../runtime/mounted.ts';

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

function orderIssues(who: string, order: readonly Step[], guards: readonly string[]): string[] {
  const issues: string[] = [];
  for (const step of STEPS) {
    const times = order.filter((listed) => listed === step).length;
    if (times === 0) issues.push(`${who}: its order of checks lacks '${step}'`);
    if (times > 1) issues.push(`${who}: its order of checks names '${step}' twice`);
  }
  for (const [before, after] of AFTER) {
    const [first, second] = [order.indexOf(before), order.indexOf(after)];
    if (first > second && second >= 0) issues.push(`${who}: '${before}' must come before '${after}'`);
  }
  for (const step of order) {
    if (STEPS.some((known) => known === step)) continue;
    const guard = step.startsWith('guard:') ? step.slice('guard:'.length) : undefined;
    if (guard === undefined) issues.push(`${who}: its order of checks names '${step}', which is no step`);
    else if (!guards.includes(guard))
      issues.push(`${who}: its order of checks names the guard '${guard}', which it does not have`);
  }
  return issues;
}

/** A guard that no order names would never run. */
function idleGuards({ dialect }: MountedDialect, mounts: readonly CompiledMount<MountedDialect>[]): string[] {
  const own = mounts.filter((at) => at.owner.dialect === dialect).flatMap((at) => at.routes);
  const named = new Set([...dialect.order, ...own.flatMap(({ endpoint }) => endpoint.order ?? [])]);
  return Object.keys(dialect.guards ?? {})
    .filter((name) => !named.has(`guard:${name}`))
    .map((name) => `${dialect.name}: the guard '${name}' is in no order of checks`);
}

function segmentsMeet(a: Segment, b: Segment): boolean {
  if (a.name === undefined && b.name === undefined) return a.text === b.text;
  if (a.name === undefined) return fits(b.form, a.text);
  if (b.name === undefined) return fits(a.form, b.text);
  return true;
}

function hostsMeet(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a === undefined || b === undefined || a.some((host) => b.includes(host));
}

interface Answering {
  readonly dialect: Dialect;
  readonly hosts: readonly string[] | undefined;
  readonly method: string;
  readonly segments: readonly Segment[];
  readonly answer: unknown;
}

const spoken = (one: Answering) =>
  `${one.method} /${one.segments.map((segment) => segment.text).join('/')}${one.hosts ? ` on ${one.hosts.join(', ')}` : ''}`;

function answersOf(at: CompiledMount<MountedDialect>): Answering[] {
  return at.routes.map(({ endpoint, segments }) => ({
    dialect: at.owner.dialect,
    hosts: at.mount.hosts,
    method: endpoint.method,
    segments: [...at.base, ...segments],
    answer: endpoint.answer,
  }));
}

function collide(a: Answering, b: Answering): boolean {
  // One endpoint may answer in two places of its own dialect.
  if (a.dialect === b.dialect && a.answer === b.answer) return false;
  if (a.method !== b.method || a.segments.length !== b.segments.length || !hostsMeet(a.hosts, b.hosts))
    return false;
  return a.segments.every((segment, index) => {
    const other = b.segments[index];
    return other !== undefined && segmentsMeet(segment, other);
  });
}

function routeIssues(
  mounts: readonly CompiledMount<MountedDialect>[],
  reserved: (path: string) => boolean,
): string[] {
  const answers = mounts.flatMap(answersOf);
  const issues: string[] = [];
  for (const [index, one] of answers.entries()) {
    for (const other of answers.slice(index + 1)) {
      if (!collide(one, other)) continue;
      issues.push(
        `${one.dialect.name} and ${other.dialect.name} both answer ${spoken(one)} (${spoken(other)})`,
      );
    }
    const path = `/${one.segments.map((segment) => segment.text).join('/')}`;
    if (one.hosts === undefined && reserved(path)) {
      issues.push(
        `${one.dialect.name} answers ${spoken(one)}, which is an endpoint of the OpenID Connect server`,
      );
    }
  }
  return issues;
}

/** Two dialects that own one base would both want its 404s. */
function baseIssues(mounts: readonly CompiledMount<MountedDialect>[]): string[] {
  const owning = mounts.filter((at) => at.mount.owns);
  return owning.flatMap((one, index) =>
    owning
      .slice(index + 1)
      .filter(
        (other) =>
          one.owner !== other.owner &&
          one.mount.base === other.mount.base &&
          hostsMeet(one.mount.hosts, other.mount.hosts),
      )
      .map(
        (other) =>
          `${one.owner.dialect.name} and ${other.owner.dialect.name} both own the base '${one.mount.base}'`,
      ),
  );
}

function formIssues(at: CompiledMount<MountedDialect>): string[] {
  const name = at.owner.dialect.name;
  const issues: string[] = [];
  const { base } = at.mount;
  if (base !== '' && (!base.startsWith('/') || base.endsWith('/'))) {
    issues.push(`${name}: the base '${base}' must be empty, or begin with a slash and not end with one`);
  }
  for (const { endpoint } of at.routes) {
    if (!endpoint.path.startsWith('/'))
      issues.push(`${name}: the path '${endpoint.path}' must begin with a slash`);
  }
  return issues;
}

function sameNames(dialects: readonly Dialect[]): string[] {
  const names = dialects.map((dialect) => dialect.name);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))].map(
    (name) => `two dialects are named '${name}'`,
  );
}

function sameClients(mounted: readonly MountedDialect[]): string[] {
  return mounted.flatMap((one, index) =>
    mounted
      .slice(index + 1)
      .filter((other) => other.clientId === one.clientId)
      .map((other) => `${one.dialect.name} and ${other.dialect.name} both use the client '${one.clientId}'`),
  );
}

/**
 * Checks everything and answers the mounts in order of precedence. `reserved`: paths that belong to the
 * server itself. Throws DialectsRefused.
 */
export function checkDialects(options: {
  readonly dialects: readonly Dialect[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly reserved: (path: string) => boolean;
}): { mounted: MountedDialect[]; mounts: CompiledMount<MountedDialect>[] } {
  const issues = sameNames(options.dialects);
  for (const dialect of options.dialects) {
    issues.push(...orderIssues(dialect.name, dialect.order, Object.keys(dialect.guards ?? {})));
  }
  const mounted = parseSettings(options.dialects, options.settings, issues);
  const mounts = mounted
    .flatMap((owner) => owner.dialect.mounts(owner.settings).map((mount) => compileMount(owner, mount)))
    .sort(byPrecedence);
  for (const at of mounts) {
    const { dialect } = at.owner;
    issues.push(...formIssues(at));
    for (const { endpoint } of at.routes) {
      if (endpoint.order === undefined) continue;
      const who = `${dialect.name} ${endpoint.method} ${endpoint.path}`;
      issues.push(...orderIssues(who, endpoint.order, Object.keys(dialect.guards ?? {})));
    }
  }
  issues.push(...mounted.flatMap((owner) => idleGuards(owner, mounts)));
  issues.push(...routeIssues(mounts, options.reserved), ...baseIssues(mounts), ...sameClients(mounted));
  if (issues.length > 0) throw new DialectsRefused([...new Set(issues)]);
  return { mounted, mounts };
}
