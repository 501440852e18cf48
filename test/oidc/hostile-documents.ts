/** Documents about clients that a stranger might serve, and what the server says of each. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { DocumentSite } from '../support/document-site.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Members over a usual document's, or an answer of another kind; part of the refusal. */
export type Hostile = readonly [what: Record<string, unknown> | Answer, refusal: string];

const JSON_TYPE = { 'content-type': 'application/json' };
const text =
  (body: string | Buffer, headers: Record<string, string> = JSON_TYPE): Answer =>
  (_request, response) =>
    void response.writeHead(200, headers).end(body);
const status = (code: number, headers: Record<string, string> = {}): Answer => {
  return (_request, response) => void response.writeHead(code, { ...JSON_TYPE, ...headers }).end('{}');
};

export function hostileDocuments(site: DocumentSite): Record<string, Hostile> {
  const redirect = 'redirect_uris.0 must have the origin of the document';
  const good = JSON.stringify({ client_id: `${site.url}/good.json`, redirect_uris: ['http://127.0.0.1/cb'] });
  site.serve('/good.json', text(good));
  const uris = (...redirect_uris: string[]) => ({ redirect_uris });
  return {
    array: [text('[]'), 'must be a JSON object'],
    'array of documents': [text(`[${good}]`), 'must be a JSON object'],
    null: [text('null'), 'must be a JSON object'],
    number: [text('7'), 'must be a JSON object'],
    string: [text(JSON.stringify(good)), 'must be a JSON object'],
    nothing: [text(''), 'must be a JSON object'],
    'half of it': [text(good.slice(0, 40)), 'must be a JSON object'],
    'a byte order mark alone': [text('\ufeff'), 'must be a JSON object'],
    'deep nesting': [text('['.repeat(30_000)), 'must be a JSON object'],
    'gzip that nobody asked for': [
      text(gzipSync(good), { ...JSON_TYPE, 'content-encoding': 'gzip' }),
      'must be a JSON object',
    ],
    html: [text('<!doctype html><p>Welcome', { 'content-type': 'text/html' }), 'must be application/json'],
    'json as text': [text(good, { 'content-type': 'text/plain' }), 'must be application/json'],
    'json as javascript': [
      text(good, { 'content-type': 'application/javascript' }),
      'must be application/json',
    ],
    'json without a type': [
      (_request, response) => void response.writeHead(200).end(good),
      'must be application/json',
    ],
    'a list of types': [text(good, { 'content-type': 'application/jsonx' }), 'must be application/json'],
    '100 MB': [
      (_request, response) => {
        response.writeHead(200, JSON_TYPE);
        const chunk = Buffer.alloc(64 * 1024, ' ');
        const feed = () => {
          for (let sent = 0; sent < 100 && !response.destroyed && response.write(chunk); sent += 1);
        };
        response.on('drain', feed);
        feed();
      },
      'could not be fetched',
    ],
    'a little too long': [text(good + ' '.repeat(33 * 1024)), 'could not be fetched'],
    'a length that lies': [text(good, { ...JSON_TYPE, 'content-length': '20000' }), 'could not be fetched'],
    'a closed connection': [(request) => void request.socket.destroy(), 'could not be fetched'],
    'a moved document': [status(301, { location: `${site.url}/good.json` }), 'answers 301'],
    'a found document': [status(302, { location: `${site.url}/good.json` }), 'answers 302'],
    'a temporary redirect': [
      status(307, { location: 'http://169.254.169.254/latest/meta-data' }),
      'answers 307',
    ],
    'a permanent redirect': [status(308, { location: '/good.json' }), 'answers 308'],
    'no content': [(_request, response) => void response.writeHead(204).end(), 'answers 204'],
    'a part of it': [status(206), 'answers 206'],
    'not modified': [status(304), 'answers 304'],
    'a sign-in': [status(401, { 'www-authenticate': 'Basic realm=x' }), 'answers 401'],
    'not found': [status(404), 'answers 404'],
    'a fault': [status(500), 'answers 500'],
    'no client_id': [{ client_id: undefined }, 'client_id'],
    'another client_id': [
      { client_id: `${site.url}/good.json` },
      'client_id must be the URL of the document',
    ],
    'client_id of another host': [{ client_id: 'https://bank.test/client' }, 'client_id must be the URL'],
    'a list of client_ids': [{ client_id: [`${site.url}/good.json`] }, 'client_id'],
    'no redirect_uris': [{ redirect_uris: undefined }, 'redirect_uris'],
    'empty redirect_uris': [uris(), 'redirect_uris'],
    'redirect_uris as text': [{ redirect_uris: 'http://127.0.0.1/cb' }, 'redirect_uris'],
    'numbers as redirect_uris': [{ redirect_uris: [1] }, 'redirect_uris.0'],
    'ten thousand redirect_uris': [
      { redirect_uris: Array.from({ length: 2000 }, () => 'http://127.0.0.1/') },
      'could not be fetched',
    ],
    'many redirect_uris': [
      { redirect_uris: Array.from({ length: 21 }, (_each, at) => `http://127.0.0.1/${at}`) },
      'redirect_uris',
    ],
    'a long redirect_uri': [uris(`http://127.0.0.1/${'x'.repeat(600)}`), 'redirect_uris.0'],
    'javascript:': [uris('javascript:alert(1)'), redirect],
    'data:': [uris('data:text/html,x'), redirect],
    'file:': [uris('file:///etc/passwd'), redirect],
    'an own scheme': [uris('com.example.app:/cb'), redirect],
    'another origin': [uris('https://evil.test/cb'), redirect],
    'another port': [uris('https://localhost:1/cb'), redirect],
    'a host that begins alike': [uris(`${site.url}.evil.test/cb`), redirect],
    'a user name before another host': [uris(`${site.url}@evil.test/cb`), redirect],
    'a user name': [uris(`https://me:secret@${site.host}/cb`), redirect],
    'https on the loopback address': [uris('https://127.0.0.1/cb'), redirect],
    'http on a private address': [uris('http://192.168.0.1/cb'), redirect],
    'a loopback name that is none': [uris('http://127.0.0.1.evil.test/cb'), redirect],
    'a fragment': [uris(`${site.url}/cb#x`), 'fragment'],
    'a wildcard': [uris(`${site.url}/*`), 'wildcard'],
    'a line break': [uris(`${site.url}/a\nb`), 'redirect_uris'],
    'one good and one foreign': [uris('http://127.0.0.1/cb', 'https://evil.test'), 'redirect_uris.1 must'],
    'a secret': [{ client_secret: 'for-everyone-to-read' }, 'client_secret: must not'],
    'the end of a secret': [{ client_secret_expires_at: 0 }, 'client_secret_expires_at: must not'],
    client_secret_basic: [
      { token_endpoint_auth_method: 'client_secret_basic' },
      'token_endpoint_auth_method',
    ],
    client_secret_jwt: [{ token_endpoint_auth_method: 'client_secret_jwt' }, 'token_endpoint_auth_method'],
    tls_client_auth: [{ token_endpoint_auth_method: 'tls_client_auth' }, 'token_endpoint_auth_method'],
    'a method and no key': [{ token_endpoint_auth_method: 'private_key_jwt' }, 'jwks'],
    'a symmetric key': [
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } },
      'jwks',
    ],
    'a private key': [
      {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'A', y: 'A', d: 'A' }] },
      },
      'jwks',
    ],
    'many keys': [{ jwks: { keys: Array.from({ length: 11 }, () => ({ kty: 'EC' })) } }, 'jwks.keys'],
    'keys as text': [{ jwks: '{"keys":[]}' }, 'jwks'],
    'words to its people as the name of a member of a key': [
      { jwks: { keys: [{ [`Your account is locked.\r\nCall 555${'!'.repeat(20_000)}`]: 5 }] } },
      'jwks.keys.0: ',
    ],
    'keys in a network': [{ jwks_uri: 'https://169.254.169.254/keys' }, 'jwks_uri must have the origin'],
    'keys elsewhere': [{ jwks_uri: 'https://evil.test/keys' }, 'jwks_uri must have the origin'],
    'keys and a place of keys': [
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [] }, jwks_uri: `${site.url}/keys` },
      'jwks',
    ],
    'an unknown algorithm': [
      {
        token_endpoint_auth_method: 'private_key_jwt',
        ...{ token_endpoint_auth_signing_alg: 'HS256', jwks_uri: `${site.url}/keys` },
      },
      'token_endpoint_auth_signing_alg',
    ],
    'the client credentials grant alone': [{ grant_types: ['client_credentials'] }, 'grant_types must have'],
    'the implicit grant alone': [{ grant_types: ['implicit'] }, 'grant_types must have'],
    'grant types as text': [{ grant_types: 'authorization_code' }, 'grant_types'],
    'many grant types': [{ grant_types: Array.from({ length: 21 }, () => 'x') }, 'grant_types'],
    'a name that is no text': [{ client_name: { en: 'Quill' } }, 'client_name'],
    'a long name': [{ client_name: 'Q'.repeat(501) }, 'client_name'],
    'nothing as a name': [{ client_name: null }, 'client_name'],
  };
}
