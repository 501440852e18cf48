/** An API as the command line reads, judges, writes and prints it. */
import type { Issue } from '../../config/issues.ts';
import type { ApiRecord, ApiScope } from '../../model/api.ts';
import { type CommandContext, organizationOf } from '../context.ts';
import { jsonOrText } from '../options.ts';
import { CommandRefused, type JsonOption, sayRecord } from '../output.ts';

export interface Id {
  readonly id: string;
}

type Pairs = Readonly<Record<string, string | undefined>>;

export interface Changes extends Id, JsonOption {
  readonly identifier?: string;
  readonly name?: string;
  readonly organization?: string;
  /** Scope -> description. */
  readonly scope?: Pairs;
  readonly scopeRoles?: Pairs;
  readonly scopeUnregistered?: Pairs;
  readonly removeScope?: string[];
  readonly format?: ApiRecord['format'];
  readonly algorithm?: ApiRecord['algorithm'];
  readonly lifetime?: string;
  readonly claim?: Pairs;
}

/** Judged by the same rules as an API of a seed file. */
export async function store(
  context: CommandContext,
  { base, changes, secret }: { base: ApiRecord; changes: Changes; secret: string | undefined },
): Promise<ApiRecord> {
  const [{ seedSchema }, { apiRecord }, { judgeSeed }] = await Promise.all([
    import('../../seed/schema.ts'),
    import('../../seed/apis.ts'),
    import('../../seed/judge-seed.ts'),
  ]);
  if (changes.organization !== undefined) await organizationOf(context, changes.organization);
  const { secretHash, ...written } = changed(base, changes);
  const parsed = seedSchema.safeParse({ apis: [{ ...written, secret }] });
  if (!parsed.success) {
    throw refused(
      parsed.error.issues.map(({ path, message }) => ({ path: path.slice(2).join('.'), message })),
    );
  }
  const issues = judgeSeed(parsed.data);
  if (issues.length > 0) throw refused(issues);
  const { config, secrets, stores } = context;
  const [seed] = parsed.data.apis ?? [];
  if (seed === undefined) throw refused([]);
  const kept = secretHash === undefined ? {} : { secretHash };
  const api = { ...kept, ...apiRecord(seed, { secrets, issuer: config.issuer }) };
  if ((await stores.apis.put(api)) !== 'stored') {
    const owner = await stores.apis.byIdentifier(api.identifier);
    throw new CommandRefused(
      `${api.identifier} is the identifier of the API ${owner?.id}. Nothing was changed.`,
    );
  }
  return api;
}

function changed(base: ApiRecord, changes: Changes) {
  const { identifier, name, organization, format, algorithm, lifetime, claim } = changes;
  const given = { identifier, organization, format, algorithm };
  const claims = Object.entries({ ...base.claims, ...claim }).filter(([, member]) => member);
  const { claims: _before, ...rest } = base;
  return {
    ...rest,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(name !== undefined && { name: jsonOrText(name) }),
    ...(lifetime !== undefined && { lifetime: Number(lifetime) }),
    ...(claims.length > 0 && { claims: Object.fromEntries(claims) }),
    scopes: changedScopes(base.scopes, changes),
  };
}

function changedScopes(
  base: ApiRecord['scopes'],
  { scope = {}, scopeRoles = {}, scopeUnregistered = {}, removeScope = [] }: Changes,
) {
  const scopes = new Map<string, ApiScope>(Object.entries(base));
  for (const [name, description] of Object.entries(scope)) {
    const words = description === undefined ? {} : { description: jsonOrText(description) };
    scopes.set(name, { ...scopes.get(name), ...words } as ApiScope);
  }
  for (const name of [...Object.keys(scopeRoles), ...Object.keys(scopeUnregistered)]) {
    if (!scopes.has(name)) throw new CommandRefused(`The API has no scope ${name}. Add it: --scope ${name}`);
  }
  for (const [name, text] of Object.entries(scopeUnregistered)) {
    if (text !== 'yes' && text !== 'no')
      throw new CommandRefused('--scope-unregistered must be such as tools:call=yes or tools:call=no.');
    const { unregistered: _before, ...present } = scopes.get(name) ?? {};
    scopes.set(name, { ...present, ...(text === 'yes' && { unregistered: true }) });
  }
  for (const [name, text = ''] of Object.entries(scopeRoles)) {
    const { roles: _before, ...present } = scopes.get(name) ?? {};
    const roles = text.split(',').filter((role) => role !== '');
    scopes.set(name, { ...present, ...(roles.length > 0 && { roles }) });
  }
  for (const name of removeScope) scopes.delete(name);
  return Object.fromEntries(scopes);
}

function refused(issues: readonly Pick<Issue, 'path' | 'message'>[]): CommandRefused {
  const lines = issues.map(({ path, message }) => `${path.replace(/^apis\.0\.?/, '')} ${message}`);
  return new CommandRefused(lines.join('\n'));
}

export async function apiOf({ stores, config }: CommandContext, id: string): Promise<ApiRecord> {
  const api = await stores.apis.byId(id);
  if (api !== undefined) return api;
  const configured = config.oidc.resources.find(({ identifier }) => identifier === id);
  // Named by its identifier, which is all that the configuration has.
  if (configured) {
    throw new CommandRefused(
      `${id} is in the configuration (oidc.resources): change it there, and grant it by apis of a client in a seed file.`,
    );
  }
  throw new CommandRefused(`There is no API ${id}. See: portico api list`);
}

export function withoutSecret({ secretHash, ...api }: ApiRecord) {
  return { ...api, introspects: secretHash !== undefined };
}

export function tell(options: JsonOption, api: ApiRecord, secret?: string): void {
  const once = secret === undefined ? undefined : { name: 'secret', members: { secret } };
  sayRecord(options, withoutSecret(api), once);
}
