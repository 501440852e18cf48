/** A site on https with a certificate of its own, which this process trusts: clients' metadata documents lie there. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';

export interface DocumentSite {
  /** No slash at the end. */
  readonly url: string;
  readonly host: string;
  /** For processes that shall trust it too. */
  readonly certificateFile: string;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** Serves a document about the client at this path, `members` over what a usual one has; its URL. */
  document(at: string, members?: Record<string, unknown>, headers?: Record<string, string>): string;
  /** Serves whatever this is; the URL. */
  serve(at: string, answer: (request: IncomingMessage, response: ServerResponse) => void): string;
  remove(at: string): void;
  close(): Promise<void>;
}

export async function startDocumentSite(): Promise<DocumentSite> {
  const { folder, certificateFile, key, cert } = await certificate();
  const known = getCACertificates('default');
  setDefaultCACertificates([...known, cert]);
  const answers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
  const asked: string[] = [];
  const server = createServer({ key, cert }, (request, response) => {
    asked.push(String(request.url));
    const answer = answers.get(String(request.url));
    if (answer) answer(request, response);
    else response.writeHead(404, { 'content-type': 'text/plain' }).end('none');
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  const url = `https://${host}`;
  const serve: DocumentSite['serve'] = (at, answer) => {
    answers.set(at, answer);
    return url + at;
  };
  return {
    ...{ url, host, certificateFile, asked, serve },
    document: (at, members, headers) => {
      const document = { ...usual(url, at), ...members };
      return serve(at, (_request, response) => {
        response
          .writeHead(200, { 'content-type': 'application/json', ...headers })
          .end(JSON.stringify(document));
      });
    },
    remove: (at) => void answers.delete(at),
    close: () =>
      new Promise((resolve) => {
        setDefaultCACertificates(known);
        rmSync(folder, { recursive: true });
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function usual(url: string, at: string) {
  return {
    client_id: url + at,
    client_name: 'Quill',
    redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
}

async function certificate() {
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-documents-'));
  const own = (name: string) => path.join(folder, name);
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-keyout', own('key.pem'), '-out', own('cert.pem')],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
  ]);
  const certificateFile = own('cert.pem');
  const [key, cert] = [own('key.pem'), certificateFile].map((file) => readFileSync(file, 'utf8'));
  return { folder, certificateFile, key: key ?? '', cert: cert ?? '' };
}
