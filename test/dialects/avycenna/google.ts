/** A browser that signs in with Google, and what it gets. */
import type { TestServer } from '../../support/server.ts';
import { clientOf, said } from './client.ts';

/** The Set-Cookie of every callback's reply. */
export const DROPPED =
  'avycenna_oauth=; Max-Age=0; Path=/api/v1/auth/oauth/google; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax';

/** A person of Google's own mail, for whose address Google speaks. */
export const gmail = (name: string, more: Record<string, unknown> = {}) => ({
  sub: `google-${name}`,
  email: `${name}@gmail.com`,
  email_verified: true,
  name: `Dr. ${name}`,
  ...more,
});

export const accessOf = ({ cookies }: Landing) => /^access_token=([^;]+)/.exec(cookies[1] ?? '')?.[1] ?? '';

/** What a browser gets at the end of a sign-in with Google. */
export interface Landing {
  readonly status: number;
  readonly location: string | undefined;
  readonly cookies: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Where Google sent the browser back to, for sending it again. */
  readonly callback: string;
  readonly binding: string;
}

/** Goes to Google as `person` and comes back. `change`: what happens to the callback's query on the way. */
export async function signInWithGoogle(
  server: TestServer,
  person: Record<string, unknown> | 'denied',
  options: { start?: string; change?: (query: URLSearchParams) => void; cookie?: string } = {},
): Promise<Landing> {
  const client = clientOf(server);
  const begun = await client.get(`/auth/oauth/google${options.start ?? ''}`);
  if (begun.status !== 302) throw new Error(`Not sent to Google: ${said(begun)}`);
  const binding = (begun.cookies[0] ?? '').split(';')[0] ?? '';
  server.upstream.nextPerson('google', person);
  const approved = await fetch(begun.headers.location ?? '', { redirect: 'manual' });
  const back = new URL(approved.headers.get('location') ?? '');
  options.change?.(back.searchParams);
  const callback = back.pathname + back.search;
  const landed = await client.send({
    method: 'GET',
    path: callback,
    headers: { cookie: options.cookie ?? `theme=dark; ${binding}` },
  });
  const { status, cookies, headers, text } = landed;
  return { status, location: headers.location, cookies, headers, text, callback, binding };
}
