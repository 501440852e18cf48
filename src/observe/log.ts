/**
 * The log: one JSON object a line (pino). Secrets are taken out here, once, for every caller: by the name
 * of a member, and by the form of a text (JWTs, bearer values, token prefixes, secret query parameters).
 * JSON escapes control characters, so nothing that a client sends can start a line of its own.
 */
import { type DestinationStream, type Logger, pino } from 'pino';
import { redact, redactText } from './redact.ts';

export type Log = Logger;

export interface LogOptions {
  readonly level: string;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
}

export function createLog({ level, destination }: LogOptions): Log {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (members: Record<string, unknown>) => redact(members) as Record<string, unknown>,
      bindings: (members: Record<string, unknown>) => redact(members) as Record<string, unknown>,
    },
    // redact() writes errors already; pino's own serializer would show every member of one.
    serializers: { err: (error: unknown) => redact(error) },
    hooks: {
      logMethod(
        this: Logger,
        parts: Parameters<Logger['info']>,
        method: (...parts: Parameters<Logger['info']>) => void,
      ) {
        const clean = parts.map((part) => (typeof part === 'string' ? redactText(part) : part));
        method.apply(this, clean as Parameters<Logger['info']>);
      },
    },
  };
  return destination ? pino(options, destination) : pino(options);
}
