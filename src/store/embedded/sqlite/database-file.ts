import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreUnusable } from '../../../core/errors.ts';

/**
 * Makes the folder and an empty file that only its owner may read. SQLite gives the files beside it
 * (-wal, -shm) the same mode. A file that others could read already is closed to them.
 */
export function prepareFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'a', 0o600));
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  } catch (cause) {
    throw new StoreUnusable('embedded', explainAccess(file, cause), { cause });
  }
}

function explainAccess(file: string, cause: unknown): string {
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
