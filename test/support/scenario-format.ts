/** The scenario files: what a step may say, and the people whose passwords steps name. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const anything = z.record(z.string(), z.unknown());
const texts = z.record(z.string(), z.string());

const Request = z.strictObject({
  method: z.string(),
  path: z.string(),
  headers: texts.optional(),
  json: z.unknown().optional(),
  form: anything.optional(),
  multipart: anything.optional(),
  raw: z.string().optional(),
  /** Ours: it holds members that the server does not look at here, so it need not be as documented. */
  beyond_document: z.boolean().optional(),
});

const Reply = z.strictObject({
  status: z.number(),
  headers: texts.optional(),
  json: z.unknown().optional(),
  text: z.string().optional(),
  empty: z.literal(true).optional(),
});

const RequestStep = z.strictObject({
  request: Request,
  reply: Reply.optional(),
  keep: texts.optional(),
  times: z.number().optional(),
});

const Step = z.union([
  RequestStep,
  z.strictObject({ mail: z.strictObject({ to: z.string(), keep: texts.optional() }) }),
  z.strictObject({ no_mail: z.strictObject({ to: z.string() }) }),
  z.strictObject({
    id_token: z.strictObject({
      provider: z.enum(['google', 'apple']),
      claims: anything.optional(),
      keep: z.string(),
    }),
  }),
  z.strictObject({ wait: z.number() }),
  z.strictObject({
    jwt: z.strictObject({
      of: z.string(),
      header: anything.optional(),
      claims: anything.optional(),
      absent: z.array(z.string()).optional(),
      lifetime: z.number().optional(),
    }),
  }),
]);

const Scenarios = z.array(
  z.strictObject({
    scenario: z.string(),
    /** Ours: `dialects.<name>.admitsFrom` of the server that it is held with. */
    admits_from: z.record(z.string(), z.array(z.string())).optional(),
    steps: z.array(Step),
  }),
);

export type RequestStep = z.output<typeof RequestStep>;
export type Step = z.output<typeof Step>;
export type Scenario = z.output<typeof Scenarios>[number];

/** Throws with the place of every issue: a misspelt step must not pass as one that asks nothing. */
export function readScenarios(file: string): Scenario[] {
  const parsed = Scenarios.safeParse(parse(readFileSync(file, 'utf8'), { maxAliasCount: -1 }));
  if (!parsed.success) throw new Error(`${file}\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

interface SeedPerson {
  readonly email?: string;
  readonly given_name?: string;
  readonly password?: string;
}

/** The password of the first person in a seed file whose local part, first name or address is `person`. */
export function passwordOf(person: string, seedFile: string): string {
  const { accounts } = parse(readFileSync(seedFile, 'utf8')) as { accounts: SeedPerson[] };
  const result = accounts.find(
    ({ email, given_name }) =>
      email?.split('@')[0] === person || given_name?.toLowerCase() === person || email === person,
  );
  if (result?.password === undefined)
    throw new Error(`Nobody in ${seedFile} is called ${person} and has a password.`);
  return result.password;
}
