/** Reads a client's keys and certificates from files, as RFC 7591 members. The judge refuses private keys. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CommandRefused } from '../output.ts';

/** A JSON Web Key Set, or one key of it. */
export function keysInFile(file: string): object {
  const found = readAs(file, 'a JSON Web Key Set', (content): unknown => JSON.parse(String(content)));
  const isKey = typeof found === 'object' && found !== null && 'kty' in found;
  return isKey ? { keys: [found] } : Object(found);
}

/** A certificate that the client signed itself, as the one key of a set (RFC 8705, 2.2.2). */
export function certificateInFile(file: string): object {
  const certificate = readAs(file, 'a certificate (PEM)', (content) => new X509Certificate(content));
  const key = certificate.publicKey.export({ format: 'jwk' });
  return { keys: [{ ...key, x5c: [certificate.raw.toString('base64')] }] };
}

function readAs<T>(file: string, what: string, read: (content: Buffer) => T): T {
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    const { code } = Object(error);
    throw new CommandRefused(`${file} ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}.`);
  }
  try {
    return read(content);
  } catch {
    throw new CommandRefused(`${file} is not ${what}.`);
  }
}
