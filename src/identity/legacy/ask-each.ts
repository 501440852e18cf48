/** One question to several legacy systems, in the order of the configuration, until one says yes. */
import type { LegacyAnswer, LegacySystem } from '../legacy-systems.ts';

type Yes = Extract<LegacyAnswer, { yes: unknown }>;
type Away = Extract<LegacyAnswer, { away: string }>;

/** 'not-asked': none of them can be asked this. */
export type AnswerOfAll = { readonly system: LegacySystem; readonly answer: Yes } | 'no' | Away | 'not-asked';

/** `ask`: undefined where the vendor's API does not have the question. One that is away outweighs a no. */
export async function askEach(
  systems: readonly LegacySystem[],
  ask: (system: LegacySystem) => Promise<LegacyAnswer> | undefined,
): Promise<AnswerOfAll> {
  let result: Exclude<AnswerOfAll, { system: unknown }> = 'not-asked';
  for (const system of systems) {
    const answer = await ask(system);
    if (answer === undefined) continue;
    if (answer === 'no') result = result === 'not-asked' ? 'no' : result;
    else if ('away' in answer) result = typeof result === 'object' ? result : answer;
    else return { system, answer };
  }
  return result;
}
