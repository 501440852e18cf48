/** A legacy system that says what a test tells it to, without a network: for the rules of identity alone. */
import type {
  ConfirmedPerson,
  LegacyAnswer,
  LegacyRules,
  LegacySystem,
  LegacySystems,
} from '../../src/identity/legacy-systems.ts';

export interface FakeLegacy extends LegacySystems {
  readonly dialect: string;
  /** Questions, in the order in which they came. */
  readonly calls: string[];
  readonly rules: LegacyRules;
  /** What the next questions are answered. Default: no. */
  says: LegacyAnswer | ((question: string, asked: unknown) => LegacyAnswer);
  /** Whether the organization is in stage primary. */
  primary: boolean;
  /** Its breaker is open for so many seconds. */
  outage: number | undefined;
}

export const RULES: LegacyRules = {
  addressesVerified: false,
  recheck: 86_400,
  floor: 0,
  registration: 'hold',
};

export function fakeLegacy(dialect = 'visitnote', rules: Partial<LegacyRules> = {}): FakeLegacy {
  const calls: string[] = [];
  const fake: FakeLegacy = {
    ...{ dialect, calls, says: 'no', primary: true, outage: undefined },
    rules: { ...RULES, ...rules },
    dialects: [dialect],
    clientOf: (name) => (name === dialect ? `${name}-legacy` : undefined),
    async asked(_organization, channel) {
      return fake.primary && (channel === 'hosted' || channel === dialect) ? [system] : [];
    },
  };
  const question = (name: string) => async (asked: unknown) => {
    calls.push(name);
    return typeof fake.says === 'function' ? fake.says(name, asked) : fake.says;
  };
  const system: LegacySystem = {
    dialect,
    rules: fake.rules,
    outage: () => fake.outage,
    signIn: question('signIn'),
    social: question('social'),
    sendCode: question('sendCode'),
    code: question('code'),
    reset: question('reset'),
    register: question('register'),
    singleSignOn: question('singleSignOn'),
  };
  return fake;
}

/** Several, in this order. */
export function together(...systems: readonly FakeLegacy[]): LegacySystems {
  return {
    dialects: systems.map(({ dialect }) => dialect),
    clientOf: (name) => systems.find(({ dialect }) => dialect === name)?.clientOf(name),
    asked: async (organization, channel) =>
      (await Promise.all(systems.map((one) => one.asked(organization, channel)))).flat(),
  };
}

export const yes = (person: Partial<ConfirmedPerson> = {}): Extract<LegacyAnswer, { yes: unknown }> => ({
  yes: { organization: 'north', vendorId: 'v-1', account: { email: 'ada@north.example' }, ...person },
});
