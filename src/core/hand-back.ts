import type { IncomingMessage } from 'node:http';

/** Lets the next reader of a request whose body was read find `bytes` as the body. */
export function handBack(request: IncomingMessage, bytes: Buffer): void {
  const again = async function* () {
    if (bytes.length > 0) yield bytes;
  };
  Object.defineProperties(request, {
    readable: { value: true },
    iterator: { value: again },
    [Symbol.asyncIterator]: { value: again },
  });
}
