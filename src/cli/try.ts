/**
 * Signs in at a running server as a vendor's client does, and shows the same sign-in from the other side:
 * what a resource server is told of the token, and what the vendor's API says once it is revoked there.
 */
import type { Config } from '../config/schema.ts';
import type { Credentials, Person, SampledDialect } from '../dialects/samples.ts';
import type { SeedClient } from '../seed/schema.ts';
import { command } from './command.ts';
import { passwordFromInput } from './options.ts';
import { CommandRefused, say } from './output.ts';

interface Options {
  readonly vendor: string;
  readonly url?: string;
  readonly login?: string;
  readonly password?: string;
  readonly organization?: string;
  readonly client?: string;
  readonly secret?: string;
}

export const tryCommand = command({
  name: 'try',
  about: "sign in at a running server through a vendor's old API, and follow the token",
  argument: ['<vendor>', 'whose API: a dialect that is switched on'],
  options: [
    ['--url <url>', "where the server is; default: the configuration's issuer"],
    ['--login <name>', 'who signs in; default: an account of the seed that the vendor knows'],
    ['--password <password>', 'default: as in the seed, or else from standard input'],
    ['--organization <id>', 'whose account that is'],
    ['--client <id>', 'who asks about the token; default: a client of the seed that may'],
    ['--secret <secret>', "that client's secret; default: as in the seed"],
  ],
  help: `
Signs in, shows the vendor's reply, asks who the token belongs to, revokes it, and shows the refusal that the
vendor's API then gives. The password and the secret on the command line can be read by others on this
machine: only use those of demo accounts.

Examples:
  portico try visitnote
  portico try vsee --url http://localhost:3000
  portico try careportals --login lea@x.test --organization north_clinic --client records-api --secret ...`,
  async run(options: Options) {
    const { vendor } = options;
    const [{ loadConfiguration }, { dialectNames }, { loadSamples }] = await Promise.all([
      import('../server/configuration.ts'),
      import('../dialects/registry.ts'),
      import('../dialects/samples.ts'),
    ]);
    if (!dialectNames.includes(vendor)) {
      const known = dialectNames.join(', ');
      throw new CommandRefused(`There is no sample of a sign-in at '${vendor}'. There are: ${known}.`);
    }
    const config = await loadConfiguration();
    const dialect = (await loadSamples(config.dialects)).find(({ name }) => name === vendor);
    if (dialect === undefined) {
      throw new CommandRefused(
        `The dialect ${vendor} is switched off. Set dialects.${vendor}.enabled to true and start the server again.`,
      );
    }
    const server = await serverAt(new URL(options.url ?? config.issuer));
    const trial = { config, dialect, options };
    const person = await whoSignsIn(trial);
    await follow({ dialect, server, person, client: await whoAsks(trial) });
  },
});

/* ------------------------------------------------------------------ the conversation */

interface Trial {
  readonly dialect: SampledDialect;
  readonly server: Awaited<ReturnType<typeof serverAt>>;
  readonly person: Credentials;
  readonly client: AskingClient;
}

async function follow({ dialect, server, person, client }: Trial): Promise<void> {
  const vendor = dialect.name;
  const name = person.email ?? person.username ?? '';
  say(`${vendor} at ${server.url.origin}, as ${name} of ${person.organization}`);

  const call = dialect.signIn(person);
  heading(`1. The vendor's sign-in: POST ${call.path}`);
  const signedIn = await server.post(call.path, JSON.stringify(call.body), {
    ...call.headers,
    'content-type': 'application/json',
  });
  show(signedIn);
  const token = member(signedIn.json, dialect.token);
  if (typeof token !== 'string') throw new CommandRefused(refusedSignIn(vendor, signedIn));

  const me = () => {
    const { path, headers } = dialect.me(token);
    return server.get(path, headers);
  };
  heading(`2. The token at the vendor's API: GET ${dialect.me(token).path}`);
  show(await me());

  heading(`3. The same token for a resource server: POST ${server.introspection}, as ${client.id}`);
  const known = await server.ask(server.introspection, token, client);
  show(known);
  if (known.status !== 200 || member(known.json, ['active']) !== true) {
    throw new CommandRefused(
      known.status === 200
        ? `${client.id} may not ask about these tokens: its \`introspects\` lacks the client of ${vendor}.`
        : `${client.id} is not known to the server, or its secret is another. Name one with --client and --secret.`,
    );
  }

  heading(`4. Revoked by it: POST ${server.revocation}`);
  const revoked = await server.ask(server.revocation, token, client);
  show(revoked);
  if (revoked.status !== 200) {
    throw new CommandRefused(
      `${client.id} may not revoke these tokens: its \`revokes\` lacks the client of ${vendor}.`,
    );
  }
  heading('5. The resource server asks again');
  show(await server.ask(server.introspection, token, client));
  heading("6. The token at the vendor's API again");
  const dead = await me();
  show(dead);
  if (dead.status < 400) throw new CommandRefused(`${vendor} still takes the token that was revoked.`);
}

function refusedSignIn(vendor: string, { status }: Answer): string {
  if (status === 404) return `Nothing of ${vendor} answers there: the server runs with other settings.`;
  return `${vendor} did not let this person in (${status}). Name another with --login and --organization.`;
}

function heading(text: string): void {
  say(`\n${text}`);
}

function show({ status, json, text }: Answer): void {
  const body = json === undefined ? text : JSON.stringify(json, null, 2);
  // What a server sends must not drive the terminal.
  say(
    [`   ${status}`, ...body.split('\n').filter(Boolean)].join('\n   ').replaceAll(/[^\P{Cc}\n]/gu, '\uFFFD'),
  );
}

function member(json: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined),
    json,
  );
}

/* ------------------------------------------------------------------ the server */

interface Answer {
  readonly status: number;
  /** Undefined: the body is none. */
  readonly json: unknown;
  readonly text: string;
}

type Headers = Readonly<Record<string, string>>;

interface AskingClient {
  readonly id: string;
  readonly secret: string;
}

/** CommandRefused where nothing answers, or something else than Portico. */
async function serverAt(url: URL) {
  const request = async (path: string, init: RequestInit): Promise<Answer> => {
    const reply = await fetch(new URL(path, url), { ...init, redirect: 'manual' }).catch((cause: unknown) => {
      throw new CommandRefused(
        `No server answers at ${url.origin}. Start it (npm start), or say where it is with --url.`,
        { cause },
      );
    });
    const text = await reply.text();
    return { status: reply.status, text, json: jsonIn(text) };
  };
  const get = (path: string, headers: Headers = {}) => request(path, { headers });
  const post = (path: string, body: string, headers: Headers) =>
    request(path, { method: 'POST', headers, body });
  const { json } = await get('/.well-known/openid-configuration');
  // Behind a proxy the published address may be out of reach from here: the paths are the same.
  const path = (name: string) => {
    const endpoint = member(json, [name]);
    if (typeof endpoint !== 'string' || !URL.canParse(endpoint)) {
      throw new CommandRefused(`What answers at ${url.origin} is no Portico.`);
    }
    return new URL(endpoint).pathname;
  };
  return {
    url,
    introspection: path('introspection_endpoint'),
    revocation: path('revocation_endpoint'),
    get,
    post,
    /** Introspection or revocation (RFC 7662, RFC 7009). */
    ask: (at: string, token: string, { id, secret }: AskingClient) =>
      post(at, new URLSearchParams({ token }).toString(), {
        // RFC 6749, 2.3.1: both parts form-encoded first.
        authorization: `Basic ${btoa([id, secret].map(encodeURIComponent).join(':'))}`,
        'content-type': 'application/x-www-form-urlencoded',
      }),
  };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/* ------------------------------------------------------------------ who */

interface Choice {
  readonly config: Config;
  readonly dialect: SampledDialect;
  readonly options: Options;
}

async function whoSignsIn({ config, dialect, options }: Choice): Promise<Credentials> {
  const { peopleOf } = await import('../dialects/samples.ts');
  const people = config.seed.flatMap(peopleOf);
  const { login, organization } = options;
  const isMeant = (person: Person) =>
    (login === undefined ? dialect.suits(person) : [person.email, person.username].includes(login)) &&
    (organization === undefined || person.organization === organization);
  const result = people.find(isMeant);
  if (login === undefined) {
    if (result !== undefined) return result;
    throw new CommandRefused(
      `The seed has no account that signs in at ${dialect.name}. Name one with --login and --organization.`,
    );
  }
  const where = organization ?? result?.organization ?? dialect.organization;
  if (where === undefined) throw new CommandRefused(`Say with --organization where ${login} is.`);
  const password = options.password ?? result?.password ?? (await passwordFromInput());
  return { organization: where, email: login, username: login, password };
}

async function whoAsks({ config, dialect, options }: Choice): Promise<AskingClient> {
  const { readSeed } = await import('../seed/read-seed.ts');
  const clients = config.seed.flatMap((file) => readSeed(file).seed.clients ?? []);
  const may = ({ client_secret: secret, introspects = [], revokes = [] }: SeedClient) =>
    secret !== undefined && introspects.includes(dialect.clientId) && revokes.includes(dialect.clientId);
  const { client: id, secret } = options;
  const result = clients.find((client) => (id === undefined ? may(client) : client.client_id === id));
  const known = secret ?? result?.client_secret;
  if ((id ?? result) === undefined || known === undefined) {
    throw new CommandRefused(
      id === undefined
        ? `The seed has no client that may introspect and revoke tokens of ${dialect.clientId}. Name one with --client and --secret.`
        : `Say the secret of ${id} with --secret.`,
    );
  }
  return { id: id ?? result?.client_id ?? '', secret: known };
}
