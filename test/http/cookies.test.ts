/** How a cookie is read from a request. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import Koa from 'koa';
import { readCookie } from '../../src/core/read-cookie.ts';
import { startTestServer } from '../support/server.ts';

describe('a cookie of a request', () => {
  it('is read as Koa reads it', () => {
    const names = ['a', 'ab', 'portico_form', '__Host-portico_app'];
    const pieces = [
      ...names.flatMap((name) => [
        `${name}=1`,
        `${name}=`,
        name,
        `${name}=x=y`,
        ` ${name}=2 `,
        `${name}="3"`,
        `${name}="`,
      ]),
      '',
      ' ',
    ];
    const app = new Koa();
    let read = 0;
    for (const first of pieces)
      for (const second of pieces)
        for (const between of [';', '; ', ';  ']) {
          const header = [first, second, 'last=3'].join(between);
          const request = new IncomingMessage(new Socket());
          request.headers.cookie = header;
          const { cookies } = app.createContext(request, new ServerResponse(request));
          for (const name of [...names, 'last', 'b']) {
            expect(readCookie(header, name), `${name} of ${header}`).to.equal(cookies.get(name));
            read += 1;
          }
        }
    expect(read).to.be.greaterThan(5000);
    expect(readCookie(undefined, 'a')).to.equal(undefined);
  });

  it('leaves no pattern of its name in memory, whatever address the client asks for', async () => {
    const server = await startTestServer();
    const { RegExp: original } = globalThis;
    const patterns: string[] = [];
    globalThis.RegExp = new Proxy(original, {
      construct(target, [text, flags]) {
        patterns.push(String(text));
        return new target(text, flags);
      },
    });
    try {
      const reply = await fetch(`${server.url}/interaction/never-begun`, { headers: { cookie: 'any=1' } });
      expect(reply.status).to.equal(410);
      await fetch(`${server.url}/authorize/never-begun`, { headers: { cookie: 'any=1' } });
      expect(patterns.filter((text) => text.includes('never-begun'))).to.deep.equal([]);
    } finally {
      globalThis.RegExp = original;
      await server.close();
    }
  });
});
