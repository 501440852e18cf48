/**
 * What checking passwords costs when nothing else is done: the limit of every sign-in. As many at once as there are
 * cores, in a process of its own, which is this file run as a program.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/argon2';
import packageOfArgon2 from '@node-rs/argon2/package.json' with { type: 'json' };
import { ARGON2, PEOPLE, type Subject } from '../subject.ts';
import { startProgram } from './programs.ts';

const endpoints = { discovery: '', jwks: '', authorization: '', token: '', introspection: '', userinfo: '' };

/** `cases`: the sign-ins that it stands beside. */
export async function startArgon2(cases: readonly string[]): Promise<Subject> {
  const { pid, child, stop } = startProgram(process.execPath, [import.meta.filename]);
  await once(child, 'message');
  const checkOne = async () => {
    const checked = new Promise((resolve) => waiting.push(resolve));
    child.send('check');
    await checked;
  };
  const waiting: ((value: unknown) => void)[] = [];
  child.on('message', (message) => waiting.shift()?.(message));
  const load = async () => ({ once: checkOne, connections: availableParallelism() });
  return {
    ...{ name: 'argon2', version: packageOfArgon2.version },
    settings: 'checks of a password alone, m=19456 t=2 p=1, as many at once as there are cores',
    ...{ endpoints, confidential: { id: '' }, public: { id: '' }, scope: '', machine: {} },
    ownCases: Object.fromEntries(cases.map((name) => [name, load])),
    processes: { server: [pid], store: [] },
    warmUp: 0,
    stop,
  };
}

if (import.meta.main) {
  const [{ password } = { password: '' }] = PEOPLE;
  const hashed = await hash(password, ARGON2);
  process.on('message', async () => process.send?.(await verify(hashed, password)));
  process.once('disconnect', () => process.exit());
  process.send?.('ready');
}
