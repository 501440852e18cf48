/**
 * Bodies from raw bytes. A body is read up to a cap, decoded strictly, and parsed without guessing: a
 * parser that turns bad UTF-8 or an unknown type into a harmless-looking value would let a request mean
 * one thing here and another in front of us.
 */
import type { IncomingMessage } from 'node:http';
import { Refused } from '../../core/refused.ts';

/** What is too long is still read up to here and dropped, so that the reply reaches a client that is busy sending. */
const READ_AND_DROP = 2 * 1024 * 1024;

/** Names in one form. Anything larger is an attack on the parser, no form of ours has twenty. */
const FORM_NAMES = 1000;

/**
 * The whole body. `limit`: bytes. Throws Refused('too-large'), or ('unreadable-body') when the client
 * stops in the middle.
 */
export async function readBody(request: IncomingMessage, options: { limit: number }): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > READ_AND_DROP) throw new Refused('too-large', { detail: `${announced} bytes announced` });
  const kept: Buffer[] = [];
  let received = 0;
  try {
    const chunks: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks) {
      received += chunk.byteLength;
      if (received <= options.limit) kept.push(chunk);
      else kept.length = 0;
      if (received > READ_AND_DROP) break;
    }
  } catch (cause) {
    throw new Refused('unreadable-body', { detail: 'the body ended early', cause });
  }
  if (received > options.limit)
    throw new Refused('too-large', { detail: `more than ${options.limit} bytes` });
  return Buffer.concat(kept, received);
}

/** As readBody, faster, for a body whose announced length is small. `gone`: the client went away first. */
export function readSmallBody(
  request: IncomingMessage,
  done: (body: Buffer) => void,
  gone: () => void,
): void {
  // Most bodies arrive with their headers, and are complete once the parser has read on.
  queueMicrotask(() => {
    const first: Buffer | null = request.read();
    if (request.complete) return done(first ?? Buffer.alloc(0));
    const kept = first === null ? [] : [first];
    request.on('data', (chunk: Buffer) => kept.push(chunk));
    request.once('end', () => done(Buffer.concat(kept)));
    // It follows every body, a whole one too.
    request.once('close', () => {
      if (!request.readableEnded) gone();
    });
  });
}

/**
 * Throws Refused('unsupported-encoding') for a compressed body: nothing that we accept is worth
 * compressing, and what is never unpacked cannot be a bomb.
 */
export function refuseEncoding(request: IncomingMessage): void {
  if (isEncoded(request)) {
    throw new Refused('unsupported-encoding', {
      detail: `Content-Encoding: ${request.headers['content-encoding']}`,
    });
  }
}

/** Whether the body claims a Content-Encoding other than identity. */
function isEncoded(request: IncomingMessage): boolean {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase();
  return encoding !== undefined && encoding !== '' && encoding !== 'identity';
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Throws Refused('unreadable-body') for what is not UTF-8. A byte order mark is dropped. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new Refused('unreadable-body', { detail: 'not UTF-8', cause });
  }
}

/**
 * Throws Refused('unreadable-body') for bad syntax. How deep it is nested is no fault: vendors ignore members
 * that they do not know, whatever they hold. The parser does not recurse, and the caps keep the text short;
 * a reader of the value looks at the members that it knows and never walks the rest.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Refused('unreadable-body', { detail: 'not JSON', cause });
  }
}

/**
 * application/x-www-form-urlencoded. Unlike URLSearchParams alone it refuses percent-encoded bytes that
 * are not UTF-8, and more than 1,000 names. A lone percent sign stands for itself.
 */
export function parseForm(text: string): URLSearchParams {
  const form = new URLSearchParams();
  if (text === '') return form;
  let names = 0;
  for (const pair of text.split('&', FORM_NAMES + 1)) {
    names += 1;
    if (names > FORM_NAMES) throw new Refused('unreadable-body', { detail: 'too many names' });
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = at === -1 ? pair : pair.slice(0, at);
    form.append(percentDecoded(name), at === -1 ? '' : percentDecoded(pair.slice(at + 1)));
  }
  return form;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' ').replace(/%(?![0-9a-f]{2})/gi, '%25'));
  } catch (cause) {
    throw new Refused('unreadable-body', { detail: 'percent-encoded bytes that are not UTF-8', cause });
  }
}
