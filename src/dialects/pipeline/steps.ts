/**
 * The checks that stand before every endpoint, one function each. Their order is the dialect's; that all
 * of them run is the pipeline's. Each reads from the exchange what earlier ones found, and throws Refused.
 */
import type { z } from 'zod';
import { readBody, refuseEncoding } from '../../http/request/read-body.ts';
import { createUse } from '../capabilities/capabilities.ts';
import { type FieldIssue, Refused, type Step } from '../contract/dialect.ts';
import type { AcceptsShape } from '../contract/endpoint.ts';
import type { LimitRule } from '../contract/limits.ts';
import { directoryOf } from '../runtime/directory.ts';
import { formFields } from '../runtime/parse-form.ts';
import type { DialectRequest } from '../runtime/request-context.ts';
import { findCaller } from './authenticate.ts';
import { bodyKind, parseBody } from './parse-body.ts';
import { applyLimits } from './rate-limits.ts';

type Check = (exchange: DialectRequest) => void | Promise<void>;

/** 'too-large'. The server drops a body that is not read. */
async function size(exchange: DialectRequest): Promise<void> {
  if (exchange.reading === 'left') return;
  exchange.bytes = await readBody(exchange.context.req, { limit: exchange.rules.limit });
}

/** Runs a check of the body; where the dialect takes what cannot be read for `{}`, the outcome is that. */
async function readable(exchange: DialectRequest, check: Check): Promise<void> {
  if (exchange.reading !== 'read' || exchange.unreadable) return;
  try {
    await check(exchange);
  } catch (refusal) {
    if (!(refusal instanceof Refused) || exchange.rules.unreadable === 'refuse') throw refusal;
    exchange.unreadable = true;
  }
}

/** 'unsupported-encoding': nothing is ever unpacked. */
function encoding(exchange: DialectRequest): Promise<void> {
  return readable(exchange, ({ context }) => refuseEncoding(context.req));
}

/** 'unsupported-media-type', 'empty-body'. */
function media(exchange: DialectRequest): Promise<void> {
  return readable(exchange, ({ rules, context, bytes }) => {
    exchange.kind = bodyKind(rules, context.req.headers['content-type'], bytes);
  });
}

/** 'unreadable-body', 'not-an-object'. */
function syntax(exchange: DialectRequest): Promise<void> {
  return readable(exchange, async ({ kind, bytes, rules, context }) => {
    if (kind === undefined) return;
    const contentType = context.req.headers['content-type'];
    exchange.raw = await parseBody({ bytes, kind, rules, contentType });
  });
}

/** A credential of one organization is no credential in another, unless the dialect has said so before. */
function refuseForeign({ caller, organization }: DialectRequest): void {
  if (caller === undefined || organization === undefined || caller.organization === organization.id) return;
  throw new Refused(caller.kind === 'token' ? 'invalid-token' : 'invalid-api-key', {
    detail: 'of another organization',
  });
}

/** 'unknown-organization', 'wrong-organization'. */
async function organization(exchange: DialectRequest): Promise<void> {
  const { mounted, endpoint, request, services, caller } = exchange;
  const directory = directoryOf(services.identity, mounted.dialect.name);
  const { settings } = mounted;
  const named = await mounted.dialect.organization({ request, endpoint, settings, caller, directory });
  if (named === undefined) return;
  exchange.organization = await directory.byId(named);
  if (exchange.organization === undefined) throw new Refused('unknown-organization');
  refuseForeign(exchange);
}

/** Guesses at API keys from one client address, over all organizations. A right key is never limited (K3). */
const guessesFrom = (address: string): LimitRule => ({
  counter: 'api-key-guesses',
  key: address,
  limit: 100,
  window: 900,
  kind: 'sliding',
  charge: 'each',
});

/** Requests without a good credential may have limits of their own; over them, 429 hides what was wrong. */
async function refusedCredential(exchange: DialectRequest, refusal: unknown): Promise<never> {
  const { mounted, request, caller, body, endpoint } = exchange;
  const { dialect, settings } = mounted;
  if (!(refusal instanceof Refused)) throw refusal;
  const own = dialect.limitsOnRefusedCredential?.({ request, settings, caller, body, endpoint }) ?? [];
  const rules = refusal.reason === 'invalid-api-key' ? [...own, guessesFrom(request.address)] : own;
  // A known caller without the right belongs to an organization; an unknown one to none.
  const counting =
    caller === undefined
      ? { services: exchange.services, dialect: dialect.name, organization: '' }
      : countingOf(exchange);
  const outcome = await applyLimits(counting, rules);
  exchange.charged.push(...outcome.charged);
  throw outcome.refusal ?? refusal;
}

function needsCaller({ endpoint, raw, request }: DialectRequest): boolean {
  return endpoint.caller !== 'anyone' || endpoint.needsCaller?.({ raw, request }) === true;
}

/** 'no-credential', 'invalid-token', 'invalid-api-key'. Open endpoints do not look at one. */
async function credential(exchange: DialectRequest): Promise<void> {
  if (!needsCaller(exchange)) return;
  const { mounted, endpoint, request, services } = exchange;
  try {
    exchange.credential = mounted.dialect.credential(request, endpoint, mounted.settings);
    const takes = endpoint.caller;
    exchange.caller = await findCaller({ services, mounted, credential: exchange.credential, takes });
    refuseForeign(exchange);
  } catch (refusal) {
    exchange.caller = undefined;
    await refusedCredential(exchange, refusal);
  }
}

/** 'forbidden', 'insufficient-scope', and what else the endpoint says. */
async function rights(exchange: DialectRequest): Promise<void> {
  const { endpoint, caller, request, mounted, params, organization: named } = exchange;
  if (caller === undefined) return;
  try {
    endpoint.rights?.({ caller, request, settings: mounted.settings, params, organization: named });
  } catch (refusal) {
    await refusedCredential(exchange, refusal);
  }
}

/** The schemas of an endpoint under these settings. */
export function schemasOf({ endpoint, mounted }: Pick<DialectRequest, 'endpoint' | 'mounted'>): AcceptsShape {
  const { accepts } = endpoint;
  return (typeof accepts === 'function' ? accepts(mounted.settings) : accepts) ?? {};
}

/** zod's issues, in zod's order and words. */
function issuesOf(error: z.ZodError): FieldIssue[] {
  return error.issues.map((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const code: unknown = issue.code === 'custom' ? issue.params?.code : undefined;
    return typeof code === 'string'
      ? { path, message: issue.message, code }
      : { path, message: issue.message };
  });
}

/** 'invalid-fields', with every issue. */
async function fields(exchange: DialectRequest): Promise<void> {
  const { endpoint, raw, rules, request, mounted, caller } = exchange;
  const schemas = schemasOf(exchange);
  const issues: FieldIssue[] = [];
  const body = schemas.body?.safeParse(raw);
  if (body?.success === false) issues.push(...issuesOf(body.error));
  const query = schemas.query?.safeParse(formFields(request.query, rules.forms));
  if (query?.success === false) issues.push(...issuesOf(query.error));
  if (endpoint.alsoJudge !== undefined) {
    const use = useOf(exchange);
    const { settings } = mounted;
    const further = await endpoint.alsoJudge({ raw, issues: [...issues], use, settings, request, caller });
    issues.push(...further.filter((issue) => !issues.includes(issue)));
  }
  if (issues.length > 0) throw new Refused('invalid-fields', { issues });
  exchange.body = body?.data;
  exchange.query = query?.data;
}

/** Whose counters: this dialect's, in the organization that the request belongs to. */
export function countingOf({ services, mounted, organization: named }: DialectRequest) {
  return { services, dialect: mounted.dialect.name, organization: named?.id ?? '' };
}

/** 'too-many-requests' by the vendor's own limits. */
async function limits(exchange: DialectRequest): Promise<void> {
  const { endpoint, request, mounted, caller, body } = exchange;
  const rules = endpoint.limits?.({ request, settings: mounted.settings, caller, body, endpoint }) ?? [];
  if (rules.length === 0) return;
  const outcome = await applyLimits(countingOf(exchange), rules);
  exchange.charged.push(...outcome.charged);
  exchange.giveBack.push(...outcome.giveBack);
  exchange.later.push(...outcome.later);
  if (outcome.refusal !== undefined) throw outcome.refusal;
}

async function guard(exchange: DialectRequest, name: string): Promise<void> {
  const { mounted, request, endpoint, caller, services, organization: named } = exchange;
  const { dialect, settings } = mounted;
  const directory = directoryOf(services.identity, dialect.name);
  await dialect.guards?.[name]?.({ request, endpoint, caller, settings, directory, organization: named });
}

const CHECKS: Readonly<Record<string, Check>> = {
  size,
  encoding,
  media,
  syntax,
  organization,
  credential,
  rights,
  fields,
  limits,
};

/** Runs one step of an order of checks. */
export async function runStep(exchange: DialectRequest, step: Step): Promise<void> {
  if (step.startsWith('guard:')) return guard(exchange, step.slice('guard:'.length));
  await CHECKS[step]?.(exchange);
}

/** What the endpoint may do; one per request, made after the organization is known. */
export function useOf(exchange: DialectRequest) {
  exchange.use ??= createUse(exchange, {
    within: async (rule) => {
      const outcome = await applyLimits(countingOf(exchange), [rule]);
      return outcome.refusal === undefined;
    },
  });
  return exchange.use;
}
