/** The server below npm and npx, and the command below a Node that is too old. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { freePort } from '../support/ports.ts';
import { withoutSettings } from '../support/server-process.ts';

const root = path.join(import.meta.dirname, '../..');
const program = path.join(root, 'bin/portico.js');

describe('Below npm', function () {
  this.timeout(180_000);

  /** A folder in which npx finds the command, as where Portico is installed. */
  let installed: string;
  before(() => {
    installed = mkdtempSync(path.join(tmpdir(), 'portico-npm-'));
    mkdirSync(path.join(installed, 'node_modules/.bin'), { recursive: true });
    writeFileSync(path.join(installed, 'package.json'), '{"name":"theirs","private":true}');
    symlinkSync(program, path.join(installed, 'node_modules/.bin/portico'));
    symlinkSync(process.execPath, path.join(installed, 'node_modules/.bin/node'));
  });
  after(() => rmSync(installed, { recursive: true, force: true }));

  /** Starts it, sends signals, and resolves with what was written once the port and the output are free again. */
  async function startAndStop(
    command: readonly string[],
    cwd: string,
    stop: (pid: number, output: () => string) => Promise<void> | void,
  ) {
    const port = await freePort();
    const folder = mkdtempSync(path.join(tmpdir(), 'portico-stop-'));
    const [file = '', ...args] = command;
    const child = spawn(file, args, {
      cwd,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...withoutSettings(process.env),
        NODE_ENV: 'development',
        PORTICO_HTTP__PORT: String(port),
        PORTICO_SEED: '[]',
        // Long enough that a second signal finds it stopping.
        PORTICO_HTTP__STOP_DELAY: '2s',
        PORTICO_STORE__EMBEDDED__FILE: path.join(folder, 'portico.db'),
        PORTICO_KEYS__ENCRYPTION_FILE: path.join(folder, 'portico.key'),
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output += String(chunk)));
    // Every process below has the two pipes: they end when the last one is gone.
    const gone = Promise.all([once(child.stdout, 'end'), once(child.stderr, 'end')]);
    const exited = once(child, 'exit');
    try {
      while (!output.includes('Portico is ready')) {
        if (child.exitCode !== null) throw new Error(`It ended:\n${output}`);
        await pause(20);
      }
      await stop(child.pid ?? 0, () => output);
      await exited;
      const atExit = output;
      await Promise.race([gone, pause(20_000).then(() => Promise.reject(new Error('A process stayed.')))]);
      return { atExit, output };
    } finally {
      try {
        process.kill(-(child.pid ?? 0), 'SIGKILL');
      } catch {
        // All of them are gone.
      }
      rmSync(folder, { recursive: true, force: true });
    }
  }

  const STOPPED = /"msg":"stopping"[\s\S]*"msg":"stopped"/;

  it('CL12 SIGTERM to npm start ends the server in order, before npm ends', async () => {
    const ran = await startAndStop(
      ['npm', 'start', '--silent'],
      root,
      (pid) => void process.kill(pid, 'SIGTERM'),
    );
    expect(ran.atExit).to.match(STOPPED);
  });

  it('CL12 SIGTERM to npx portico start leaves no server behind, whichever shell is between', async () => {
    const command = ['npx', '--no-install', 'portico', 'start'];
    const ran = await startAndStop(command, installed, (pid) => void process.kill(pid, 'SIGTERM'));
    expect(ran.output).to.match(STOPPED);
  });

  it('CL12 one stop that arrives twice, as from npm and from a terminal, is one', async () => {
    const ran = await startAndStop(['npm', 'start', '--silent'], root, async (pid, output) => {
      process.kill(-pid, 'SIGINT');
      while (!output().includes('"msg":"stopping"')) await pause(5);
      process.kill(-pid, 'SIGINT');
    });
    expect(ran.atExit).to.match(STOPPED);
    expect(ran.output.match(/"msg":"stopping"/g)).to.have.length(1);
  });

  describe('with a Node that is too old', () => {
    const REFUSAL = /^Portico needs Node 24 or newer; this is Node (\S+) \(\S+\)\. npx portico takes .+\n$/;

    it('CL12 the command says so, and ends with 1', () => {
      const old =
        "data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.19.4' })";
      const ran = spawnSync(process.execPath, ['--import', old, program, '--help'], { encoding: 'utf8' });
      expect(ran.status).to.equal(1);
      expect(REFUSAL.exec(ran.stderr)?.[1]).to.equal('20.19.4');
      expect(ran.stdout).to.equal('');
    });

    it('CL12 the command can be read by it: the nodes of this machine, and its words', () => {
      for (const node of nodesOfThisMachine()) {
        const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).slice(1).trim();
        const ran = spawnSync(node, [program, '--version'], { encoding: 'utf8' });
        if (Number(version.split('.')[0]) >= 24) expect(ran.status, version).to.equal(0);
        else {
          expect(REFUSAL.exec(ran.stderr)?.[1], ran.stderr).to.equal(version);
          expect(ran.status).to.equal(1);
        }
      }
      const newer = /^\s*import\s[^(]|\bawait\b|\bexport\b|\?\?|\?\.|node:/m;
      expect(readFileSync(program, 'utf8').replaceAll(/\/\/.*/g, '')).not.to.match(newer);
    });
  });
});

/** Every `node` in the PATH. */
function nodesOfThisMachine(): string[] {
  const { stdout } = spawnSync('which', ['-a', 'node'], { encoding: 'utf8' });
  return [...new Set([...stdout.split('\n').filter((line) => line !== ''), process.execPath])];
}
