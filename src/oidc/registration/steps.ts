/** The requests at `/register` before the provider answers them, and its answers before they leave. */

import type { EventEmitter } from 'node:events';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Config } from '../../config/schema.ts';
import { randomText, randomToken, type Secrets } from '../../core/crypto.ts';
import type { AnonymousBudgets } from '../../identity/rate-limits/anonymous-budgets.ts';
import type { AuditEvent } from '../../model/audit-event.ts';
import { textsOf } from '../../model/json.ts';
import type { Log } from '../../observe/log.ts';
import type { ClientStore, OrganizationStore } from '../../store/ports/installation.ts';
import { CLIENT_TRAITS, type ClientRegistry } from '../clients/clients.ts';
import type { OidcRecords } from '../persistence/records.ts';
import type { AuditLine, ProviderContext, ProviderMiddleware, StepContext } from '../provider/context.ts';
import { ROUTES } from '../provider/routes.ts';
import { type Body, handOn, isTable, readBody } from './body.ts';
import { judgeBody } from './policy.ts';
import { RegistrationRefused } from './refused.ts';
import type { Registration } from './registration.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Members that only the server sets; the provider refuses them in a change. */
const FORBIDDEN = [
  ...['registration_access_token', 'registration_client_uri'],
  ...['client_secret_expires_at', 'client_id_issued_at'],
];

export interface StepDeps {
  readonly config: Config;
  readonly issuer: string;
  readonly registration: Registration;
  readonly stores: { readonly clients: ClientStore };
  readonly clients: ClientRegistry;
  readonly oidcRecords: OidcRecords;
  readonly organizations: Pick<OrganizationStore, 'byId'>;
  readonly secrets: Secrets;
  readonly strangers: AnonymousBudgets;
  readonly line: AuditLine;
  readonly log: Log;
  readonly originOf: (request: StepContext['req']) => { readonly address: string } | undefined;
}

/** The provider's features. */
export function registrationFeatures({ config }: Pick<StepDeps, 'config'>) {
  const enabled = config.oidc.registration.mode !== 'off';
  return {
    registration: {
      enabled,
      idFactory: () => randomText({ alphabet: BASE62, length: 20 }),
      secretFactory: () => randomToken(),
      issueRegistrationAccessToken: true,
    },
    registrationManagement: { enabled, rotateRegistrationAccessToken: true },
  };
}

export function registrationSteps(deps: StepDeps): ProviderMiddleware {
  const { mode } = deps.config.oidc.registration;
  return async (ctx, next) => {
    const clientId = clientIdAt(ctx.path);
    if (mode === 'off' || clientId === undefined) return next();
    if (mode === 'open') letScriptsRead(ctx);
    if (ctx.method === 'OPTIONS') {
      ctx.status = 204;
      return;
    }
    ctx.set('Cache-Control', 'no-store');
    try {
      if (clientId === '') await register(ctx, deps, next);
      else await manage(ctx, deps, { clientId, next });
      tidy(ctx);
    } catch (error) {
      if (!(error instanceof RegistrationRefused)) throw error;
      refuse(ctx, deps, error);
    }
  };
}

/** '' at the endpoint itself; undefined: another route. */
function clientIdAt(path: string): string | undefined {
  if (path === ROUTES.registration) return '';
  return path.startsWith(`${ROUTES.registration}/`) ? path.slice(ROUTES.registration.length + 1) : undefined;
}

/** Any page may register a client where anyone may. No cookie counts here. */
function letScriptsRead(ctx: StepContext): void {
  ctx.set('Access-Control-Allow-Origin', '*');
  ctx.set('Access-Control-Expose-Headers', 'WWW-Authenticate, Retry-After');
  if (ctx.method !== 'OPTIONS') return;
  ctx.set('Access-Control-Allow-Methods', 'GET, POST, PUT, DELETE');
  ctx.set('Access-Control-Allow-Headers', 'Authorization, Content-Type, MCP-Protocol-Version');
  ctx.set('Access-Control-Max-Age', '3600');
}

type Next = () => Promise<void>;

async function register(ctx: StepContext, deps: StepDeps, next: Next): Promise<void> {
  const { config, registration } = deps;
  const { mode, organization } = config.oidc.registration;
  const value = bearerOf(ctx);
  const token = value === undefined ? undefined : await registration.tokens.find(value);
  if (value !== undefined && token === undefined) throw unknownToken();
  if (mode === 'token' && token === undefined) {
    throw new RegistrationRefused('invalid_token', 'registration takes an initial access token');
  }
  const admission = {
    organization: token?.organization ?? organization ?? '',
    ...(token && { limits: token.limits }),
    ...(token && value !== undefined && { token: { id: token.id, value } }),
  };
  await counted(ctx, deps, token === undefined, async () => {
    await refuseWithout(admission.organization, deps);
    handOn(ctx.req, judgeBody(await bodyOf(ctx), registration.policyFor(token?.limits)));
    registration.admissions.set(ctx, admission);
    await next();
  });
}

/** The configuration may name an organization before it is there. */
async function refuseWithout(organization: string, { organizations, log }: StepDeps): Promise<void> {
  if ((await organizations.byId(organization)) !== undefined) return;
  log.error({ organization }, 'the organization of registered clients is not there');
  throw new RegistrationRefused('invalid_client_metadata', 'registration has no organization here yet');
}

async function manage(
  ctx: StepContext,
  deps: StepDeps,
  { clientId, next }: { clientId: string; next: Next },
): Promise<void> {
  // Another node may have changed the client a moment ago.
  deps.clients.forget(clientId);
  if (ctx.method !== 'PUT') return next();
  const present = await deps.stores.clients.byId(clientId);
  const token = bearerOf(ctx) ?? '';
  if (present === undefined || !(await isOwn(token, deps, clientId))) throw unknownToken();
  await counted(ctx, deps, true, async () => {
    const body = await bodyOf(ctx);
    const forbidden = Object.fromEntries(Object.entries(body).filter(([name]) => FORBIDDEN.includes(name)));
    const { client_id, client_secret: secret } = body;
    const policy = deps.registration.policyFor(present.registered?.limits);
    const taken = { ...judgeBody(body, policy), ...forbidden, client_id };
    // The provider compares it with what it read from the store, which is the hash.
    const hash = typeof secret === 'string' ? deps.secrets.hmac('client-secret', secret) : undefined;
    handOn(ctx.req, { ...taken, ...(hash !== undefined && { client_secret: hash }) });
    deps.registration.admissions.set(ctx, { present, token });
    await next();
  });
}

/** Asked before the body is judged; the provider checks the token again. */
async function isOwn(token: string, { oidcRecords }: StepDeps, clientId: string): Promise<boolean> {
  const stored = await oidcRecords.load('RegistrationAccessToken', token);
  return stored?.payload.clientId === clientId;
}

/** Counts what the address makes the server store, before the work. */
async function counted(
  ctx: StepContext,
  { strangers, originOf, line }: StepDeps,
  counts: boolean,
  work: () => Promise<void>,
): Promise<void> {
  if (!counts) return work();
  const address = originOf(ctx.req)?.address ?? '';
  const takeBack = await strangers.count('registrations', address).catch((error: unknown) => {
    line(ctx, 'limit', 'refused', { channel: 'oidc', reason: 'registrations' });
    throw error;
  });
  let stored = false;
  try {
    await work();
    stored = ctx.status < 300;
  } finally {
    if (!stored) await takeBack();
  }
}

function bodyOf(ctx: StepContext): Promise<Body> {
  if (!ctx.is('application/json')) {
    throw new RegistrationRefused('invalid_client_metadata', 'the body must be application/json');
  }
  return readBody(ctx.req);
}

function bearerOf(ctx: StepContext): string | undefined {
  const header = ctx.get('Authorization');
  return header === '' ? undefined : (/^Bearer ([\x21-\x7e]{1,512})$/i.exec(header)?.[1] ?? '');
}

function unknownToken(): RegistrationRefused {
  return new RegistrationRefused('invalid_token', 'the token is unknown, used up or has ended');
}

function refuse(ctx: StepContext, { line, issuer }: StepDeps, refusal: RegistrationRefused): void {
  const { error, message, status } = refusal;
  ctx.status = status;
  ctx.body = { error, error_description: message };
  if (status === 401) {
    const sent = ctx.get('Authorization') !== '';
    ctx.set('WWW-Authenticate', `Bearer realm="${issuer}"${sent ? `, error="${error}"` : ''}`);
  }
  line(ctx, ctx.method === 'POST' ? 'client.register' : 'client.update', 'refused', {
    error,
    detail: message,
  });
}

/** The answer shows what the client registered: nothing of Portico's own, and no secret but a new one. */
function tidy(ctx: StepContext): void {
  const { body } = ctx;
  if (!isTable(body)) return;
  if (ctx.status >= 400) {
    const isAboutUris =
      body.error === 'invalid_client_metadata' && /^redirect_uris /.test(`${body.error_description}`);
    if (isAboutUris) ctx.body = { ...body, error: 'invalid_redirect_uri' };
    return;
  }
  const present = ctx.method === 'POST' ? undefined : ctx.oidc?.client;
  const isNew = ctx.method !== 'GET' && body.client_secret !== present?.clientSecret;
  const hidden: readonly string[] = [
    ...CLIENT_TRAITS,
    'response_modes',
    ...(isNew ? [] : ['client_secret', 'client_secret_expires_at']),
  ];
  ctx.body = Object.fromEntries(Object.entries(body).filter(([member]) => !hidden.includes(member)));
}

/** What the audit trail says, and what counts as use. */
export function watchRegistrations(provider: Provider, { line, registration }: StepDeps): void {
  const done = (event: AuditEvent) => (ctx: ProviderContext) => {
    const { client } = ctx.oidc;
    line(ctx, event, 'success', {
      ...(client && { client: client.clientId, hosts: hostsOf(client.redirectUris) }),
    });
  };
  const refused = (event: AuditEvent) => (ctx: ProviderContext, error: Error) => {
    const isOurs = error instanceof errors.OIDCProviderError;
    if (isOurs) line(ctx, event, 'refused', { error: error.error, detail: `${error.error_description}` });
  };
  const emitter: EventEmitter = provider;
  for (const [route, event] of [
    ['registration_create', 'client.register'],
    ['registration_update', 'client.update'],
    ['registration_delete', 'client.delete'],
  ] as const) {
    emitter.on(`${route}.success`, done(event));
    emitter.on(`${route}.error`, refused(event));
  }
  for (const event of ['authorization.success', 'grant.success']) {
    emitter.on(event, ({ oidc: { client } }: ProviderContext) => {
      if (client !== undefined) registration.use(client);
    });
  }
}

function hostsOf(uris: unknown): string[] {
  return [...new Set(textsOf(uris).map((uri) => URL.parse(uri)?.host || (URL.parse(uri)?.protocol ?? '')))];
}
