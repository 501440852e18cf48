/**
 * Digests that are repeated thousands of times, which Node has no asynchronous function for. They are made in a thread
 * of their own, so that no request waits for them; this file is that thread's program too.
 */
import { hash as digest } from 'node:crypto';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { encrypt as shaCrypt } from 'unixcrypt';

export interface Rounds {
  readonly algorithm: string;
  readonly password: string;
  /** Of phpass and sha-crypt. */
  readonly salt?: string;
  readonly rounds: number;
}

/** Openwall's phpass: salt and password once, then each result with the password behind it. */
function phpass(algorithm: string, { password, salt = '', rounds }: Rounds): Buffer {
  const typed = Buffer.from(password);
  let made = digest(algorithm, Buffer.concat([Buffer.from(salt), typed]), 'buffer');
  const input = Buffer.alloc(made.byteLength + typed.byteLength);
  typed.copy(input, made.byteLength);
  for (let done = 0; done < rounds; done += 1) {
    made.copy(input);
    made = digest(algorithm, input, 'buffer');
  }
  return made;
}

function repeated(algorithm: string, { password, rounds }: Rounds): Buffer {
  let made = Buffer.from(password, 'base64');
  for (let done = 0; done < rounds; done += 1) made = digest(algorithm, made, 'buffer');
  return made;
}

function made(job: Rounds): Buffer {
  const { algorithm, password, salt = '', rounds } = job;
  const [form = '', name = ''] = algorithm.split(' ');
  if (form === 'phpass') return phpass(name, job);
  if (form === 'repeated') return repeated(name, job);
  const text = shaCrypt(password, `$${name}$rounds=${rounds}$${salt}`);
  return Buffer.from(text.slice(text.lastIndexOf('$') + 1));
}

interface Asked {
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
}

let thread: { readonly worker: Worker; readonly asked: Map<number, Asked> } | undefined;
let count = 0;

/** `algorithm`: `phpass md5`, `repeated sha256` (of the bytes whose Base64 `password` is), `crypt 6`. */
export function inThread(job: Rounds): Promise<Buffer> {
  thread ??= startThread();
  const { worker, asked } = thread;
  const id = count;
  count += 1;
  return new Promise((resolve, reject) => {
    // Only what waits keeps the process from ending.
    worker.ref();
    asked.set(id, { resolve, reject });
    worker.postMessage({ id, job });
  });
}

function startThread() {
  const asked = new Map<number, Asked>();
  const worker = new Worker(new URL(import.meta.url), { workerData: THREAD });
  worker.on('message', ({ id, bytes }: { id: number; bytes: Uint8Array }) => {
    asked.get(id)?.resolve(Buffer.from(bytes));
    asked.delete(id);
    if (asked.size === 0) worker.unref();
  });
  const end = (error: Error) => {
    if (thread?.worker === worker) thread = undefined;
    for (const { reject } of asked.values()) reject(error);
    asked.clear();
  };
  worker.on('error', end);
  worker.on('exit', () => end(new Error('The thread that repeats digests has ended.')));
  return { worker, asked };
}

const THREAD = 'password-rounds';
if (!isMainThread && workerData === THREAD)
  parentPort?.on('message', ({ id, job }: { id: number; job: Rounds }) => {
    parentPort?.postMessage({ id, bytes: made(job) });
  });
