/** The body of a registration: read whole, as JSON in which no name stands twice, and handed on as it was judged. */
import type { IncomingMessage } from 'node:http';
import { handBack } from '../../core/hand-back.ts';
import { RegistrationRefused } from './refused.ts';

/** Bytes. What is longer is read and dropped, so that the answer reaches a client that is busy sending. */
const LONGEST = 16 * 1024;

export type Body = Readonly<Record<string, unknown>>;

export async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  let length = 0;
  const bytes: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of bytes) {
    length += chunk.byteLength;
    if (length <= LONGEST) chunks.push(chunk);
  }
  if (length > LONGEST) {
    throw new RegistrationRefused('invalid_client_metadata', `must have ${LONGEST} bytes or fewer`, 413);
  }
  return parse(Buffer.concat(chunks));
}

function parse(bytes: Buffer): Body {
  const text = decoded(bytes);
  const body = parsed(text);
  if (!isTable(body)) {
    throw new RegistrationRefused('invalid_client_metadata', 'the body must be a JSON object');
  }
  const twice = nameGivenTwice(text);
  if (twice) throw new RegistrationRefused('invalid_client_metadata', 'a member is given twice');
  return body;
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new RegistrationRefused('invalid_client_metadata', 'the body must be UTF-8');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RegistrationRefused('invalid_client_metadata', 'the body must be JSON');
  }
}

export function isTable(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Readers of JSON differ in which of the two counts. The text is JSON. */
function nameGivenTwice(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  let last: string | undefined;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}:]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':' && last !== undefined) {
      const names = open.at(-1);
      const name: string = JSON.parse(last);
      if (names?.has(name)) return true;
      names?.add(name);
    }
    last = token.startsWith('"') ? token : undefined;
  }
  return false;
}

/** The provider reads `body` as if the client had sent it. */
export function handOn(request: IncomingMessage, body: Body): void {
  const bytes = Buffer.from(JSON.stringify(body));
  handBack(request, bytes);
  request.headers['content-length'] = String(bytes.byteLength);
  request.headers['content-type'] = 'application/json';
}
