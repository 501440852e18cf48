/** What is measured at every server, and which figure each case is compared with. */
import { dialectNames } from '../src/dialects/registry.ts';
import { basic, FORM, signIn } from './browser.ts';
import {
  BROWSERS,
  type Cases,
  type Client,
  CONNECTIONS,
  personOf,
  type Requests,
  type Subject,
} from './subject.ts';

const ME = dialectNames.map((name) => `me ${name}`);
const SIGN_INS = ['code flow', ...dialectNames.map((name) => `sign-in ${name}`)];

/** In the order in which they are measured. */
export const CASES: readonly string[] = [
  ...[
    'discovery',
    'jwks',
    'client_credentials opaque',
    'client_credentials jwt',
    'introspection',
    'userinfo',
  ],
  ...ME,
  ...[
    'users vsee',
    'refresh confidential',
    'refresh public',
    'refresh vsee',
    'refresh avycenna',
    'code verify',
  ],
  ...SIGN_INS,
];

/** A conversation each, held by this process. */
export const WITHOUT_WRK = ['code verify', 'code flow'];

/** Cases that check a password: argon2 alone is their limit. */
export const PASSWORD_CASES = SIGN_INS;

/** The bare provider has no dialects: the case of its own that does the same for its clients. */
export function counterpart(name: string): string {
  if (ME.includes(name)) return 'userinfo';
  return name === 'refresh vsee' || name === 'refresh avycenna' ? 'refresh public' : name;
}

const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();

export function casesOf(subject: Subject): Cases {
  const { endpoints, machine } = subject;
  if (endpoints.token === '') return subject.ownCases;
  const accessToken = async () => (await signIn(subject, subject.confidential, personOf(0))).access_token;
  return {
    discovery: async () => ({ url: endpoints.discovery, expected: '"issuer"' }),
    jwks: async () => ({ url: endpoints.jwks, expected: '"keys"' }),
    ...Object.fromEntries(
      Object.entries(machine).map(([kind, { client, parameters }]) => [
        `client_credentials ${kind}`,
        async (): Promise<Requests> => ({
          ...{ url: endpoints.token, method: 'POST', headers: { ...FORM, ...basic(client) } },
          ...{
            bodies: [form({ grant_type: 'client_credentials', ...parameters })],
            expected: '"access_token"',
          },
        }),
      ]),
    ),
    introspection: async () => ({
      ...{ url: endpoints.introspection, method: 'POST', bodies: [form({ token: await accessToken() })] },
      headers: { ...FORM, ...(subject.introspectionOpen ? {} : basic(subject.confidential)) },
      expected: '"active":true',
    }),
    userinfo: async () => ({
      ...{ url: endpoints.userinfo, headers: { authorization: `Bearer ${await accessToken()}` } },
      expected: '"sub"',
    }),
    'refresh confidential': refresh(subject, subject.confidential),
    'refresh public': refresh(subject, subject.public),
    'code flow': async () => ({
      once: async (turn) => void (await signIn(subject, subject.public, personOf(turn))),
      connections: BROWSERS,
    }),
    ...subject.ownCases,
  };
}

function refresh(subject: Subject, client: Client): () => Promise<Requests> {
  return chained(
    {
      ...{ url: subject.endpoints.token, method: 'POST', expected: '"id_token"' },
      headers: { ...FORM, ...(client.secret === undefined ? {} : basic(client)) },
    },
    {
      before: 'grant_type=refresh_token&refresh_token=',
      after: client.secret === undefined ? `&client_id=${client.id}` : '',
      pattern: '"refresh_token":"([^"]+)"',
    },
    async (turn) => (await signIn(subject, client, personOf(turn))).refresh_token,
  );
}

/** One token for each connection and some to spare, so that a chain never has two requests at once. */
export function chained(
  requests: Omit<Requests, 'chain'>,
  chain: { before: string; after: string; pattern: string },
  mint: (turn: number) => Promise<string | undefined>,
): () => Promise<Requests> {
  const tokens: string[] = [];
  return async () => {
    const missing = Math.max(0, CONNECTIONS + 8 - tokens.length);
    const minted = await Promise.all(Array.from({ length: missing }, (_, turn) => mint(turn)));
    for (const token of minted) {
      if (token === undefined) throw new Error(`There is no refresh token from ${requests.url}.`);
      tokens.push(token);
    }
    return { ...requests, chain: { ...chain, tokens } };
  };
}
