/** SQLite's primary result codes (sqlite.org/rescode.html). */
export const BUSY = 5;
export const CONSTRAINT = 19;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** The low byte of SQLite's result code; undefined when the error is not SQLite's. */
export function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** True when a unique index refused the row; `column` is one that only that index has. */
export function violates(error: unknown, column: string): boolean {
  return primaryCode(error) === CONSTRAINT && error instanceof Error && error.message.includes(column);
}

/** What happened, and what the operator can do about it. */
export function explain(file: string, error: unknown): string {
  switch (primaryCode(error)) {
    case FULL:
      return `The disk that holds ${file} is full. Free some space; nothing that was acknowledged is lost.`;
    case READONLY:
      return `${file} cannot be written. Give the user that runs Portico write permission on the file and on its folder.`;
    case CANTOPEN:
      return `${file} cannot be opened. The folder must exist and be writable by the user that runs Portico.`;
    case NOTADB:
      return `${file} is not a SQLite database. Move it away, or point store.embedded.file at another path.`;
    case CORRUPT:
      return `${file} is damaged. Stop Portico and restore the latest backup.`;
    case BUSY:
      return `${file} is locked by another process. End whatever holds it open (a backup, a database browser).`;
    case IOERR:
      return `${file} cannot be read or written: ${messageOf(error)}. Check the disk, its quota and its file system.`;
    default:
      return `${file}: ${messageOf(error)}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Of the file system, before SQLite has the file. */
export function explainAccess(file: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `${file} cannot be written (${code}). Give the user that runs Portico write permission on the file and on its folder.`;
    case 'EROFS':
      return `${file} lies on a read-only file system. Mount it writable, or point store.embedded.file at another path.`;
    case 'EISDIR':
      return `${file} is a folder. Point store.embedded.file at a file.`;
    case 'ENOSPC':
      return `The disk that holds ${file} is full. Free some space.`;
    default:
      return `${file} cannot be opened (${code}). Point store.embedded.file at a path in a folder that can be written.`;
  }
}
