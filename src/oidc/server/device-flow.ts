/**
 * The device flow (RFC 8628): a television or a command line shows a short code, and the person enters it
 * here on a phone. The provider has the protocol; what is ours are the pages, and three rules around them:
 *
 * - A code is short, so wrong ones cost what wrong passwords cost: each counts against the client address,
 *   and an address that is over its limit is not answered at all (RFC 8628, 5.1; security.md C1).
 * - A link that carries the code only fills the field in: whoever follows a stranger's link still has to
 *   read what it is for and say yes to it (RFC 8628, 5.4).
 * - Of several who confirm one code at the same moment one goes on (security.md X2).
 */
import { randomUUID } from 'node:crypto';
import Provider, { type Client, type Configuration, errors } from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import type { Secrets } from '../../core/crypto.ts';
import { StoreUnavailable } from '../../core/errors.ts';
import { Refused } from '../../core/refused.ts';
import type { Hold } from '../../identity/rate-limits/budgets.ts';
import type { Attempts } from '../../identity/rate-limits/sign-in-attempts.ts';
import type { Audit } from '../../observe/audit.ts';
import type { LeaseStore } from '../../store/ports/leases.ts';
import { traitsOf } from '../clients/clients.ts';
import type { DeviceIssue, ProviderPages } from '../contract.ts';
import { modelOf, override, type ProviderRecord } from '../extensions/models.ts';
import { notesOf } from '../extensions/request-notes.ts';
import type { ProviderContext, ProviderMiddleware, StepContext } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import { answerUnavailable, auditLine, type RequestContextOf } from './audit-events.ts';
import { subjectOf } from './page-subject.ts';

export interface DeviceDeps {
  readonly pages: ProviderPages;
  readonly attempts: Pick<Attempts, 'beginAt'>;
  readonly originOf: RequestContextOf;
  readonly audit: Audit;
}

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** Eight emails without vowels and without look-alikes: 34 bits, no words, easy to read out. */
const MASK = '****-****';

/** Longer than anybody types a code. */
const LONGEST = 40;

export function deviceFlow(deps: DeviceDeps): DeviceFlow {
  return {
    enabled: true,
    charset: 'base-20',
    mask: MASK,
    // The device's address and browser would be stored for nothing.
    deviceInfo: () => ({}),
    userCodeInputSource: (ctx, _form, out, error) => enterCode(deps, ctx, out?.error, error),
    userCodeConfirmSource: (ctx, _form, client, _device, userCode) =>
      show(ctx, deps.pages.confirmDevice, {
        ...formOf(ctx),
        ...subjectOf(ctx, client),
        userCode,
        client: client.clientName ?? client.clientId,
        firstParty: traitsOf(client).firstParty,
        scopes: String(codeParams(ctx).scope ?? '')
          .split(' ')
          .filter((name) => name !== ''),
      }),
    successSource: (ctx) =>
      show(ctx, deps.pages.deviceConnected, {
        ...subjectOf(ctx),
        client: ctx.oidc.client?.clientName ?? String(ctx.oidc.client?.clientId),
      }),
  } as DeviceFlow;
}

/** The provider comes here for a new page and for everything that went wrong. */
async function enterCode(
  deps: DeviceDeps,
  ctx: ProviderContext,
  code: string | undefined,
  error: Error | undefined,
): Promise<void> {
  if (code === 'server_error') {
    if (error instanceof StoreUnavailable) answerUnavailable(ctx);
    return show(ctx, deps.pages.error, { ...subjectOf(ctx), status: ctx.status, error: code });
  }
  const issue = issueOf(error);
  const line = auditLine(deps);
  if (issue === 'device-code-unknown') {
    notesOf(ctx).wrongUserCode = true;
    line(ctx, 'device.refused', 'refused', { reason: 'unknown code' });
  }
  if (issue === 'device-stopped') line(ctx, 'device.refused', 'refused', { reason: 'the person said no' });
  if (issue !== undefined) ctx.status = issue === 'device-stopped' ? 200 : 400;
  const { userCode = notesOf(ctx).userCode } = (error ?? {}) as { userCode?: string };
  const { action, xsrf } = formOf(ctx);
  return show(ctx, deps.pages.enterDeviceCode, {
    action,
    // A form that came without a session cannot get one with this reply any more: the provider is past that.
    ...(issue === undefined || !isNew(ctx) ? { xsrf } : {}),
    ...subjectOf(ctx, issue === 'device-stopped' ? await clientOfCode(ctx) : undefined),
    ...(issue !== undefined && { issue }),
    ...(userCode !== undefined && { userCode: userCode.slice(0, LONGEST) }),
  });
}

/** The provider looks for it only where it goes on. */
function clientOfCode({ oidc }: ProviderContext): Promise<Client | undefined> {
  return oidc.provider.Client.find(String(oidc.entities.DeviceCode?.clientId));
}

const PROBLEMS: Readonly<Record<string, DeviceIssue>> = {
  NoCodeError: 'device-code-missing',
  NotFoundError: 'device-code-unknown',
  ExpiredError: 'device-code-used',
  AlreadyUsedError: 'device-code-used',
  CodeTaken: 'device-code-used',
  AbortedError: 'device-stopped',
};

function issueOf(error: Error | undefined): DeviceIssue | undefined {
  if (error === undefined) return undefined;
  const name = error instanceof CodeTaken ? 'CodeTaken' : error.name;
  // Anything else is a form without its session: cookies are blocked, or the page stood open for long.
  return PROBLEMS[name] ?? 'device-form-expired';
}

async function show<Info>(
  ctx: ProviderContext,
  page: (
    request: ProviderContext['req'],
    response: ProviderContext['res'],
    context: Info,
  ) => Promise<string> | string,
  context: Info,
): Promise<void> {
  ctx.body = await page(ctx.req, ctx.res, context);
  ctx.type = 'html';
}

function formOf(ctx: ProviderContext): { action: string; xsrf: string } {
  const state = ctx.oidc.session?.state as { secret?: string } | undefined;
  return { action: ROUTES.code_verification, xsrf: String(state?.secret) };
}

function isNew(ctx: ProviderContext): boolean {
  return (ctx.oidc.session as { new?: boolean } | undefined)?.new === true;
}

function codeParams(ctx: ProviderContext): Record<string, unknown> {
  return (ctx.oidc.entities.DeviceCode?.params ?? {}) as Record<string, unknown>;
}

function addressOf({ originOf }: Pick<DeviceDeps, 'originOf'>, ctx: StepContext): string {
  return originOf(ctx.req)?.address ?? '';
}

/* ------------------------------------------------------------------ before the provider's own steps */

export function guardUserCodes(
  deps: DeviceDeps,
  refuse: (ctx: StepContext, error: string) => Promise<void>,
): ProviderMiddleware {
  return async (ctx, next) => {
    if (ctx.path !== ROUTES.code_verification) return next();
    if (ctx.method === 'POST') return tryUserCode(deps, ctx, { next, refuse });
    const { user_code: userCode } = ctx.query;
    // The provider would post the code by a script of its own; ours stands in the field until the person goes on.
    if (typeof userCode === 'string') notesOf(ctx as ProviderContext).userCode = userCode;
    ctx.querystring = '';
    return next();
  };
}

async function tryUserCode(
  deps: DeviceDeps,
  ctx: StepContext,
  go: { next: () => Promise<void>; refuse: (ctx: StepContext, error: string) => Promise<void> },
): Promise<void> {
  let hold: Hold;
  try {
    hold = await deps.attempts.beginAt(addressOf(deps, ctx));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    ctx.status = 429;
    ctx.set('Retry-After', String(error.retryAfter ?? 60));
    return go.refuse(ctx, 'too_many_requests');
  }
  try {
    await go.next();
  } finally {
    await (notesOf(ctx as ProviderContext).wrongUserCode ? hold.charge() : hold.release());
  }
}

/* ------------------------------------------------------------------ one confirmation per code */

class CodeTaken extends errors.InvalidRequest {}

export function confirmCodesOnce(deps: {
  provider: Provider;
  leases: LeaseStore;
  secrets: Secrets;
  clock: Clock;
}): void {
  const { leases, secrets, clock } = deps;
  override(
    modelOf(deps.provider, 'DeviceCode'),
    'save',
    (original) =>
      async function save(this: ProviderRecord) {
        const {
          inFlight,
          accountId,
          error,
          exp = 0,
        } = this as ProviderRecord & {
          inFlight?: boolean;
          accountId?: string;
          error?: string;
        };
        // The provider has read "not yet confirmed" and writes "confirmed" without looking again.
        if (inFlight === true && accountId === undefined && error === undefined) {
          const key = `device:${secrets.hmac('device-confirmed', String(this.jti))}`;
          const first = await leases.acquire(key, randomUUID(), clock.now(), new Date(exp * 1000));
          if (!first) throw new CodeTaken('the code was confirmed by another request');
        }
        return original.call(this);
      },
  );
}

/**
 * A form without a session makes the provider write a secret into a new one, and then fail because that was
 * never stored. There is nothing in it to keep.
 */
export function keepNoNewSessions(provider: Provider): void {
  const model = modelOf(provider, 'Session');
  const { persist } = model.prototype;
  if (persist === undefined) throw new Error('Sessions of the engine are not persisted any more.');
  Object.defineProperty(model.prototype, 'persist', {
    value: async function persistKnown(this: ProviderRecord) {
      return this.exp === undefined ? undefined : persist.call(this);
    },
    configurable: true,
    writable: true,
  });
}
