import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * V8's garbage collector, which Node hands out only under a flag. The flag is off again at once: compiled sources are
 * kept for the flags they were compiled with.
 */
export function collector(): (options?: { flavor: 'last-resort' }) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return collect;
}
