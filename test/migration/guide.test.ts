/** The commands of "Try it" in docs/migration.md, as a newcomer pastes them: two servers, then one terminal. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { freePort } from '../support/ports.ts';
import { withoutSettings } from '../support/server-process.ts';

const root = path.join(import.meta.dirname, '../..');
const guide = readFileSync(path.join(root, 'docs/migration.md'), 'utf8');
const [, tryIt = ''] =
  guide
    .split(/^## /m)
    .filter((section) => section.startsWith('Try it'))[0]
    ?.split('Try it') ?? [];
const commands = [...tryIt.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, text = '']) => text);

/** Milliseconds; the guide says five seconds, and the machine may be busy. */
const DEADLINE = 40_000;

describe('docs/migration.md, "Try it"', function () {
  this.timeout(180_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'portico-guide-'));
  const running: ChildProcess[] = [];
  let ports: { legacy: number; portico: number };
  before(async () => {
    ports = { legacy: await freePort(), portico: await freePort() };
  });
  after(async () => {
    await Promise.all(running.map(stop));
    rmSync(folder, { recursive: true, force: true });
  });

  const own = (name: 'legacy' | 'portico') => ({
    ...withoutSettings(process.env),
    NODE_ENV: 'development',
    PORTICO_ISSUER: `http://localhost:${ports[name]}`,
    PORTICO_HTTP__PORT: String(ports[name]),
    PORTICO_STORE__EMBEDDED__FILE: path.join(folder, `${name}.db`),
    PORTICO_KEYS__ENCRYPTIONFILE: path.join(folder, `${name}.key`),
    ...(name === 'portico' && {
      PORTICO_DIALECTS__VISITNOTE__LEGACY__URL: `http://localhost:${ports.legacy}`,
    }),
  });

  function run(command: string, name: 'legacy' | 'portico'): { child: ChildProcess; output: () => string } {
    const child = spawn('bash', ['-c', command], { cwd: root, detached: true, env: own(name) });
    const written: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => written.push(String(chunk)));
    return { child, output: () => written.join('') };
  }

  async function start(command: string, name: 'legacy' | 'portico'): Promise<ChildProcess> {
    const { child, output } = run(command, name);
    running.push(child);
    const discovery = `http://localhost:${ports[name]}/.well-known/openid-configuration`;
    const deadline = performance.now() + DEADLINE;
    while (!(await fetch(discovery).catch(() => undefined))?.ok) {
      if (performance.now() > deadline || child.exitCode !== null) throw new Error(output());
      await sleep(50);
    }
    return child;
  }

  /** Runs the commands until they print what the guide promises: a change of stage takes some seconds. */
  async function prints(command: string, ...promised: readonly RegExp[]): Promise<string> {
    const deadline = performance.now() + DEADLINE;
    for (;;) {
      const { child, output } = run(
        command.replaceAll('localhost:4001', `localhost:${ports.portico}`),
        'portico',
      );
      await new Promise((resolve) => child.once('close', resolve));
      if (promised.every((each) => each.test(output()))) return output();
      if (performance.now() > deadline)
        throw new Error(`${command}\n${output()}\nlacks ${promised.join(', ')}`);
      await sleep(200);
    }
  }

  /** Until then the legacy system makes the tokens. */
  async function porticoAnswers(ada: string): Promise<void> {
    const [signIn = ''] = /curl .*?'\{.*?\}'/.exec(ada) ?? [];
    const deadline = performance.now() + DEADLINE;
    while (
      issuerOf(await prints(`${ada.split('\n')[0]}\n${signIn}`, /"token":"/)) !==
      own('portico').PORTICO_ISSUER
    ) {
      if (performance.now() > deadline) throw new Error('The legacy system still answers.');
      await sleep(500);
    }
  }

  it('takes Ada and Bruno over, and her old token works when the first server is stopped', async () => {
    expect(commands.length).to.equal(7);
    const [
      legacyStarts = '',
      porticoStarts = '',
      ada = '',
      primary = '',
      bruno = '',
      standalone = '',
      end = '',
    ] = commands;
    const [legacy] = await Promise.all([start(legacyStarts, 'legacy'), start(porticoStarts, 'portico')]);
    const first = await prints(
      `${ada}\necho "TOKEN=$TOKEN"`,
      /"first_name":"Ada"/,
      /visitnote +proxy .* 0 +1 +0 +0/,
    );
    const { token } = /^TOKEN=(?<token>\S+)$/m.exec(first)?.groups ?? {};
    const setUp = `${ada.split('\n')[0]}\nTOKEN=${token}\n`;

    await prints(setUp + primary, /visitnote: proxy -> primary/);
    await porticoAnswers(ada);
    const second = await prints(setUp + bruno, /"first_name":"Bruno"/, /visitnote +primary .* 0 +2 +0 +0/);
    expect(issuerOf(second)).to.equal(own('portico').PORTICO_ISSUER);
    await prints(setUp + standalone, /visitnote: primary -> standalone/);
    await stop(legacy);
    const last = await prints(setUp + end, /"status":true,"data":\{"uuid".*"first_name":"Ada"/, /"token":"/);
    expect(issuerOf(last)).to.equal(own('portico').PORTICO_ISSUER);
    expect(issuerOf(`"token":"${token}"`)).to.equal(own('legacy').PORTICO_ISSUER);
  });
});

/** Of the first token in the text. */
function issuerOf(text: string): unknown {
  const [, payload = ''] = /"token":"[\w-]+\.([\w-]+)\./.exec(text) ?? [];
  return JSON.parse(Buffer.from(payload, 'base64url').toString()).iss;
}

/** Ends npm and the server under it. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once('close', resolve));
  process.kill(-child.pid, 'SIGINT');
  await ended;
}
