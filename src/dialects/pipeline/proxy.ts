/**
 * Stage proxy: the legacy system answers, byte for byte. What Portico must answer itself stays here: a request that
 * carries a token of Portico's, and one that cannot be sent on. Its checks are not run, its limits not charged.
 */
import { promisify } from 'node:util';
import { type BrotliOptions, brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib';
import type Koa from 'koa';
import { hostOf } from '../../core/ip-address.ts';
import { readBody } from '../../http/request/read-body.ts';
import { requestInfoOf } from '../../http/request/request-context.ts';
import type { Stage } from '../../migration/stage-record.ts';
import { Refused } from '../contract/dialect.ts';
import type { RequestView } from '../contract/endpoint.ts';
import type { AnsweredRequest } from '../runtime/answered-request.ts';
import { currentRequest } from '../runtime/current-request.ts';
import type { DialectServices } from '../runtime/deps.ts';
import { directoryOf, organizationNamed } from '../runtime/directory.ts';
import type {
  LegacyTraffic,
  PassedExchange,
  PassedReply,
  PassedRequest,
  Said,
} from '../runtime/legacy-traffic.ts';
import { endpointName, type RouteMatch } from '../runtime/match-route.ts';
import type { MountedDialect } from '../runtime/mounted.ts';
import { holdsOwnToken } from './own-tokens.ts';
import { refusedFrom } from './refusals.ts';

/** Bytes. */
const LARGEST_REQUEST = 64 * 1024;

/** Affairs of one hop. */
const OF_HOP: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'te'],
  ...['trailer', 'transfer-encoding', 'upgrade', 'http2-settings'],
]);

/** Of a request: said anew from what this server knows. */
const SAID_ANEW: ReadonlySet<string> = new Set([
  ...['expect', 'host', 'content-length', 'accept-encoding', 'forwarded'],
  ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
  ...['x-forwarded-prefix', 'x-forwarded-server', 'x-real-ip', 'x-original-url', 'x-rewrite-url'],
]);

/** Methods that a legacy system gets. TRACE echoes a request with all that it carries. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

interface Arrived {
  readonly koa: Koa.Context;
  readonly route: RouteMatch<MountedDialect>;
  readonly request: RequestView;
  readonly services: DialectServices;
}

type Passing = Arrived & { readonly stage: Stage };

/** 'answered'; or, for Portico to answer, the refusal to say or the body that was read. */
export type Passed =
  | 'answered'
  | { readonly stage?: Stage | undefined; readonly refusal?: Refused; readonly body?: Buffer };

/** Never rejects. */
export async function passOn(arrived: Arrived, traffic: LegacyTraffic): Promise<Passed> {
  const { koa, route, services } = arrived;
  if (route.kind === 'unknown' || !METHODS.has(koa.method)) return {};
  let stage: Stage | undefined;
  try {
    stage = await stageOf(arrived, traffic);
    if (stage !== 'proxy' && stage !== 'shadow') return { stage };
    return await pass({ ...arrived, stage }, traffic);
  } catch (thrown) {
    const refusal = refusedFrom(thrown, services.log);
    // A method that is not served is told so whatever comes with it.
    return refusal.reason === 'too-large' && route.kind === 'other-method' ? { stage } : { stage, refusal };
  }
}

async function pass(arrived: Passing, traffic: LegacyTraffic): Promise<Passed> {
  const { koa, route, services, stage } = arrived;
  const { owner: mounted } = route.at;
  const body = await readBody(koa.req, { limit: LARGEST_REQUEST });
  const request = passedRequest(arrived, body);
  const unpacked = await unpack(body, koa.get('content-encoding'));
  const texts = [request.target, ...request.headers, unpacked.toString('latin1')];
  if (await holdsOwnToken(services, mounted.dialect, texts)) return { stage, body };
  const reply = await traffic.send(mounted, request);
  if ('away' in reply) {
    const { away: detail, retryAfter } = reply;
    throw new Refused('unavailable', { detail, ...(retryAfter !== undefined && { retryAfter }) });
  }
  sendOn(koa, reply, mounted.announced);
  const exchange = exchangeOf(arrived, { request, reply });
  if (exchange !== undefined) traffic.learn(exchange);
  void tell(arrived, { exchange, stage, status: reply.status });
  return 'answered';
}

/**
 * Stage primary: a read that Portico has answered is asked of the legacy system too, which changes nothing there. The
 * client waits for nothing of it. Never rejects.
 */
export async function askToo(arrived: Passing, traffic: LegacyTraffic, here: Said): Promise<void> {
  const { koa, route, services } = arrived;
  const { owner: mounted } = route.at;
  const isRead = koa.method === 'GET' && route.kind === 'endpoint' && route.endpoint.caller !== 'anyone';
  if (!isRead || !traffic.asksToo(mounted)) return;
  try {
    const request = passedRequest(arrived, Buffer.alloc(0));
    const texts = [request.target, ...request.headers];
    if (await holdsOwnToken(services, mounted.dialect, texts)) return;
    const reply = await traffic.send(mounted, request, { limited: true });
    const exchange = 'away' in reply ? undefined : exchangeOf(arrived, { request, reply });
    if (exchange !== undefined) traffic.compare(exchange, here);
  } catch (error) {
    services.log.warn({ err: error }, 'a read was not compared with the legacy system');
  }
}

const UNPACKERS: Readonly<Record<string, (body: Buffer, options: ZlibOptions) => Promise<Buffer>>> = {
  gzip: promisify<Buffer, ZlibOptions, Buffer>(gunzip),
  deflate: promisify<Buffer, ZlibOptions, Buffer>(inflate),
  br: promisify<Buffer, BrotliOptions, Buffer>(brotliDecompress),
};

/** The body as the legacy system reads it. What cannot be unpacked here, it cannot unpack either. */
async function unpack(body: Buffer, encoding: string): Promise<Buffer> {
  const unpacker = UNPACKERS[encoding.trim().toLowerCase()];
  try {
    return unpacker ? await unpacker(body, { maxOutputLength: LARGEST_REQUEST }) : body;
  } catch (error) {
    const isBomb = error instanceof RangeError;
    if (isBomb) throw new Refused('too-large', { detail: 'unpacked', cause: error });
    return body;
  }
}

async function stageOf(arrived: Arrived, traffic: LegacyTraffic) {
  const { route } = arrived;
  const { name } = route.at.owner.dialect;
  const endpoint = route.kind === 'endpoint' ? endpointName(route.endpoint) : undefined;
  const organization = traffic.differsByOrganization(name) ? await organizationOf(arrived) : undefined;
  return traffic.stageOf(name, { endpoint, organization });
}

function organizationOf({ route, request, services }: Arrived): Promise<string | undefined> {
  if (route.kind !== 'endpoint') return Promise.resolve(undefined);
  return organizationNamed(services.identity, route.at.owner, { request, endpoint: route.endpoint });
}

function passedRequest({ koa, route, request, services }: Arrived, body: Buffer): PassedRequest {
  const { legacy } = route.at.owner;
  const { base } = route;
  const target =
    legacy?.base === undefined || base === '' ? koa.url : `${legacy.base}${koa.url.slice(base.length)}`;
  return {
    host: request.host,
    method: koa.method,
    target,
    headers: [
      ...withoutOurCookies(endToEnd(koa.req.rawHeaders, SAID_ANEW)),
      ...['X-Forwarded-For', hostOf(request.address), 'X-Forwarded-Host', request.host],
      ...['X-Forwarded-Proto', new URL(services.issuer).protocol.slice(0, -1)],
    ],
    body,
  };
}

/** Names and values in turn, without those of the hop, and those of `not`. */
function endToEnd(raw: readonly string[], not: ReadonlySet<string> = new Set()): string[] {
  const pairs = raw.flatMap((name, at) =>
    at % 2 === 0 ? [{ name, lower: name.toLowerCase(), value: raw[at + 1] ?? '' }] : [],
  );
  const options = pairs.filter(({ lower }) => lower === 'connection').map(({ value }) => value);
  const ofHop = new Set(
    options.flatMap((value) => value.split(',').map((each) => each.trim().toLowerCase())),
  );
  return pairs.flatMap(({ name, lower, value }) =>
    OF_HOP.has(lower) || ofHop.has(lower) || not.has(lower) ? [] : [name, value],
  );
}

function withoutOurCookies(headers: readonly string[]): string[] {
  return headers.flatMap((name, at) => {
    if (at % 2 === 1) return [];
    const value = headers[at + 1] ?? '';
    const kept = name.toLowerCase() === 'cookie' ? foreignCookies(value) : value;
    return kept === '' && value !== '' ? [] : [name, kept];
  });
}

/** Without those of this server's own pages, which a browser sends to every path of the host. */
function foreignCookies(header: string): string {
  const all = header.split(';').map((pair) => pair.trim());
  return all.filter((pair) => !/^(?:__Host-|__Secure-)?portico_/i.test(pair)).join('; ');
}

/** Removes what this server has put on the reply so far. It adds only the headers that announce the end of the API. */
function sendOn(koa: Koa.Context, { status, headers, body }: PassedReply, announced = {}): void {
  const { res } = koa;
  const said = new Set(headers.map((name) => name.toLowerCase()));
  const added = Object.entries<string>(announced).filter(([name]) => !said.has(name.toLowerCase()));
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.sendDate = false;
  res.writeHead(status, [...endToEnd(headers), ...added.flat()]);
  koa.respond = false;
  res.end(body);
}

/** Undefined: no endpoint of the dialect. */
function exchangeOf(
  arrived: Passing,
  passed: { readonly request: PassedRequest; readonly reply: PassedReply },
): PassedExchange | undefined {
  const { koa, route, request: view, stage } = arrived;
  if (route.kind !== 'endpoint') return undefined;
  const { owner: mounted } = route.at;
  const { clientId, dialect } = mounted;
  let named: Promise<string | undefined> | undefined;
  return {
    ...{ mounted, stage, ...passed },
    endpoint: route.endpoint,
    pattern: route.endpoint.path,
    organization() {
      named ??= organizationOf(arrived);
      return named;
    },
    context: {
      ...{ address: view.address, requestId: requestInfoOf(koa).id },
      ...{ clientId, channel: dialect.name },
    },
    again: (services) =>
      currentRequest({ req: koa.req, res: koa.res, info: requestInfoOf(koa) }, route, view, services),
  };
}

/** The organization is looked up once the client has its reply. */
async function tell(
  { route, request, services }: Arrived,
  passed: Pick<AnsweredRequest, 'exchange' | 'stage' | 'status'>,
): Promise<void> {
  const { after, identity } = services;
  if (after === undefined) return;
  const { name } = route.at.owner.dialect;
  const organization = async () => {
    const named = await passed.exchange?.organization();
    return named === undefined ? undefined : (await directoryOf(identity, name).byId(named))?.id;
  };
  after({
    ...passed,
    dialect: name,
    endpoint: route.kind === 'endpoint' ? endpointName(route.endpoint) : undefined,
    // Nothing is told of it while the store is away.
    organization: await organization().catch(() => undefined),
    userAgent: request.header('user-agent'),
    answeredBy: 'legacy',
  });
}
