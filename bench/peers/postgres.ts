/** A PostgreSQL of its own for one peer, as durable as it ships. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/ports.ts';
import { type Program, programOf, run, startProgram, temporaryFolder } from './programs.ts';

export interface Postgres extends Program {
  /** Without a scheme: `name:password@host:port/name`. */
  readonly address: string;
  readonly port: number;
  readonly password: string;
}

const DEBIAN = '/usr/lib/postgresql';

/** `name`: of the role and of the database. Throws Missing. */
export async function startPostgres(name: string): Promise<Postgres> {
  const folders = programFolders();
  const remedy = 'Hydra and Keycloak need PostgreSQL; Debian: apt-get install postgresql.';
  const [initdb, postgres, psql] = ['initdb', 'postgres', 'psql'].map((program) =>
    programOf(program, remedy, folders),
  );
  if (!initdb || !postgres || !psql) throw new Error(remedy);
  const [folder, port, password] = [temporaryFolder(), await freePort(), randomBytes(24).toString('hex')];
  const user = ownerOfDatabases();
  const [data, file] = [path.join(folder, 'data'), path.join(folder, 'password')];
  writeFileSync(file, password);
  mkdirSync(data);
  chmodSync(folder, 0o755);
  for (const owned of user ? [folder, data, file] : []) chownSync(owned, user?.uid ?? 0, user?.gid ?? 0);
  const options = { ...user, cwd: folder };
  run(
    initdb,
    ['-D', data, '-U', name, `--pwfile=${file}`, '--auth=scram-sha-256', '-E', 'UTF8', '--no-locale'],
    options,
  );
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    shared_buffers: '512MB',
    max_connections: 150,
  };
  const server = startProgram(
    postgres,
    [
      '-D',
      data,
      '-p',
      String(port),
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ],
    { ...options, end: 'SIGINT' },
  );
  const create = [
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    '-U',
    name,
    '-d',
    'postgres',
    '-qc',
    `CREATE DATABASE "${name}"`,
  ];
  for (
    let tries = 0;
    spawnSync(psql, create, { env: { ...process.env, PGPASSWORD: password } }).status !== 0;
    tries += 1
  ) {
    if (tries === 100) throw new Error(`PostgreSQL does not answer at port ${port}.`);
    await sleep(200);
  }
  return { ...server, port, password, address: `${name}:${password}@127.0.0.1:${port}/${name}` };
}

/** Debian keeps its programs in a folder of each version. */
function programFolders(): string[] {
  try {
    return readdirSync(DEBIAN).map((version) => path.join(DEBIAN, version, 'bin'));
  } catch {
    return [];
  }
}

/** PostgreSQL refuses to run as root; its package brings a user. */
function ownerOfDatabases(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [uid = 0, gid = 0] = ['-u', '-g'].map((which) =>
    Number(spawnSync('id', [which, 'postgres'], { encoding: 'utf8' }).stdout),
  );
  return { uid, gid };
}
