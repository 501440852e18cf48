/**
 * The device flow (RFC 8628): a television or a command line shows a short code, and the person enters it
 * here on a phone. The provider has the protocol; Portico adds the pages, and three rules around them:
 *
 * - A code is short, so wrong ones cost what wrong passwords cost: each counts against the client address,
 *   and an address that is over its limit is not answered at all (RFC 8628, 5.1).
 * - A link that carries the code only fills the field in: a person who follows an attacker's link still has to
 *   read what it is for and say yes to it (RFC 8628, 5.4).
 * - Of several confirmations of one code at the same moment one goes on.
 */
import type { Client, Configuration } from 'oidc-provider';
import { StoreUnavailable } from '../../core/errors.ts';
import { Refused } from '../../core/refused.ts';
import type { Hold } from '../../identity/rate-limits/budgets.ts';
import { describeApis } from '../apis/apis.ts';
import { traitsOf } from '../clients/clients.ts';
import { formSecret, isNewSession } from '../extensions/browser-session.ts';
import { CodeTaken } from '../extensions/device-codes.ts';
import { notesOf } from '../extensions/request-notes.ts';
import type { DeviceIssue } from '../page-contract.ts';
import {
  isOnRoute,
  type ProviderContext,
  type ProviderMiddleware,
  type StepContext,
} from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import { answerUnavailable, show, showError } from './answers.ts';
import type { ProviderDeps } from './deps.ts';

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** Eight letters without vowels and without look-alikes: 34 bits, no words, easy to read out. */
const MASK = '****-****';

/** Longer than any code that a person types. */
const LONGEST = 64;

export function deviceFlow(deps: ProviderDeps): DeviceFlow {
  return {
    enabled: true,
    charset: 'base-20',
    mask: MASK,
    // The provider would store the device's address and browser, which no page shows.
    deviceInfo: () => ({}),
    userCodeInputSource: (ctx, _form, out, error) => enterCode(deps, ctx, out?.error, error),
    userCodeConfirmSource: async (ctx, _form, client) =>
      show(ctx, deps.pages.confirmDevice, await confirmation(deps, ctx, client), client),
    successSource: (ctx) => connected(deps, ctx, ctx.oidc.client),
  };
}

async function confirmation({ apis }: ProviderDeps, ctx: ProviderContext, client: Client) {
  const { userCode = '', params } = ctx.oidc.entities.DeviceCode ?? {};
  const { scope, resource } = params ?? {};
  const scopes = String(scope ?? '')
    .split(' ')
    .filter((name) => name !== '');
  const identifiers = [resource ?? []].flat().map(String);
  return {
    ...formOf(ctx),
    // As the device shows it, however it was typed.
    userCode: userCode.replace(/^.{4}/, '$&-'),
    client: client.clientName ?? client.clientId,
    firstParty: traitsOf(client).firstParty,
    scopes,
    apis: await describeApis(apis, Object.fromEntries(identifiers.map((each) => [each, scopes]))),
  };
}

function connected(deps: ProviderDeps, ctx: ProviderContext, client: Client | undefined): Promise<void> {
  const name = client?.clientName ?? String(client?.clientId);
  return show(ctx, deps.pages.deviceConnected, { client: name }, client);
}

/** The provider calls this for a new page and for every error. */
async function enterCode(
  deps: ProviderDeps,
  ctx: ProviderContext,
  code: string | undefined,
  error: Error | undefined,
): Promise<void> {
  if (code === 'server_error') {
    if (error instanceof StoreUnavailable) answerUnavailable(ctx);
    return showError(deps, ctx, code);
  }
  const issue = issueOf(error);
  // The provider ends a form with the code that it connects: a second press finds the form expired.
  const twice = issue === 'device-code-used' || issue === 'device-form-expired';
  const before = twice ? await connectedBefore(ctx) : undefined;
  if (before !== undefined) return connected(deps, ctx, before);
  const stopped = issue === 'device-stopped';
  if (issue === 'device-code-unknown') {
    notesOf(ctx).wrongUserCode = true;
    deps.line(ctx, 'device.refused', 'refused', { reason: 'unknown code' });
  }
  if (stopped) deps.line(ctx, 'device.refused', 'refused', { reason: 'the person said no' });
  if (issue !== undefined) ctx.status = stopped ? 200 : 400;
  const userCode = userCodeOf(error) ?? notesOf(ctx).userCode;
  const { action, xsrf } = formOf(ctx);
  const page = {
    action,
    // This reply cannot give a session to a form that was posted without one: the provider sets it earlier.
    ...(issue === undefined || !isNewSession(ctx) ? { xsrf } : {}),
    ...(issue !== undefined && { issue }),
    ...(userCode !== undefined && { userCode: userCode.slice(0, LONGEST) }),
  };
  return show(ctx, deps.pages.enterDeviceCode, page, stopped ? await clientOfCode(ctx) : undefined);
}

/** The client of a device that this browser has connected: the form was sent twice, or the page reloaded. */
async function connectedBefore({ oidc }: ProviderContext): Promise<Client | undefined> {
  const { provider, session, entities, params } = oidc;
  if (session?.accountId === undefined) return undefined;
  const id = entities.Interaction?.deviceCode;
  const code =
    id === undefined
      ? await provider.DeviceCode.findByUserCode(String(params?.user_code), { ignoreExpiration: true })
      : await provider.DeviceCode.find(id, { ignoreExpiration: true });
  return code?.accountId === session.accountId && code.sessionUid === session.uid
    ? provider.Client.find(String(code.clientId))
    : undefined;
}

/** The provider looks for it only where it goes on. */
function clientOfCode({ oidc }: ProviderContext): Promise<Client | undefined> {
  return oidc.provider.Client.find(String(oidc.entities.DeviceCode?.clientId));
}

const ISSUES: Readonly<Record<string, DeviceIssue>> = {
  NoCodeError: 'device-code-missing',
  NotFoundError: 'device-code-unknown',
  ExpiredError: 'device-code-used',
  AlreadyUsedError: 'device-code-used',
  CodeTaken: 'device-code-used',
  AbortedError: 'device-stopped',
};

/** The provider's errors carry the code that was entered. */
function userCodeOf(error: Error | undefined): string | undefined {
  return error && 'userCode' in error && typeof error.userCode === 'string' ? error.userCode : undefined;
}

function issueOf(error: Error | undefined): DeviceIssue | undefined {
  if (error === undefined) return undefined;
  const name = error instanceof CodeTaken ? 'CodeTaken' : error.name;
  // Anything else is a form without its session: cookies are blocked, or the page stood open for long.
  return ISSUES[name] ?? 'device-form-expired';
}

function formOf(ctx: ProviderContext): { action: string; xsrf: string } {
  return { action: ROUTES.code_verification, xsrf: formSecret(ctx) };
}

/* ------------------------------------------------------------------ before the provider's own steps */

export function guardUserCodes(deps: ProviderDeps): ProviderMiddleware {
  return async (ctx, next) => {
    if (ctx.path !== ROUTES.code_verification) return next();
    if (ctx.method === 'POST') return tryUserCode(deps, ctx, next);
    const { user_code: userCode } = ctx.query;
    // The provider would post the code by its own script. Here it stands in the field until the person goes on.
    if (typeof userCode === 'string') notesOf(ctx).userCode = userCode;
    ctx.querystring = '';
    return next();
  };
}

async function tryUserCode(deps: ProviderDeps, ctx: StepContext, next: () => Promise<void>): Promise<void> {
  let hold: Hold;
  try {
    hold = await deps.attempts.beginAt(deps.originOf(ctx.req)?.address ?? '');
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    ctx.status = 429;
    ctx.set('Retry-After', String(error.retryAfter ?? 60));
    return showError(deps, ctx, 'temporarily_unavailable');
  }
  try {
    await next();
  } finally {
    await (notesOf(ctx).wrongUserCode ? hold.charge() : hold.release());
  }
}

/** Tells the device how often it may ask; the provider leaves it to the five seconds of the standard. */
export function nameInterval({ interval }: { interval: number }): ProviderMiddleware {
  return async (ctx, next) => {
    await next();
    if (interval === 0 || ctx.status !== 200 || !isOnRoute(ctx, 'device_authorization')) return;
    if (typeof ctx.body === 'object') Object.assign(ctx.body ?? {}, { interval });
  };
}
