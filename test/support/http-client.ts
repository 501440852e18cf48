/**
 * A client that sends exactly what it is told: the path as written, no header of its own but Host and
 * Content-Length, no redirect followed, no cookie kept. fetch() cannot do that.
 */
import http from 'node:http';

export interface Outgoing {
  readonly method: string;
  /** With the query; sent as it stands. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface Incoming {
  readonly status: number;
  /** Names in lower case; repeated headers joined by ', '. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly bytes: Buffer;
  readonly text: string;
  /** Throws when the body is no JSON. */
  json(): unknown;
}

export interface HttpClient {
  send(request: Outgoing): Promise<Incoming>;
  close(): void;
}

/** `origin`: `http://127.0.0.1:1234`. Connections are kept between requests until close(). */
export function openClient(origin: string): HttpClient {
  const { hostname, port } = new URL(origin);
  const agent = new http.Agent({ keepAlive: true });
  return {
    send: (request) => send({ hostname, port: Number(port), agent }, request),
    close: () => agent.destroy(),
  };
}

function send(
  target: { hostname: string; port: number; agent: http.Agent },
  request: Outgoing,
): Promise<Incoming> {
  const body = request.body === undefined ? undefined : Buffer.from(request.body);
  const headers: Record<string, string> = { ...request.headers };
  if (body !== undefined || /^(POST|PUT|PATCH)$/.test(request.method)) {
    headers['content-length'] ??= String(body?.byteLength ?? 0);
  }
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      { ...target, method: request.method, path: request.path, headers },
      (response) => {
        readAll(response).then(resolve, reject);
      },
    );
    outgoing.setTimeout(30_000, () =>
      outgoing.destroy(new Error(`${request.method} ${request.path} got no answer.`)),
    );
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // The server closed a connection that was kept for long, and has not seen the request.
      if (outgoing.reusedSocket && error.code === 'ECONNRESET') send(target, request).then(resolve, reject);
      else reject(error);
    });
    outgoing.end(body);
  });
}

async function readAll(response: http.IncomingMessage): Promise<Incoming> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const text = bytes.toString('utf8');
  const headers = Object.fromEntries(
    Object.entries(response.headersDistinct).map(([name, values]) => [name, (values ?? []).join(', ')]),
  );
  return {
    status: response.statusCode ?? 0,
    headers,
    cookies: response.headers['set-cookie'] ?? [],
    bytes,
    text,
    json: () => JSON.parse(text) as unknown,
  };
}
