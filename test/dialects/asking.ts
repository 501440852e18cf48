/** Questions to a vendor's server, which a server of ours plays: sent, read, and followed up while there is more. */
import type { OrganizationView } from '../../src/dialects/contract/dialect.ts';
import {
  type Answer,
  type Bearer,
  type Confirmed,
  joined,
  type LegacyApi,
  type LegacyTokens,
  type Outgoing,
  type Question,
} from '../../src/dialects/contract/legacy-api.ts';
import { parseSettings } from '../../src/dialects/runtime/mounted.ts';
import { type HttpClient, openClient } from '../support/http-client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { exampleContext, vendors } from './vendors.ts';

/** The five vendors and the imaginary one. */
export const everyDialect = [exampleContext, ...vendors];

export interface Side {
  readonly server: TestServer;
  readonly client: HttpClient;
}

export async function startSide(): Promise<Side> {
  const server = await startTestServer({
    dialects: everyDialect.map(({ dialect }) => dialect),
    config: { dialects: { visitnote: { limits: { general: 100_000 } } } },
  });
  return { server, client: openClient(server.url) };
}

export async function stopSide({ client, server }: Side): Promise<void> {
  client.close();
  await server.close();
}

/** What the answers to a line of questions say together. */
export interface Shown {
  readonly confirmed: Confirmed;
  readonly tokens: LegacyTokens;
  /** Bodies, in the order of the questions. */
  readonly replies: readonly unknown[];
}

let address = 0;

/** The claims of a token that is a JWT, {} of another one. */
function claimsOf(token: string): NonNullable<Bearer['claims']> {
  const [, payload, signature] = token.split('.');
  return signature === undefined ? {} : JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
}

export class Vendor {
  readonly name: string;
  readonly organization: string;
  readonly api: LegacyApi;
  readonly #base: string;
  readonly #context: Parameters<Question<unknown>['ask']>[1];

  constructor({ dialect, organization }: (typeof everyDialect)[number]) {
    const [mounted] = parseSettings([dialect], { [dialect.name]: { enabled: true } });
    if (dialect.legacy === undefined || mounted === undefined)
      throw new Error(`${dialect.name} is not read backwards.`);
    this.name = dialect.name;
    this.organization = organization;
    this.api = dialect.legacy;
    this.#base = dialect.mounts(mounted.settings)[0]?.base ?? '';
    const view: OrganizationView = { id: organization, name: '', vendor: {} };
    this.#context = { settings: mounted.settings, organization: view };
  }

  /** From a client address of its own. */
  async #send({ client }: Side, { method, path, headers, json }: Outgoing) {
    address += 1;
    const reply = await client.send({
      method,
      path: this.#base + path,
      headers: {
        ...headers,
        ...(json !== undefined && { 'content-type': 'application/json' }),
        'x-forwarded-for': `10.${address >> 16}.${(address >> 8) & 255}.${address & 255}`,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
    const body = reply.text === '' ? undefined : reply.json();
    return { status: reply.status, json: body, header: (name: string) => reply.headers[name] };
  }

  /** One question: what the answer is, and the body that it was read from. */
  async ask<Asked>(side: Side, question: Question<Asked> | undefined, asked: Asked) {
    if (question === undefined) throw new Error(`${this.name} is not asked this.`);
    const reply = await this.#send(side, question.ask(asked, this.#context));
    return { answer: question.read(reply, asked), json: reply.json };
  }

  /** Who the bearer is, as long as there is more to ask. Throws for another answer than yes. */
  async bearer(side: Side, token: string, before: Partial<Shown> = {}): Promise<Shown> {
    const { tokens = { access: { value: token } } } = before;
    let confirmed: Confirmed = before.confirmed ?? { account: {} };
    const replies = [...(before.replies ?? [])];
    for (const question of [this.api.person, this.api.details]) {
      if (question === undefined) break;
      const { vendorId } = confirmed;
      const asked = { token, claims: claimsOf(token), ...(vendorId !== undefined && { vendorId }) };
      const { answer, json } = await this.ask(side, question, asked);
      const { yes, more } = this.yes(answer);
      replies.push(json);
      confirmed = joined(confirmed, yes);
      if (more === undefined) break;
    }
    return { confirmed, tokens, replies };
  }

  /** What the vendor shows at another place, whether or not an answer says that there is more. */
  async elsewhere(side: Side, token: string): Promise<unknown> {
    const { details } = this.api;
    return details && (await this.ask(side, details, { token })).json;
  }

  /** A question that comes before who the bearer is, and what follows it. */
  async begin<Asked>(side: Side, question: Question<Asked> | undefined, asked: Asked): Promise<Shown> {
    const { answer, json } = await this.ask(side, question, asked);
    const { yes, tokens = {}, more } = this.yes(answer);
    const shown = { confirmed: yes, tokens, replies: [json] };
    return more ? this.bearer(side, tokens.access?.value ?? '', shown) : shown;
  }

  yes(answer: Answer): Extract<Answer, { yes: unknown }> {
    if (answer === 'no' || !('yes' in answer)) throw new Error(`${this.name}: ${JSON.stringify(answer)}`);
    return answer;
  }
}
