/**
 * Node's HTTP server that answers the same bytes to everyone: what taking a request and giving a reply costs here, and
 * so the limit of every case that checks no password and signs nothing. This file, run as a program, is the server.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { freePort } from '../../test/support/ports.ts';
import { FORM } from '../browser.ts';
import type { Requests, Subject } from '../subject.ts';
import { startProgram } from './programs.ts';

/** As long as Portico’s replies to these cases. */
const SHORT = JSON.stringify({ active: true, sub: 'x'.repeat(300) });
const LONG = JSON.stringify({ issuer: 'x'.repeat(4000) });

export async function startNode(): Promise<Subject> {
  const url = `http://127.0.0.1:${await freePort()}`;
  const { pid, answers, stop } = startProgram(process.execPath, [import.meta.filename, url]);
  await answers(url);
  const headers = { authorization: `Bearer ${'x'.repeat(43)}` };
  const cases: Record<string, Requests> = {
    discovery: { url: `${url}/long`, expected: '"issuer"' },
    jwks: { url, expected: '"sub"' },
    introspection: {
      ...{ url, method: 'POST', headers: { ...FORM, ...headers }, expected: '"active":true' },
      bodies: [`token=${'x'.repeat(43)}`],
    },
    userinfo: { url, headers, expected: '"sub"' },
  };
  const endpoints = {
    discovery: '',
    jwks: '',
    authorization: '',
    token: '',
    introspection: '',
    userinfo: '',
  };
  return {
    ...{ name: 'node', version: process.versions.node },
    settings: 'an HTTP server of Node that answers the same bytes to everyone',
    ...{ endpoints, confidential: { id: '' }, public: { id: '' }, scope: '', machine: {} },
    ownCases: Object.fromEntries(Object.entries(cases).map(([name, load]) => [name, async () => load])),
    ...{ processes: { server: [pid], store: [] }, warmUp: 1.5, stop },
  };
}

if (import.meta.main) {
  const server = createServer(async (request, response) => {
    if (request.method === 'POST') await text(request);
    response.setHeader('content-type', 'application/json');
    response.end(request.url === '/long' ? LONG : SHORT);
  });
  const [url = ''] = process.argv.slice(2);
  await once(server.listen(Number(new URL(url).port), '127.0.0.1'), 'listening');
  process.once('disconnect', () => process.exit());
}
