/** What is measured: a server, and what its load has to know of it. */

export interface Client {
  readonly id: string;
  /** Absent: a public client. */
  readonly secret?: string;
}

export interface Subject {
  readonly name: string;
  readonly version: string;
  /** In words, for the report. */
  readonly settings: string;
  readonly endpoints: Readonly<
    Record<'discovery' | 'jwks' | 'authorization' | 'token' | 'introspection' | 'userinfo', string>
  >;
  /** How its redirects begin where they name a proxy that is not there, and where it listens itself. */
  readonly behindProxy?: { readonly from: string; readonly to: string };
  readonly confidential: Client;
  readonly public: Client;
  /** What the code flow asks for; a refresh token must follow. */
  readonly scope: string;
  /** Forms of token that client_credentials gives: who asks, and with which further parameters. */
  readonly machine: Partial<
    Record<'opaque' | 'jwt', { client: Client; parameters?: Record<string, string> }>
  >;
  /** Whether introspection asks for no client. */
  readonly introspectionOpen?: boolean;
  /** Cases that no other server has. */
  readonly ownCases: Cases;
  readonly processes: Processes;
  /** How many commands its Redis has run so far, where it has one. */
  redisCommands?(): Promise<number>;
  /** Work of its own before a case is measured for the first time, in multiples of a measurement’s time. */
  readonly warmUp: number;
  stop(): Promise<void>;
}

/** Process ids; what they started counts with them. */
export interface Processes {
  readonly server: readonly number[];
  readonly store: readonly number[];
}

/** By name. `prepare` signs in, for example, and runs before each measurement. */
export type Cases = Readonly<Record<string, () => Promise<Load>>>;

/** By wrk, or by `once` in as many loops as there are connections. */
export type Load =
  | Requests
  | { readonly once: (turn: number) => Promise<void>; readonly connections: number };

export interface Requests {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in turn. */
  readonly bodies?: readonly string[];
  readonly chain?: Chain;
  /** What every reply must contain. */
  readonly expected: string;
  /** Default: 16. */
  readonly connections?: number;
}

/** Each request spends a token that an earlier reply gave; no token is sent twice. */
export interface Chain {
  readonly before: string;
  readonly after: string;
  /** Lua pattern that captures the next token in a reply. */
  readonly pattern: string;
  /** Taken from and added to by the load. */
  readonly tokens: string[];
}

export const CONNECTIONS = 16;
/** Sign-ins at once: each takes a whole core. */
export const BROWSERS = 8;
/** Nothing listens there; browsers stop when they are sent to it. */
export const REDIRECT_URI = 'http://127.0.0.1:9/callback';
export const API = 'https://api.example.test';
/** OWASP's second set, which every server but Keycloak hashes with; memory in KiB. */
export const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

export interface Person {
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

export const PEOPLE: readonly Person[] = Array.from({ length: 16 }, (_, i) => ({
  username: `user${i}`,
  email: `user${i}@example.test`,
  password: `Walnut-${i}-harbour-${i}-Comet`,
}));

export function personOf(turn: number): Person {
  const person = PEOPLE[turn % PEOPLE.length];
  if (person === undefined) throw new Error('There are no people.');
  return person;
}
