/** The code flow as a browser and an application go through it: at any server whose pages are forms. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { openWebSession } from '../test/support/web-session.ts';
import { type Client, type Person, REDIRECT_URI, type Subject } from './subject.ts';

const tokens = z.object({ access_token: z.string(), refresh_token: z.string().optional() });

const random = () => randomBytes(32).toString('base64url');

export function basic({ id, secret = '' }: Client): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** Signs the person in with a browser that has no cookies yet. */
export async function signIn(subject: Subject, client: Client, person: Person) {
  const verifier = random();
  const state = random();
  const parameters = new URLSearchParams({
    ...{ response_type: 'code', client_id: client.id, redirect_uri: REDIRECT_URI, scope: subject.scope },
    ...{ state, nonce: random(), code_challenge_method: 'S256' },
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
  });
  const callback = new URL(await walk(subject, `${subject.endpoints.authorization}?${parameters}`, person));
  const code = callback.searchParams.get('code');
  if (code === null || callback.searchParams.get('state') !== state)
    throw new Error(`${subject.name} gave no code: ${callback.search}`);
  const reply = await fetch(subject.endpoints.token, {
    method: 'POST',
    headers: client.secret === undefined ? {} : basic(client),
    body: new URLSearchParams({
      ...{ grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier },
      ...(client.secret === undefined && { client_id: client.id }),
    }),
  });
  const text = await reply.text();
  if (reply.status !== 200) throw new Error(`${subject.name} gave no tokens: ${reply.status} ${text}`);
  return tokens.parse(JSON.parse(text));
}

/** Fills in the page with the password, follows everything else, and returns the address of the callback. */
async function walk({ name, behindProxy }: Subject, url: string, person: Person): Promise<string> {
  const session = openWebSession();
  const until = [REDIRECT_URI, ...(behindProxy ? [behindProxy.from] : [])];
  let at = await session.open(url, until);
  for (let steps = 0; steps < 10; steps += 1) {
    if (typeof at !== 'string') {
      const names = at.forms.flatMap((form) => form.names);
      const login = names.find((field) => /login|user|mail/i.test(field)) ?? 'username';
      at = await session.submit(at, { [login]: person.username, password: person.password }, { until });
    } else if (at.startsWith(REDIRECT_URI)) return at;
    else at = await session.open(at.replace(behindProxy?.from ?? '', behindProxy?.to ?? ''), until);
  }
  throw new Error(`The sign-in at ${name} came to no end.`);
}
