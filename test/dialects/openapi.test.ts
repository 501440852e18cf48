import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { example } from '../../src/dialects/_example/example.ts';
import { openApi, openApiText } from '../../src/dialects/docs/openapi.ts';
import { loadAllDialects } from '../../src/dialects/registry.ts';
import { startTestServer } from '../support/server.ts';

const folder = path.join(import.meta.dirname, '../../docs/openapi');

interface Operation {
  readonly summary: string;
  readonly parameters?: { name: string; in: string; schema: object }[];
  readonly requestBody?: { required: boolean; content: Record<string, { schema: Schema }> };
  readonly responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
interface Schema {
  readonly type?: unknown;
  readonly properties?: Record<string, object>;
}

function operations(dialect: Parameters<typeof openApi>[0]): [string, Operation][] {
  const { paths } = openApi(dialect) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([route, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method} ${route}`,
      operation,
    ]),
  );
}

describe('docs/openapi', () => {
  it('is what the endpoint tables say now (npm run docs writes it)', async () => {
    const dialects = await loadAllDialects();
    expect(existsSync(folder) ? readdirSync(folder) : []).to.have.members(
      dialects.map(({ name }) => `${name}.json`),
    );
    for (const dialect of dialects) {
      const stale = readFileSync(path.join(folder, `${dialect.name}.json`), 'utf8') !== openApiText(dialect);
      expect(stale, `${dialect.name}.json is stale`).to.equal(false);
    }
  });

  it('names every endpoint with its method, and what a named segment may be', () => {
    const all = Object.fromEntries(operations(example));
    expect(Object.keys(all)).to.have.members([
      'post /example/v1/register',
      'post /example/v1/sign-in',
      'post /example/v1/refresh',
      'get /example/v1/me',
      'post /example/v1/sign-out',
    ]);
    const signIn = all['post /example/v1/sign-in'];
    expect(signIn?.requestBody?.required).to.equal(true);
    expect(
      Object.keys(signIn?.requestBody?.content['application/json']?.schema.properties ?? {}),
    ).to.deep.equal(['email', 'password']);
    expect(Object.keys(signIn?.responses ?? {})).to.include.members(['200', '401', '429']);
    expect(all['post /example/v1/sign-out']?.responses['204']?.content).to.equal(undefined);
  });

  it('describes every member of every body, and every reply', async () => {
    const empty: string[] = [];
    for (const dialect of [example, ...(await loadAllDialects())]) {
      for (const [route, { requestBody, responses, parameters = [] }] of operations(dialect)) {
        const say = (what: string) => empty.push(`${dialect.name}: ${route} ${what}`);
        for (const { schema } of Object.values(requestBody?.content ?? {})) {
          for (const [name, member] of Object.entries(schema.properties ?? {})) {
            if (Object.keys(member).length === 0) say(`body member ${name}`);
          }
        }
        for (const { name, schema } of parameters)
          if (Object.keys(schema).length === 0) say(`parameter ${name}`);
        for (const [status, { content = {} }] of Object.entries(responses)) {
          for (const { schema } of Object.values(content))
            if (Object.keys(schema).length === 0) say(`reply ${status}`);
        }
      }
    }
    expect([...new Set(empty)]).to.deep.equal([]);
  });
});

describe('/docs', () => {
  it('shows the documents of the dialects that run, in development only', async () => {
    const server = await startTestServer({ dialects: [example], config: { demo: true } });
    try {
      const index = await fetch(`${server.url}/docs`);
      expect(await index.json()).to.deep.equal({ example: '/docs/example' });
      expect(await (await fetch(`${server.url}/docs/example`)).json()).to.deep.equal(openApi(example));
      expect((await fetch(`${server.url}/docs/vsee`)).status).to.equal(404);
    } finally {
      await server.close();
    }
    const plain = await startTestServer({ dialects: [example], config: { demo: false } });
    try {
      expect((await fetch(`${plain.url}/docs/example`)).status).to.equal(404);
    } finally {
      await plain.close();
    }
  });
});
