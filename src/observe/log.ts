/**
 * The log: one JSON object a line (pino). Secrets are taken out here, once, for every caller: by the name
 * of a member, and by the form of a text (JWTs, bearer values, token prefixes, secret query parameters).
 * JSON escapes control characters, so nothing that a client sends can start a line of its own.
 */
import { format } from 'node:util';
import { type DestinationStream, type Logger, pino } from 'pino';
import { redact, redactText } from './redact.ts';

export type Log = Logger;

export interface LogOptions {
  readonly level: string;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
}

type Members = Record<string, unknown>;
type Write = (members: Members, message?: string) => void;

export function createLog({ level, destination }: LogOptions): Log {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // The hook below has written errors already; pino's own serializer would show every member of one.
    serializers: { err: (error: unknown) => error },
    hooks: {
      logMethod(this: Logger, deps: unknown[], write: unknown) {
        const { members, message } = cleaned(deps);
        (write as Write).call(this, members, message);
      },
    },
  };
  const log = pino(options, destination ?? standardOutput());
  // Children inherit this method, and with it the cleaning of what is bound to them.
  const child = log.child;
  log.child = function cleanChild(this: Logger, bindings: Members, childOptions?: object) {
    return child.call(this, redact(bindings) as Members, childOptions);
  } as typeof log.child;
  return log;
}

/** Bytes of log that wait in memory for a full disk or a slow reader; lines beyond them are lost. */
const WAITING = 16 * 1024 * 1024;

/** Where it cannot be written, lines are lost and the server goes on. */
function standardOutput(): DestinationStream {
  const stream = pino.destination({ sync: false, maxLength: WAITING });
  // The next line tries again. A flush, as at the end of the process, would try for ever.
  stream.on('error', () => {
    stream.flushSync = () => {};
  });
  return stream;
}

/** pino's ways to call it, `(message, ...values)`, `(members, message, ...values)` and `(error)`, as one. */
function cleaned(deps: unknown[]): { members: Members; message?: string } {
  const [first, ...rest] = deps;
  if (typeof first === 'string') return { members: {}, message: redactText(format(first, ...rest)) };
  const members = (redact(first instanceof Error ? { err: first } : (first ?? {})) ?? {}) as Members;
  if (rest.length > 0) return { members, message: redactText(format(...rest)) };
  return first instanceof Error ? { members, message: redactText(first.message) } : { members };
}
