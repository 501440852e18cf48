/** The commands that a page of docs/ gives, and a terminal beside a server of a test to run them in. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestServer } from '../support/server.ts';
import { openTerminal, type Terminal } from './run-portico.ts';

export function terminalBeside({ config, issuer }: TestServer): Terminal {
  return openTerminal({ issuer, store: config.store, keys: { encryption: config.keys.encryption } });
}

export function readPage(name: string): string {
  return readFileSync(path.join(import.meta.dirname, '../../docs', name), 'utf8');
}

/** `replacements`: addresses of the page, and what stands there on this machine. */
export function commandsIn(page: string, replacements: Readonly<Record<string, string>>): string[][] {
  return [...page.matchAll(/^npx portico ((?:.*\\\n)*.*)$/gm)].map(([, command = '']) => {
    const here = Object.entries(replacements).reduce(
      (text, [from, to]) => text.replaceAll(from, to),
      command,
    );
    const words = here.match(/(?:"[^"]*"|[^\s\\"])+/g) ?? [];
    return words.map((word) => word.replaceAll('"', ''));
  });
}
