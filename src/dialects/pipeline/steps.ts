/**
 * The checks that stand before every endpoint, one function each. Their order is the dialect's; that all
 * of them run is the pipeline's. Each reads from the request what earlier ones found, and throws Refused.
 */
import type { z } from 'zod';
import { randomText } from '../../core/crypto.ts';
import { readBody, refuseEncoding } from '../../http/request/read-body.ts';
import { accountsUse } from '../capabilities/accounts.ts';
import { apiKeysUse } from '../capabilities/api-keys.ts';
import { browsersUse } from '../capabilities/browser-sso.ts';
import { emailsUse, linkTokensUse } from '../capabilities/emails.ts';
import { passwordsUse } from '../capabilities/passwords.ts';
import { signInUse, signOutUse } from '../capabilities/sign-in.ts';
import { upstreamsUse } from '../capabilities/upstream.ts';
import { type FieldIssue, Refused, type Step } from '../contract/dialect.ts';
import type { LimitRule } from '../contract/limits.ts';
import type { Use } from '../contract/use.ts';
import { type CurrentRequest, schemasOf } from '../runtime/current-request.ts';
import { formFields } from '../runtime/parse-form.ts';
import { findCaller } from './authenticate.ts';
import { bodyKind, parseBody } from './parse-body.ts';
import { applyLimits } from './rate-limits.ts';

type Check = (current: CurrentRequest) => void | Promise<void>;

/** 'too-large'. The server drops a body that is not read. */
function size(current: CurrentRequest): void | Promise<void> {
  if (current.reading !== 'left') return readWithin(current);
}

async function readWithin(current: CurrentRequest): Promise<void> {
  const { received, rules, http } = current;
  if (received === undefined) current.bytes = await readBody(http.req, rules);
  else if (received.byteLength <= rules.limit) current.bytes = received;
  else throw new Refused('too-large', { detail: `${received.byteLength} bytes` });
}

/** Runs a check of the body; where the dialect takes what cannot be read for `{}`, the outcome is that. */
function readable(current: CurrentRequest, check: Check): void | Promise<void> {
  if (current.reading === 'read' && !current.unreadable) return readOrEmpty(current, check);
}

async function readOrEmpty(current: CurrentRequest, check: Check): Promise<void> {
  try {
    await check(current);
  } catch (refusal) {
    if (!(refusal instanceof Refused) || current.rules.unreadable === 'refuse') throw refusal;
    current.unreadable = true;
  }
}

/** 'unsupported-encoding': nothing is ever unpacked. */
function encoding(current: CurrentRequest): void | Promise<void> {
  return readable(current, ({ http }) => refuseEncoding(http.req));
}

/** 'unsupported-media-type', 'empty-body'. */
function media(current: CurrentRequest): void | Promise<void> {
  return readable(current, ({ rules, http, bytes }) => {
    current.kind = bodyKind(rules, http.req.headers['content-type'], bytes);
  });
}

/** 'unreadable-body', 'not-an-object'. */
function syntax(current: CurrentRequest): void | Promise<void> {
  return readable(current, async ({ kind, bytes, rules, http }) => {
    if (kind === undefined) return;
    current.raw = await parseBody({ bytes, kind, rules, contentType: http.req.headers['content-type'] });
  });
}

/** A credential of one organization is no credential in another, unless the dialect has said so before. */
function refuseForeign({ caller, organization }: CurrentRequest): void {
  if (caller === undefined || organization === undefined || caller.organization === organization.id) return;
  throw new Refused(caller.kind === 'token' ? 'invalid-token' : 'invalid-api-key', {
    detail: 'of another organization',
  });
}

/** 'unknown-organization', 'wrong-organization'. */
async function organization(current: CurrentRequest): Promise<void> {
  const { mounted, settings, endpoint, request, caller, directory } = current;
  const named = await mounted.dialect.organization({ request, endpoint, settings, caller, directory });
  if (named === undefined) return;
  current.organization = await directory.byId(named);
  if (current.organization === undefined) throw new Refused('unknown-organization');
  refuseForeign(current);
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
async function refusedCredential(current: CurrentRequest, refusal: unknown): Promise<never> {
  const { mounted, settings, request, caller, body, endpoint } = current;
  if (!(refusal instanceof Refused)) throw refusal;
  const own =
    mounted.dialect.limitsOnRefusedCredential?.({ request, settings, caller, body, endpoint }) ?? [];
  const rules = refusal.reason === 'invalid-api-key' ? [...own, guessesFrom(request.address)] : own;
  // A known caller without the right belongs to an organization; an unknown one to none.
  const counting = countingOf(current);
  const outcome = await applyLimits(caller ? counting : { ...counting, organization: '' }, rules);
  current.charged.push(...outcome.charged);
  throw outcome.refusal ?? refusal;
}

function needsCaller({ endpoint, raw, request }: CurrentRequest): boolean {
  return endpoint.caller !== 'anyone' || endpoint.needsCaller?.({ raw, request }) === true;
}

/** 'no-credential', 'invalid-token', 'invalid-api-key'. Open endpoints do not look at one. */
async function credential(current: CurrentRequest): Promise<void> {
  if (!needsCaller(current)) return;
  const { mounted, settings, endpoint, request } = current;
  try {
    current.credential = mounted.dialect.credential(request, endpoint, settings);
    current.caller = await findCaller(current);
    refuseForeign(current);
  } catch (refusal) {
    current.caller = undefined;
    await refusedCredential(current, refusal);
  }
}

/** 'forbidden', 'insufficient-scope', and what else the endpoint says. */
async function rights(current: CurrentRequest): Promise<void> {
  const { endpoint, caller, request, settings, params, organization: named } = current;
  if (caller === undefined) return;
  try {
    endpoint.rights?.({ caller, request, settings, params, organization: named });
  } catch (refusal) {
    await refusedCredential(current, refusal);
  }
}

/** zod's issues, in zod's order and words. */
function issuesOf(error: z.ZodError): FieldIssue[] {
  return error.issues.map((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    const code: unknown = issue.code === 'custom' ? issue.params?.code : undefined;
    return { path, message: issue.message, ...(typeof code === 'string' && { code }) };
  });
}

/** 'invalid-fields', with every issue. */
async function fields(current: CurrentRequest): Promise<void> {
  const { endpoint, raw, rules, request, settings, caller } = current;
  const schemas = schemasOf(endpoint, settings);
  const body = schemas.body?.safeParse(raw);
  const query = schemas.query?.safeParse(formFields(request.query, rules.forms));
  const issues = [body, query].flatMap((result) => (result?.error ? issuesOf(result.error) : []));
  if (endpoint.alsoJudge !== undefined) {
    const use = useOf(current);
    const further = await endpoint.alsoJudge({ raw, issues: [...issues], use, settings, request, caller });
    issues.push(...further.filter((issue) => !issues.includes(issue)));
  }
  if (issues.length > 0) throw new Refused('invalid-fields', { issues });
  current.body = body?.data;
  current.query = query?.data;
}

/** Whose counters: this dialect's, in the organization that the request belongs to. */
function countingOf({ services, mounted, organization: named }: CurrentRequest) {
  return { services, dialect: mounted.dialect.name, organization: named?.id ?? '' };
}

/** 'too-many-requests' by the vendor's own limits. */
function limits(current: CurrentRequest): void | Promise<void> {
  const { endpoint, request, settings, caller, body } = current;
  const rules = endpoint.limits?.({ request, settings, caller, body, endpoint }) ?? [];
  if (rules.length === 0) return;
  const { watch } = current.services.stores;
  // Limits are counted for a kept answer too, so an answer is kept whatever they write.
  return watch ? watch.apart(() => keepTo(rules, current)) : keepTo(rules, current);
}

async function keepTo(rules: readonly LimitRule[], current: CurrentRequest): Promise<void> {
  const outcome = await applyLimits(countingOf(current), rules);
  current.charged.push(...outcome.charged);
  current.giveBack.push(...outcome.giveBack);
  current.later.push(...outcome.later);
  if (outcome.refusal !== undefined) throw outcome.refusal;
}

function guard(current: CurrentRequest, name: string): void | Promise<void> {
  const { mounted, settings, request, endpoint, caller, directory, organization: named } = current;
  const { guards } = mounted.dialect;
  return guards?.[name]?.({ request, endpoint, caller, settings, directory, organization: named });
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

/** Runs one step of an order of checks. Undefined: it has nothing to wait for. */
export function runStep(current: CurrentRequest, step: Step): void | Promise<void> {
  if (step.startsWith('guard:')) return guard(current, step.slice('guard:'.length));
  return CHECKS[step]?.(current);
}

/** What the endpoint may do; one per request, made after the organization is known. */
export function useOf(current: CurrentRequest): Use {
  current.use ??= new RequestUse(current);
  return current.use;
}

/**
 * A group is made when it is used, so that GET me makes none. A class, since a literal with getters is of a shape of its
 * own each time, which costs more than the rest of a request and stays until all of the heap is looked through.
 */
class RequestUse implements Use {
  readonly #current: CurrentRequest;
  readonly random = randomText;
  readonly now: Use['now'];
  readonly within: Use['within'];

  constructor(current: CurrentRequest) {
    this.#current = current;
    this.now = () => current.services.clock.now();
    this.within = async (counter, key, limit) => {
      const rule = { counter, key, ...limit, kind: 'sliding', charge: 'each' } as const;
      return (await applyLimits(countingOf(current), [rule])).refusal === undefined;
    };
  }

  get signIn() {
    return signInUse(this.#current);
  }

  get signOut() {
    return signOutUse(this.#current);
  }

  get accounts() {
    return accountsUse(this.#current);
  }

  get passwords() {
    return passwordsUse(this.#current);
  }

  get emails() {
    return emailsUse(this.#current);
  }

  get linkTokens() {
    return linkTokensUse(this.#current);
  }

  get upstreams() {
    return upstreamsUse(this.#current);
  }

  get apiKeys() {
    return apiKeysUse(this.#current);
  }

  get browsers() {
    return browsersUse(this.#current);
  }
}
