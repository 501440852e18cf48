/** The dialects' sample calls and the people of the seed files, for the start block and `portico try`. */
import { readSeed } from '../seed/read-seed.ts';
import type { SeedAccount } from '../seed/schema.ts';
import type { Credentials, Sample } from './contract/sample.ts';
import { loadEnabledDialects } from './registry.ts';
import { parseSettings } from './runtime/mounted.ts';

export type { Credentials, SignInCall } from './contract/sample.ts';

/** A person of a seed file with a password. */
export type Person = SeedAccount & Credentials;

/** A dialect that is switched on and brings a sample, with its settings filled in. */
export interface SampledDialect {
  readonly name: string;
  readonly clientId: string;
  /** The organization that requests mean when they name none. */
  readonly organization: string | undefined;
  readonly token: readonly string[];
  suits(person: Person): boolean;
  signIn(person: Credentials): ReturnType<Sample['signIn']>;
  me(token: string): ReturnType<Sample['me']>;
}

/** `settings`: `dialects` of the configuration. */
export async function loadSamples(settings: Readonly<Record<string, unknown>>): Promise<SampledDialect[]> {
  const mounted = parseSettings(await loadEnabledDialects(settings), settings);
  return mounted.flatMap(({ dialect: { name, sample }, settings: own, clientId }) =>
    sample === undefined
      ? []
      : {
          name,
          clientId,
          organization: own.organization,
          token: sample.token,
          suits: (person) => knows(person, name) && sample.suits(person, own),
          signIn: (person) => sample.signIn(person, own),
          me: (token) => sample.me(token, own),
        },
  );
}

/** Whether the seed says anything about this person that only the vendor knows. */
function knows(person: Person, vendor: string): boolean {
  return person.vendor?.[vendor] !== undefined || person.aliases?.[vendor] !== undefined;
}

/** Those of a seed file who can sign in with a password. Throws SeedError. */
export function peopleOf(file: string): Person[] {
  const { accounts = [] } = readSeed(file).seed;
  return accounts.flatMap((account) =>
    account.password === undefined || (account.status ?? 'active') !== 'active'
      ? []
      : [{ ...account, password: account.password }],
  );
}
