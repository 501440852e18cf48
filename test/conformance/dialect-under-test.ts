/**
 * A dialect on a running server, with people of its own to sign in, for the suite that every dialect must
 * pass (dialect.ts).
 */
import { expect } from 'chai';
import type { Dialect } from '../../src/dialects/contract/dialect.ts';
import type { AnyAccepts, Endpoint } from '../../src/dialects/contract/endpoint.ts';
import type { AnySettings } from '../../src/dialects/contract/settings.ts';
import { checkDialects } from '../../src/dialects/pipeline/validate.ts';
import { findRoute } from '../../src/dialects/runtime/match-route.ts';
import { registerAccount } from '../../src/identity/accounts/create-account.ts';
import type { AccountRecord } from '../../src/model/account.ts';
import { type HttpClient, type Incoming, openClient } from '../support/http-client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

export interface DialectInfo {
  readonly dialect: Dialect;
  /** Where its people are. */
  readonly organization: string;
  /** Sent with every request, such as the header that names the organization. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signIn: {
    readonly path: string;
    body(login: string, password: string): Record<string, unknown>;
    readonly status: number;
    /** JSON pointers into the reply. */
    readonly token: string;
    readonly refreshToken?: string;
  };
  readonly me: { readonly path: string; headers(token: string): Record<string, string> };
  /** The vendor's words. */
  readonly refused: Refusal;
  readonly deadToken: Refusal;
  /** Where no credential at all is refused otherwise. */
  readonly noCredential?: Refusal;
  readonly tooLarge: Refusal;
  /** What an API key travels in, where endpoints take one; a key that is none. */
  readonly apiKey?: Readonly<Record<string, string>>;
}

export interface Refusal {
  readonly status: number;
  readonly json: unknown;
}

export const PASSWORD = 'Granary-Window-Feather-63';
const RECORDS = `Basic ${Buffer.from('records-api:Ledger-Orchard-Signal-88').toString('base64')}`;

type AnyEndpoint = Endpoint<AnyAccepts, AnySettings>;

/** What no body may change by itself. Names and the like are the person's to set, to whatever text. */
function standingOf({
  claims: _,
  vendor: __,
  updatedAt: ___,
  version: ____,
  lastSignInAt: _____,
  ...standing
}: AccountRecord) {
  return JSON.stringify(standing);
}

function pointed(json: unknown, pointer: string): string {
  let value = json;
  for (const member of pointer.split('/').slice(1)) value = (value as Record<string, unknown>)?.[member];
  return String(value);
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string | Buffer;
}

/** One dialect under test, beside a neighbour. */
export class DialectUnderTest {
  readonly secrets = new Set<string>([PASSWORD]);
  /** Replies that no schema of their endpoint describes. */
  readonly undocumented: string[] = [];
  answered = 0;
  server!: TestServer;
  person!: AccountRecord;
  blocked!: AccountRecord;
  withoutPassword!: AccountRecord;
  #client!: HttpClient;
  #address = 0;
  readonly #facts: DialectInfo;
  readonly #neighbour: DialectInfo;
  readonly #settings: Record<string, unknown>;
  readonly #mounts: ReturnType<typeof checkDialects>['mounts'];
  readonly clientId: string;

  constructor(context: DialectInfo, neighbour: DialectInfo) {
    this.#facts = context;
    this.#neighbour = neighbour;
    this.#settings = { [context.dialect.name]: { enabled: true } };
    const checked = checkDialects({
      dialects: [context.dialect],
      settings: this.#settings,
      reserved: () => false,
    });
    this.#mounts = checked.mounts;
    this.clientId = checked.mounted[0]?.clientId ?? '';
  }

  async start(): Promise<void> {
    const { dialect } = this.#facts;
    this.server = await startTestServer({ dialects: [dialect, this.#neighbour.dialect] });
    this.#client = openClient(this.server.url);
    await this.#letRecordsAsk();
    this.person = await this.newPerson('person');
    this.blocked = await this.newPerson('blocked', { status: 'blocked' });
    this.withoutPassword = await this.newPerson('nopassword', { password: undefined });
  }

  async stop(): Promise<void> {
    this.#client?.close();
    await this.server?.close();
  }

  /** The seed's resource server may ask about the five vendors; here it may ask about any. */
  async #letRecordsAsk(): Promise<void> {
    const { clients } = this.server.running.stores;
    const records = await clients.byId('records-api');
    if (records === undefined) throw new Error('The seed has no client records-api.');
    await clients.put({
      ...records,
      introspects: [...records.introspects, this.clientId],
      revokes: [...records.revokes, this.clientId],
    });
  }

  newPerson(local: string, more: { status?: 'blocked'; password?: undefined } = {}): Promise<AccountRecord> {
    const { dialect, organization } = this.#facts;
    return this.#register(`${local}.${dialect.name}@people.test`, organization, more);
  }

  #register(email: string, organization: string, more: { status?: 'blocked'; password?: undefined } = {}) {
    const account = {
      email,
      emailVerified: true,
      ...('password' in more ? {} : { password: PASSWORD }),
      ...(more.status && { status: more.status }),
    };
    return registerAccount(this.server.running.identity, { organization, account });
  }

  /** Each request from an address of its own, so that no limit of one test reaches another. */
  async send({ method, path, headers, json, text }: Sent, context = this.#facts): Promise<Incoming> {
    this.#address += 1;
    const body = text ?? (json === undefined ? undefined : JSON.stringify(json));
    const reply = await this.#client.send({
      method,
      path,
      headers: {
        'x-forwarded-for': `10.${this.#address >> 16}.${(this.#address >> 8) & 255}.${this.#address & 255}`,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...context.headers,
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    if (context === this.#facts) this.#holdToTables({ method, path, reply });
    return reply;
  }

  /** A reply that its endpoint lists must be as its schema says. */
  #holdToTables({ method, path, reply }: { method: string; path: string; reply: Incoming }): void {
    const result = findRoute(this.#mounts, { method, path: path.replace(/\?.*/, ''), host: '127.0.0.1' });
    if (result?.kind !== 'endpoint' || !reply.headers['content-type']?.startsWith('application/json')) return;
    const schema = result.endpoint.replies[reply.status];
    if (schema === undefined || method === 'HEAD') return;
    this.answered += 1;
    const judged = schema.safeParse(reply.json());
    if (!judged.success) this.undocumented.push(`${method} ${path} ${reply.status}: ${judged.error.message}`);
  }

  signIn(login: string, password = PASSWORD, context = this.#facts): Promise<Incoming> {
    this.secrets.add(password);
    return this.send(
      { method: 'POST', path: context.signIn.path, json: context.signIn.body(login, password) },
      context,
    );
  }

  async token(account = this.person): Promise<string> {
    return this.#tokenAt(this.#facts, account.email ?? '');
  }

  async #tokenAt(context: DialectInfo, email: string): Promise<string> {
    const reply = await this.signIn(email, PASSWORD, context);
    expect(reply.status, reply.text).to.equal(context.signIn.status);
    const token = pointed(reply.json(), context.signIn.token);
    this.secrets.add(token);
    if (context.signIn.refreshToken !== undefined)
      this.secrets.add(pointed(reply.json(), context.signIn.refreshToken));
    return token;
  }

  me(token: string): Promise<Incoming> {
    return this.send({ method: 'GET', path: this.#facts.me.path, headers: this.#facts.me.headers(token) });
  }

  async foreignToken(): Promise<string> {
    const email = `neighbour.${this.#facts.dialect.name}@people.test`;
    await this.#register(email, this.#neighbour.organization);
    return this.#tokenAt(this.#neighbour, email);
  }

  foreignMe(token: string): Promise<Incoming> {
    const { path, headers } = this.#neighbour.me;
    return this.send({ method: 'GET', path, headers: headers(token) }, this.#neighbour);
  }

  async #askStandard(path: string, token: string): Promise<Incoming> {
    const headers = { authorization: RECORDS, 'content-type': 'application/x-www-form-urlencoded' };
    return this.#client.send({
      method: 'POST',
      path,
      headers,
      body: new URLSearchParams({ token }).toString(),
    });
  }

  async introspect(token: string): Promise<Record<string, unknown>> {
    return (await this.#askStandard('/introspect', token)).json() as Record<string, unknown>;
  }

  async revoke(token: string): Promise<void> {
    expect((await this.#askStandard('/revoke', token)).status).to.equal(200);
  }

  /** Every route that takes a body, with its named segments filled in. */
  routes(): { endpoint: AnyEndpoint; path: string }[] {
    const seen = new Set<AnyEndpoint>();
    return this.#mounts.flatMap(({ mount, routes }) =>
      routes
        .map(({ endpoint }) => ({ endpoint, path: (mount.base + endpoint.path).replace(/:\w+/g, '1') }))
        .filter(
          ({ endpoint }) => endpoint.method !== 'GET' && mount.hosts === undefined && !seen.has(endpoint),
        )
        .filter(({ endpoint }) => seen.add(endpoint)),
    );
  }

  fieldNames(endpoint: AnyEndpoint): string[] {
    const accepts =
      typeof endpoint.accepts === 'function'
        ? endpoint.accepts(this.#mounts[0]?.owner.settings)
        : endpoint.accepts;
    return Object.keys((accepts?.body as { shape?: object } | undefined)?.shape ?? {});
  }

  #hostileToken: Promise<string> | undefined;

  async call(
    endpoint: AnyEndpoint,
    path: string,
    sent: { text: string | Buffer; type: string },
  ): Promise<Incoming> {
    this.#hostileToken ??= this.newPerson('hostile').then((account) => this.token(account));
    const credential = endpoint.caller === 'anyone' ? {} : this.#facts.me.headers(await this.#hostileToken);
    const headers = {
      'content-type': sent.type,
      ...credential,
      ...(endpoint.caller === 'api-key' ? this.#facts.apiKey : {}),
    };
    return this.send({ method: endpoint.method, path, headers, text: sent.text });
  }

  /** The token of the hostile calls is made before the accounts are looked at. */
  async quiet(): Promise<void> {
    this.#hostileToken ??= this.newPerson('hostile').then((account) => this.token(account));
    await this.#hostileToken;
  }

  /** Every account, as far as it decides who somebody is and what they may. */
  async accounts(): Promise<string[]> {
    const { accounts, organizations } = this.server.running.stores;
    const records: string[] = [];
    for (const { id } of await organizations.list()) {
      for (const account of await accounts.page(id, { limit: 1000 })) records.push(standingOf(account));
    }
    return records;
  }

  /** Notes every look-up and password check that is asked with something that is no text. */
  watchDomain(): () => string[] {
    const { stores, hasher } = this.server.running.identity;
    const strange: string[] = [];
    const undo: (() => void)[] = [];
    const watch = (owner: object, methods: readonly string[]) => {
      const target = owner as Record<string, (...input: unknown[]) => unknown>;
      for (const method of methods) {
        const original = target[method];
        if (original === undefined) continue;
        target[method] = (...input) => {
          const texts = method === 'verify' || method === 'hash' ? input.slice(0, 1) : input;
          if (!texts.every((text) => typeof text === 'string'))
            strange.push(`${method}(${JSON.stringify(input)})`);
          return original.apply(owner, input);
        };
        undo.push(() => {
          target[method] = original;
        });
      }
    };
    watch(stores.accounts, ['byId', 'byEmail', 'byUsername', 'byAlias']);
    watch(hasher, ['verify', 'hash']);
    return () => {
      for (const back of undo) back();
      return strange;
    };
  }
}
