/**
 * Clients that no operator registered and whose `client_id` is the URL of a client ID metadata document
 * (draft-ietf-oauth-client-id-metadata-document). The server fetches the document when such a client begins something,
 * and keeps a copy in the shared store, so that every node knows the client. An attacker may choose the URL: each
 * fetch counts against the budget of the client address, and of the host that is asked.
 *
 * A document that is no longer there (404, a redirect, another client_id) ends the client: it gets no more tokens.
 * While the host cannot be reached, the last good copy counts for a day more.
 */
import { errors } from 'oidc-provider';
import type { Clock } from '../../core/clock.ts';
import { Refused } from '../../core/refused.ts';
import type { AnonymousBudgets } from '../../identity/rate-limits/anonymous-budgets.ts';
import type { ClientRecord } from '../../model/client.ts';
import type { OrganizationStore } from '../../store/ports/installation.ts';
import { judgeClient } from '../clients/judge-client.ts';
import { validateClient } from '../extensions/issuer-and-clients.ts';
import type { OidcRecords } from '../persistence/records.ts';
import { type AuditLine, type ProviderContext, routeOf } from '../provider/context.ts';
import { clientOfDocument, type DocumentSettings, documentUrl } from './metadata-document-client.ts';

const KIND = 'ClientMetadataDocument';
/** Bytes. The draft proposes 5 KB; documents with keys are longer. */
const LARGEST = 32 * 1024;

/** Seconds for which a good document is not fetched again: at least, at most, and where it does not say. */
const FRESH = { least: 60, most: 86_400, otherwise: 3600 };
/** Seconds for which a copy that is not fresh counts, while the host cannot be reached. */
const KEPT_BESIDES = 86_400;
/** Seconds before the server asks again for a document that it refused or could not fetch. */
const REFUSED_FOR = 30;

/** Fetches in flight; each ends within seconds. */
const MOST_AT_ONCE = 50;

/** The routes at which a client begins something. At the others the copy counts, fresh or not. */
const BEGINS_AT: ReadonlySet<string | undefined> = new Set([
  'authorization',
  'pushed_authorization_request',
  'token',
]);

type Fetch = (
  url: URL,
  options: { readonly headers: Record<string, string>; readonly largest: number },
) => Promise<Response>;

export interface DocumentDeps {
  readonly settings: DocumentSettings;
  readonly organizations: Pick<OrganizationStore, 'byId'>;
  readonly oidcRecords: OidcRecords;
  readonly clock: Clock;
  readonly fetch: Fetch;
  readonly refusesToFetch: (url: URL) => string | undefined;
  readonly strangers: AnonymousBudgets;
  readonly line: AuditLine;
  readonly originOf: (request: ProviderContext['req']) => { readonly address: string } | undefined;
}

/** What is kept of a URL: the client, or why there is none. Moments are milliseconds. */
interface Kept {
  readonly client?: ClientRecord;
  readonly refusal?: string;
  readonly freshUntil: number;
  readonly until: number;
}

export function createMetadataDocuments(deps: DocumentDeps) {
  const { settings, oidcRecords, clock } = deps;
  const underway = new Map<string, Promise<Kept>>();

  async function load(url: URL): Promise<Kept | undefined> {
    const stored = await oidcRecords.load(KIND, url.href);
    // `save` wrote it.
    return stored && (stored.payload as object as Kept);
  }

  async function renew(url: URL, known: Kept | undefined, ctx: ProviderContext): Promise<Kept> {
    const others = underway.get(url.href);
    if (others !== undefined) return others;
    if (underway.size >= MOST_AT_ONCE) return known?.client ? known : tooMany();
    const mine = (async () => {
      if (!(await isWithinBudget(deps, url, ctx))) return known?.client ? known : tooMany();
      const next = await fetched(deps, url, known, ctx);
      const seconds = Math.ceil((next.until - clock.now().getTime()) / 1000);
      await oidcRecords.save(KIND, url.href, { ...next }, Math.max(1, seconds));
      return next;
    })();
    underway.set(url.href, mine);
    return mine.finally(() => underway.delete(url.href));
  }

  return {
    /** As the copy says; undefined: there is none, or it is not a client any more. */
    async kept(clientId: string): Promise<ClientRecord | undefined> {
      const url = documentUrl(clientId, settings);
      return url && (await load(url))?.client;
    },
    /** For the request that is running. Throws what its client hears, where the document is no good. */
    async find(clientId: string, ctx: ProviderContext): Promise<ClientRecord | undefined> {
      const url = documentUrl(clientId, settings);
      if (url === undefined) return undefined;
      const known = await load(url);
      const isEnough = known !== undefined && known.freshUntil > clock.now().getTime();
      const { client, refusal } =
        isEnough || !BEGINS_AT.has(routeOf(ctx)) ? (known ?? {}) : await renew(url, known, ctx);
      if (refusal !== undefined)
        throw new errors.InvalidClient(`the document at client_id is no good: ${refusal}`);
      return client;
    },
  };
}

function tooMany(): never {
  const description = 'too many documents of clients were asked for: try again later';
  const error = new errors.CustomOIDCProviderError('temporarily_unavailable', description);
  throw Object.assign(error, { status: 429, statusCode: 429 });
}

/** One host's documents cost a budget too, so that many addresses together cannot aim the server at it. */
async function isWithinBudget({ strangers, originOf, line }: DocumentDeps, url: URL, ctx: ProviderContext) {
  try {
    await strangers.count('clientDocuments', originOf(ctx.req)?.address ?? '');
    await strangers.count('clientDocuments', `host ${url.hostname}`);
    return true;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    line(ctx, 'limit', 'refused', { channel: 'oidc', reason: 'clientDocuments' });
    return false;
  }
}

async function fetched(
  deps: DocumentDeps,
  url: URL,
  known: Kept | undefined,
  ctx: ProviderContext,
): Promise<Kept> {
  const reply = await ask(deps, url);
  const now = deps.clock.now().getTime();
  const later = (seconds: number) => now + seconds * 1000;
  const result = typeof reply === 'string' ? reply : await judged(deps, url, reply, ctx);
  const detail = { document: url.href, ...(typeof result === 'string' && { reason: result }) };
  deps.line(ctx, 'client.document', typeof result === 'string' ? 'refused' : 'success', detail);
  if (typeof reply === 'string' && known?.client && known.until > later(REFUSED_FOR)) {
    return { ...known, freshUntil: later(REFUSED_FOR) };
  }
  if (typeof result === 'string' || typeof reply === 'string') {
    return { refusal: String(result), freshUntil: later(REFUSED_FOR), until: later(REFUSED_FOR) };
  }
  const freshUntil = later(freshFor(reply.headers.get('cache-control')));
  return { client: result, freshUntil, until: freshUntil + KEPT_BESIDES * 1000 };
}

/** The reply, whatever it says; a text where the host gave none that counts. */
async function ask({ fetch }: DocumentDeps, url: URL): Promise<Response | string> {
  try {
    const reply = await fetch(url, { headers: { accept: 'application/json' }, largest: LARGEST });
    const isPassing = reply.status >= 500 || reply.status === 408 || reply.status === 429;
    return isPassing ? `its host answers ${reply.status}` : reply;
  } catch {
    // The reason would tell what there is in the server's network.
    return 'it could not be fetched';
  }
}

/** A document's client meets the same judge as every other client. */
async function judged(
  { settings, organizations, fetch, refusesToFetch }: DocumentDeps,
  url: URL,
  reply: Response,
  { oidc }: ProviderContext,
): Promise<ClientRecord | string> {
  if (reply.status !== 200) return `its host answers ${reply.status}`;
  const type = reply.headers.get('content-type') ?? '';
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) return 'it must be application/json';
  if ((await organizations.byId(settings.organization ?? '')) === undefined) {
    return 'the operator of this server set no organization up for such clients';
  }
  const client = clientOfDocument(url, await reply.text(), settings);
  if (typeof client === 'string') return client;
  const rules = {
    validate: (metadata: ClientRecord['metadata']) => validateClient(oidc.provider, metadata),
    scopes: () => settings.scopes,
    refusesToFetch,
    fetch: (uri: string) => fetch(new URL(uri), { headers: {}, largest: LARGEST }),
  };
  const [issue] = await judgeClient(client, rules);
  return issue === undefined ? client : `${issue.path} ${issue.message}`.trim();
}

function freshFor(header: string | null): number {
  const { least, most, otherwise } = FRESH;
  const directives = (header ?? '').toLowerCase();
  if (/\bno-(?:store|cache)\b/.test(directives)) return least;
  const [, seconds] = /\bmax-age\s*=\s*"?(\d{1,10})/.exec(directives) ?? [];
  return seconds === undefined ? otherwise : Math.min(most, Math.max(least, Number(seconds)));
}
