import { expect } from 'chai';
import type { Command } from 'commander';
import { program } from '../../src/cli.ts';
import { openTerminal } from './run-portico.ts';

/** Every command that does something, with its full name. */
function leaves(command: Command, before: string[] = []): [string, Command][] {
  const name = [...before, command.name()];
  return command.commands.length === 0
    ? [[name.join(' '), command]]
    : command.commands.flatMap((inner) => leaves(inner, name));
}

/** --help as it is printed, examples included. */
function helpOf(command: Command): string {
  const written: string[] = [];
  command.configureOutput({ writeOut: (text) => void written.push(text) }).outputHelp();
  return written.join('');
}

describe('portico --help', () => {
  const terminal = openTerminal();
  after(() => terminal.close());

  it('names every command', async () => {
    const { code, stdout } = await terminal.run(['--help']);
    expect(code).to.equal(0);
    for (const name of [
      'start',
      'config',
      'seed',
      'import',
      'organization',
      'account',
      'client',
      'api-key',
      'keys',
      'try',
      'docs',
    ]) {
      expect(stdout).to.match(new RegExp(`^  ${name}\\b`, 'm'));
    }
  });

  it('of each command says what it does and shows an example', () => {
    const commands = leaves(program());
    expect(commands).to.have.length.above(20);
    for (const [name, command] of commands) {
      expect(command.description(), name).not.to.equal('');
      expect(helpOf(command), name).to.match(/Examples?:\n {2}/);
    }
  });

  it('opens no store and makes no file', async () => {
    await terminal.run(['account', 'create', '--help']);
    const { stdout } = await terminal.run(['config', 'check']);
    expect(stdout).to.contain('The configuration is valid (development).');
    const { readdirSync } = await import('node:fs');
    expect(readdirSync(terminal.folder)).to.deep.equal(['portico.yaml']);
  });

  it('is recommended where a command or an option is mistyped', async () => {
    const { code, stderr } = await terminal.run(['acount', 'list']);
    expect(code).to.equal(1);
    expect(stderr).to.contain('Did you mean account?').and.to.contain('--help');
    const option = await terminal.run(['client', 'list', '--organisation', 'x']);
    expect(option.code).to.equal(1);
    expect(option.stderr).to.contain('Did you mean --organization?');
  });
});
