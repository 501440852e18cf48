/**
 * What a development server prints when it is ready: where everything is, who may sign in, and one command
 * per dialect that works when it is pasted. Never printed in production: it holds passwords.
 */
import type { Config } from '../config/schema.ts';
import { columns } from '../core/text.ts';
import { loadSamples, type Person, peopleOf, type SignInCall } from '../dialects/samples.ts';

export async function startBlock({ config, issuer }: { config: Config; issuer: string }): Promise<string> {
  const people = config.demo ? config.seed.flatMap(peopleOf) : [];
  const places: [string, string][] = [
    ['Issuer', issuer],
    ['Discovery', `${issuer}/.well-known/openid-configuration`],
  ];
  if (config.demo) {
    places.push(['Demo application', `${issuer}/demo`]);
    if (config.mail.kind === 'mailbox') places.push(['Mailbox', `${issuer}/dev/mailbox`]);
  }
  const deps = ['Portico is ready.', table(places)];
  if (people.length > 0) deps.push(`People (email, password, organization):\n${table(people.map(lineOf))}`);
  const calls = (await loadSamples(config.dialects)).flatMap((sample) => {
    const person = people.find((candidate) => sample.suits(candidate));
    return person ? [`  # ${sample.name}\n  ${curl(issuer, sample.signIn(person))}`] : [];
  });
  if (calls.length > 0) deps.push(`One sign-in per dialect, to paste:\n${calls.join('\n')}`);
  return `\n${deps.join('\n\n')}\n`;
}

function lineOf({ email, username, password, organization }: Person): [string, string, string] {
  return [email ?? username ?? '', password, organization];
}

function table(rows: readonly (readonly string[])[]): string {
  return columns(rows)
    .map((line) => `  ${line}`)
    .join('\n');
}

function curl(issuer: string, { path, headers = {}, body }: SignInCall): string {
  const all = { ...headers, 'content-type': 'application/json' };
  const sent = Object.entries(all).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  return `curl -s ${issuer}${path} ${sent.join(' ')} -d ${quoted(JSON.stringify(body))}`;
}

/** For a POSIX shell. */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
