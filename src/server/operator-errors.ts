/**
 * Why a command or the server could not do its work, in words that say what to do. Errors whose message is
 * written for an operator are passed on; what the system says is translated; anything else is a defect and
 * keeps its stack.
 */
import { DecryptionFailed } from '../core/crypto.ts';
import { OperatorError, StoreUnavailable } from '../core/errors.ts';
import { type Reason, Refused } from '../core/refused.ts';

export function explainFailure(error: unknown): string {
  if (!(error instanceof Error)) return `Portico failed: ${String(error)}`;
  if (error instanceof OperatorError) return error.message;
  if (error instanceof StoreUnavailable) {
    const reason = error.cause instanceof Error ? ` (${error.cause.message})` : '';
    // The reason says what the file needs.
    if (error.store === 'embedded') return `${error.message}${reason}`;
    return `${error.message}${reason} Start it, or correct its address: store.${error.store} in the configuration.`;
  }
  if (error instanceof DecryptionFailed) {
    return 'The store was created with another server key. Put the old key back (keys.encryption, or the file keys.encryptionFile names).';
  }
  if (error instanceof Refused) return ofDomain(error);
  return ofSystem(error as NodeJS.ErrnoException) ?? error.stack ?? String(error);
}

const REFUSALS: Partial<Record<Reason, string>> = {
  'account-exists': 'The e-mail address or the username belongs to another account.',
  'account-not-found': 'The account is gone.',
  'password-too-short': 'The password is too short: passwords.minimum says how long it must be.',
  'password-too-common': 'The password is too easy to guess. Choose another.',
  unavailable: 'The server is too busy. Try again.',
};

function ofDomain({ reason, issues, message }: Refused): string {
  const said = REFUSALS[reason] ?? `Refused (${reason}): ${message}`;
  return issues.length > 0 ? issues.map((issue) => issue.message).join('\n') : said;
}

/** `setting`: where the configuration names the port (listen.ts). */
type SystemError = NodeJS.ErrnoException & { port?: number; address?: string; setting?: string };

function ofSystem(error: SystemError): string | undefined {
  const { setting = 'http.port' } = error;
  const where = `${error.address ?? 'the address'}:${error.port ?? ''}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${error.port} is in use. Stop the process that has it, or choose another: PORTICO_${setting.replaceAll('.', '__').toUpperCase()}=${Number(error.port) + 1}`;
    case 'EADDRNOTAVAIL':
      return `${where} is not an address of this machine. Set ${setting.replace(/port$/, 'host')} to one, or to 0.0.0.0.`;
    case 'EACCES':
    case 'EPERM':
      return error.syscall === 'listen'
        ? `This user may not listen on ${where}. Choose a port above 1023 (${setting}) and put a proxy before it.`
        : `${error.path ?? 'A file'} may not be used (${error.code}). Give the user that runs Portico permission.`;
    case 'EROFS':
      return `${error.path ?? 'A file'} lies on a read-only file system. Mount it writable, or choose another path.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk is full${error.path === undefined ? '' : ` (${error.path})`}. Free some space and start again.`;
    default:
      return undefined;
  }
}
