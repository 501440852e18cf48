/**
 * One call to a legacy system, as it goes over the wire: to the configured origin and nowhere else, with the caps that
 * keep a system that hangs or lies from costing more than its time-out. Redirects are replies. What is thrown says
 * why in words of our own: no text of a request, a reply or a library.
 */
import { lookup } from 'node:dns';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { checkServerIdentity } from 'node:tls';
import { buildConnector, type Dispatcher, Pool } from 'undici';
import { isLoopback } from '../config/kinds.ts';
import { isLinkLocal, type LegacySettings } from '../config/legacy-section.ts';
import { VIA_VERSION } from './loop.ts';

/** Bytes of a reply's body. */
export const LARGEST_REPLY = 512 * 1024;

export interface WireRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body?: Uint8Array | undefined;
  /** Milliseconds that are left, where they are fewer than the configured ones. */
  readonly timeout?: number;
}

export interface WireReply {
  readonly status: number;
  /** Names and values in turn, as they came. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** There is no reply that could be looked at. `answered`: there is one, which is not read. */
export class NoReply extends Error {
  override readonly name = 'NoReply';
  readonly answered: boolean;

  constructor(why: string, { answered = false } = {}) {
    super(why);
    this.answered = answered;
  }
}

export interface Connection {
  /** Throws NoReply, and nothing else. */
  send(request: WireRequest): Promise<WireReply>;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly legacy: LegacySettings;
  /** What each call says of itself, so that one that comes back is known. */
  readonly via: string;
  /** Ports on which this server listens. */
  readonly ownPorts: readonly number[];
}

/** A pool of its own: never more connections than calls are allowed at once. */
export function openConnection({ legacy, via, ownPorts }: ConnectionOptions): Connection {
  const { timeout, concurrency } = legacy;
  const pool = new Pool(legacy.url, {
    connections: concurrency,
    connect: connectorTo(legacy, ownPorts),
    allowH2: false,
    // One time-out is over everything; the library's own would come first or late.
    ...{ headersTimeout: 0, bodyTimeout: 0, connectTimeout: timeout },
  });
  const own = [...Object.entries(legacy.headers ?? {}).flat(), 'Accept-Encoding', 'identity'];
  const named = new Set(own.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase()));
  return {
    async send({ method, target, headers, body, timeout: left = timeout }) {
      try {
        const reply = await pool.request({
          method: method as Dispatcher.HttpMethod,
          path: target,
          headers: [...withoutNames(headers, named), ...own, 'Via', `${VIA_VERSION} ${via}`],
          body: body ?? null,
          signal: AbortSignal.timeout(Math.max(0, Math.ceil(Math.min(left, timeout)))),
          responseHeaders: 'raw',
        });
        return await readReply(reply);
      } catch (error) {
        throw error instanceof NoReply ? error : new NoReply(reasonOf(error));
      }
    },
    close: () => pool.destroy(),
  };
}

function withoutNames(headers: readonly string[], names: ReadonlySet<string>): string[] {
  return headers.flatMap((name, at) =>
    at % 2 === 0 && !names.has(name.toLowerCase()) ? [name, headers[at + 1] ?? ''] : [],
  );
}

async function readReply({
  statusCode: status,
  headers: raw,
  body,
}: Dispatcher.ResponseData): Promise<WireReply> {
  // As the library gives them with `responseHeaders: 'raw'`.
  const headers = Array.isArray(raw) ? raw.map(String) : Object.entries(raw).flat().map(String);
  // A body that is destroyed before its end emits an error; one without a listener ends the process.
  body.on('error', () => undefined);
  const encoding = headerOf(headers, 'content-encoding');
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    body.destroy();
    throw new NoReply('an encoded reply', { answered: true });
  }
  const pieces: Buffer[] = [];
  let length = 0;
  const stream: AsyncIterable<Buffer> = body;
  for await (const piece of stream) {
    length += piece.byteLength;
    if (length > LARGEST_REPLY) {
      body.destroy();
      throw new NoReply('a reply that is too large', { answered: true });
    }
    pieces.push(piece);
  }
  return { status, headers, body: Buffer.concat(pieces) };
}

/** Repeated ones joined by ', '. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  const values = headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name);
  return values.length === 0 ? undefined : values.join(', ');
}

/* ------------------------------------------------------------------ where to */

/** `name`: the certificate's. `host`: where to, an address or the name. */
export function placeOnNetwork({ url, address }: Pick<LegacySettings, 'url' | 'address'>) {
  const { hostname, port, protocol } = new URL(url);
  const name = hostname.replace(/^\[|\]$/g, '');
  const ownPort = Number(port || (protocol === 'https:' ? 443 : 80));
  return { name, host: address?.ip ?? name, port: address?.port ?? ownPort };
}

/** The address is judged where the socket is opened, so that a name which leads elsewhere a moment later gains nothing. */
function connectorTo(legacy: LegacySettings, ownPorts: readonly number[]): buildConnector.connector {
  const { ca, timeout } = legacy;
  const { protocol } = new URL(legacy.url);
  const { name, host: target, port } = placeOnNetwork(legacy);
  const refuse = (ip: string) => forbiddenAddress(ip, port, ownPorts);
  const connect = buildConnector({
    ...{ timeout, ca, port },
    lookup: (host, options, done) => {
      lookup(host, { ...options, all: true }, (error, addresses) => {
        if (error) return done(error, []);
        const refusal = addresses.map((one) => refuse(one.address)).find((reason) => reason !== undefined);
        if (refusal !== undefined) return done(new NoReply(refusal), []);
        const [first] = addresses;
        if (options.all || !first) done(null, addresses);
        else done(null, first.address, first.family);
      });
    },
    // The certificate is that of the name, wherever the connection goes.
    ...(protocol === 'https:' && {
      checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    }),
  });
  return (options, done) => {
    const refusal = isIP(target) === 0 ? undefined : refuse(target);
    if (refusal !== undefined) return done(new NoReply(refusal), null);
    connect(
      {
        ...options,
        hostname: target,
        port: String(port),
        ...(isIP(name) === 0 && { servername: name }),
      },
      done,
    );
  };
}

/** Why a socket is not opened to this address. */
export function forbiddenAddress(ip: string, port: number, ownPorts: readonly number[]): string | undefined {
  if (isLinkLocal(ip)) return 'a link-local address';
  return ownPorts.includes(port) && isOfThisMachine(ip) ? 'this server itself' : undefined;
}

function isOfThisMachine(ip: string): boolean {
  const plain = ip.replace(/^::ffff:/i, '');
  if (isLoopback(plain) || ['::1', '::', '0.0.0.0'].includes(plain)) return true;
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === plain));
}

/* ------------------------------------------------------------------ why not */

const REASONS: readonly [RegExp, string][] = [
  [
    /^(?:TimeoutError|AbortError|ABORT_ERR|UND_ERR_ABORTED|UND_ERR_\w*TIMEOUT|ETIMEDOUT)$/,
    'no reply in time',
  ],
  [/^ECONNREFUSED$/, 'the connection is refused'],
  [/^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/, 'the connection broke'],
  [/^(?:ENOTFOUND|EAI_AGAIN|EAI_NODATA)$/, 'the name is not known'],
  [/^(?:EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/, 'the network does not lead there'],
  [/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/, 'its certificate is not good'],
  [/^(?:HPE_|UND_ERR_HEADERS_OVERFLOW)/, 'it does not speak HTTP'],
  [/^(?:ERR_SSL|EPROTO)/, 'it does not speak TLS'],
];

function reasonOf(error: unknown): string {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    if (at instanceof NoReply) return at.message;
    const { code, name } = at as NodeJS.ErrnoException;
    const reason = REASONS.find(([form]) => form.test(code ?? '') || form.test(name));
    if (reason !== undefined) return reason[1];
    // Of several addresses that were tried.
    if (at instanceof AggregateError) return reasonOf(at.errors[0]);
  }
  // A code is a library's word, never a value.
  const { code, name = '' } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  return `the call failed (${/^\w+$/.exec(code ?? name)?.[0] ?? 'unknown'})`;
}
