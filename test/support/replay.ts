/**
 * Replays a scenario against a running server: every kind of step of the scenario format. A failed step
 * throws with its number, what was sent and every difference.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { type HttpClient, type Incoming, type Outgoing, openClient } from './http-client.ts';
import type { MailServer } from './mail-server.ts';
import { differences, missingMembers } from './matchers.ts';
import { passwordOf, type RequestStep, type Scenario, type Step } from './scenario-format.ts';
import type { TestUpstream } from './upstream.ts';

/** What a scenario runs against. */
export interface Stage {
  /** Where to connect. */
  readonly url: string;
  /** Where paths of the OpenID Connect server lead; default: `url`. */
  readonly standardUrl?: string;
  readonly issuer: string;
  readonly mail: MailServer;
  readonly upstream: TestUpstream;
  /** The seed file that `{password:person}` looks into. */
  readonly people: string;
  /** What else must hold of every exchange: faults, each a sentence. */
  readonly alsoJudge?: (sent: Outgoing, reply: Incoming) => string[];
}

/** Paths of the OpenID Connect server and of its pages, which no vendor's API has. */
const STANDARD = /^\/(?:reset|introspect|revoke|token|userinfo|authorize|jwks|\.well-known)\b/;

/** `no_mail`: this long after the last request, in milliseconds. */
const QUIET = 2000;

export async function replay(scenario: Scenario, stage: Stage): Promise<void> {
  const client = openClient(stage.url);
  const standard = openClient(stage.standardUrl ?? stage.url);
  const run: Run = {
    stage,
    client: {
      ...client,
      send: (request) => (STANDARD.test(request.path) ? standard : client).send(request),
    },
    address: freshAddress(),
    kept: new Map<string, unknown>([['issuer', stage.issuer]]),
    lastRequestAt: Date.now(),
  };
  try {
    for (const [index, step] of scenario.steps.entries()) {
      try {
        await play(step, run);
      } catch (error) {
        if (error instanceof Error) error.message = `step ${index + 1}: ${error.message}`;
        throw error;
      }
    }
  } finally {
    client.close();
    standard.close();
  }
}

interface Run {
  readonly stage: Stage;
  readonly client: HttpClient;
  readonly address: string;
  readonly kept: Map<string, unknown>;
  lastRequestAt: number;
}

async function play(step: Step, run: Run): Promise<void> {
  if ('request' in step) return playRequest(step, run);
  if ('mail' in step) return playMail(step.mail, run);
  if ('no_mail' in step) return playNoMail(step.no_mail.to, run);
  if ('id_token' in step) return playIdToken(step.id_token, run);
  if ('wait' in step) return sleep(step.wait * 1000);
  return playJwt(step.jwt, run);
}

/* ------------------------------------------------------------------ requests */

async function playRequest(step: RequestStep, run: Run): Promise<void> {
  const outgoing = written(step.request, run);
  let reply = await run.client.send(outgoing);
  for (let again = 1; again < (step.times ?? 1); again += 1) reply = await run.client.send(outgoing);
  run.lastRequestAt = Date.now();
  const result = step.reply === undefined ? [] : compareReply(step.reply, reply, run);
  if (!step.request.beyond_document) result.push(...(run.stage.alsoJudge?.(outgoing, reply) ?? []));
  if (result.length > 0) {
    const answer = `${reply.status} ${reply.text.slice(0, 1500)}`;
    throw new Error(
      `${outgoing.method} ${outgoing.path}\n  ${result.join('\n  ')}\n  the answer was ${answer}`,
    );
  }
  for (const [name, pointer] of Object.entries(step.keep ?? {})) {
    const value = atPointer(reply.json(), pointer);
    if (value === undefined)
      throw new Error(`There is nothing at ${pointer} to keep in ${reply.text.slice(0, 500)}`);
    run.kept.set(name, value);
  }
}

function written(request: RequestStep['request'], run: Run): Outgoing {
  const body = bodyOf(request, run);
  const headers: Record<string, string> = { 'x-forwarded-for': run.address };
  if (body?.type !== undefined) headers['content-type'] = body.type;
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    headers[name.toLowerCase()] = String(filled(value, run));
  }
  return {
    method: request.method,
    path: String(filled(request.path, run)),
    headers,
    ...(body === undefined ? {} : { body: body.bytes }),
  };
}

function bodyOf(request: RequestStep['request'], run: Run): { bytes: string; type?: string } | undefined {
  if (request.raw !== undefined) return { bytes: String(filled(request.raw, run)) };
  if (request.json !== undefined) {
    return { bytes: JSON.stringify(filled(request.json, run)), type: 'application/json' };
  }
  if (request.form !== undefined) {
    const form = new URLSearchParams(fieldsOf(request.form, run));
    return { bytes: form.toString(), type: 'application/x-www-form-urlencoded' };
  }
  return request.multipart === undefined ? undefined : multipart(fieldsOf(request.multipart, run));
}

function fieldsOf(fields: Record<string, unknown>, run: Run): [string, string][] {
  return Object.entries(fields).map(([name, value]) => [name, String(filled(value, run))]);
}

function multipart(fields: [string, string][]): { bytes: string; type: string } {
  const boundary = '----portico-scenario-7d1c0a55';
  const deps = fields.map(
    ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return { bytes: `${deps.join('')}--${boundary}--\r\n`, type: `multipart/form-data; boundary=${boundary}` };
}

function compareReply(expected: NonNullable<RequestStep['reply']>, reply: Incoming, run: Run): string[] {
  const result: string[] = [];
  if (reply.status !== expected.status)
    result.push(`status: expected ${expected.status}, got ${reply.status}`);
  for (const [name, value] of Object.entries(expected.headers ?? {})) {
    result.push(...differences(filled(value, run), reply.headers[name], `header ${name}`));
  }
  if (expected.text !== undefined)
    result.push(...differences(filled(expected.text, run), reply.text, 'text'));
  if (expected.empty && reply.bytes.byteLength > 0) result.push('the body is not empty');
  if (expected.json !== undefined) result.push(...compareJson(filled(expected.json, run), reply));
  return result;
}

function compareJson(expected: unknown, reply: Incoming): string[] {
  try {
    return differences(expected, reply.json());
  } catch (error) {
    if (error instanceof SyntaxError) return ['the body is no JSON'];
    throw error;
  }
}

/* ------------------------------------------------------------------ the other steps */

async function playMail(
  mail: { to: string; keep?: Record<string, string> | undefined },
  run: Run,
): Promise<void> {
  const email = await run.stage.mail.take(String(filled(mail.to, run)));
  for (const [name, pattern] of Object.entries(mail.keep ?? {})) {
    const group = new RegExp(pattern).exec(email.text)?.[1];
    if (group === undefined) throw new Error(`/${pattern}/ finds nothing in the letter:\n${email.text}`);
    run.kept.set(name, group);
  }
}

/** Counts from the last request, so that several in a row wait once. */
async function playNoMail(to: string, run: Run): Promise<void> {
  const address = String(filled(to, run));
  await sleep(Math.max(0, run.lastRequestAt + QUIET - Date.now()));
  const [email] = run.stage.mail.waiting(address);
  if (email !== undefined) throw new Error(`A letter came to ${address}: ${email.subject}\n${email.text}`);
}

async function playIdToken(
  input: { provider: 'google' | 'apple'; claims?: Record<string, unknown> | undefined; keep: string },
  run: Run,
): Promise<void> {
  const claims = filled(input.claims ?? {}, run) as Record<string, unknown>;
  run.kept.set(input.keep, await run.stage.upstream.signIdToken(input.provider, claims));
}

/** Checks a token as a resource server would: with the published keys, found through discovery. */
async function playJwt(input: Extract<Step, { jwt: unknown }>['jwt'], run: Run): Promise<void> {
  const { stage } = run;
  const discovery = await fetch(`${stage.issuer}/.well-known/openid-configuration`);
  const { jwks_uri: jwksUri } = (await discovery.json()) as { jwks_uri: string };
  const keys = createRemoteJWKSet(new URL(jwksUri));
  const { payload, protectedHeader } = await jwtVerify(String(filled(input.of, run)), keys, {
    issuer: stage.issuer,
  });
  const result = [
    ...missingMembers(filled(input.header ?? {}, run) as Record<string, unknown>, { ...protectedHeader }),
    ...missingMembers(filled(input.claims ?? {}, run) as Record<string, unknown>, payload),
    ...(input.absent ?? []).filter((name) => name in payload).map((name) => `/${name}: must not be there`),
  ];
  const lifetime = Number(payload.exp) - Number(payload.iat);
  if (input.lifetime !== undefined && lifetime !== input.lifetime) {
    result.push(`exp - iat: expected ${input.lifetime}, got ${lifetime}`);
  }
  if (result.length > 0) throw new Error(`the token says otherwise\n  ${result.join('\n  ')}`);
}

/* ------------------------------------------------------------------ values */

/** Fills `{name}` and `{password:person}` in. A string that is one kept value alone keeps that value's type. */
function filled(value: unknown, run: Run): unknown {
  if (typeof value === 'string') return filledText(value, run);
  if (Array.isArray(value)) return value.map((item) => filled(item, run));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filled(member, run)]));
}

function filledText(text: string, run: Run): unknown {
  const alone = /^\{([A-Za-z]\w*)\}$/.exec(text)?.[1];
  if (alone !== undefined) return keptValue(alone, run);
  const inPattern = text.startsWith('<re:');
  return text.replaceAll(/\{(password:[^{}]+|[A-Za-z]\w*)\}/g, (_, name: string) => {
    const value = name.startsWith('password:')
      ? passwordOf(name.slice('password:'.length), run.stage.people)
      : String(keptValue(name, run));
    return inPattern ? RegExp.escape(value) : value;
  });
}

function keptValue(name: string, run: Run): unknown {
  if (!run.kept.has(name)) throw new Error(`Nothing was kept as {${name}}.`);
  return run.kept.get(name);
}

/** RFC 6901. */
function atPointer(document: unknown, pointer: string): unknown {
  let value = document;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    value =
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

let addresses = 0;

/** A client address that no scenario of this process had before, from 198.18.0.0/15 (RFC 2544: for tests). */
function freshAddress(): string {
  addresses += 1;
  return `198.${18 + ((addresses >> 16) & 1)}.${(addresses >> 8) & 255}.${addresses & 255}`;
}
