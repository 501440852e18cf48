/** What a profile offers to choose from, by names in the language of the page. */
import type { Views } from '../../http/views/render.ts';

export interface Choice {
  readonly value: string;
  readonly name: string;
}

/** Choices under one heading; those without one come first. */
export interface ChoiceGroup {
  readonly name?: string;
  readonly choices: readonly Choice[];
}

export type ChoiceKind = 'languages' | 'zones' | 'genders';

interface Asked {
  readonly views: Pick<Views, 'say'>;
  /** Of the page. */
  readonly language: string;
}

/** Languages of the pages themselves. */
const OWN = ['en', 'de', 'es'];
/** OpenID Connect Core 5.1 names the first two and leaves room for others. */
const GENDERS = ['female', 'male', 'non-binary', 'other'];
const LANGUAGES = languageCodes();
const ZONES = Intl.supportedValuesOf('timeZone').filter((zone) => zone.includes('/'));

/** `present` can always be chosen, so that saving the form loses nothing. */
export function choicesOf(kind: ChoiceKind, present: string, asked: Asked): ChoiceGroup[] {
  const say = (key: string) => asked.views.say([asked.language], `account-profile.${key}`);
  const offered = OFFERS[kind](asked.language, say);
  const known = offered.some(({ choices }) => choices.some(({ value }) => value === present));
  const none = { value: '', name: say('choices.none') };
  const own =
    known || present === '' ? [] : [{ value: present, name: nameOf(kind, present, asked.language) }];
  return [{ choices: [none, ...own] }, ...offered];
}

const OFFERS: Readonly<
  Record<ChoiceKind, (language: string, say: (key: string) => string) => ChoiceGroup[]>
> = {
  genders: (_language, say) => [
    { choices: GENDERS.map((value) => ({ value, name: say(`genders.${value}`) })) },
  ],
  languages: (language, say) => {
    const named = (codes: readonly string[]) =>
      codes.map((value) => ({ value, name: languageName(value, language) }));
    return [
      { name: say('choices.own'), choices: sorted(named(OWN), language) },
      {
        name: say('choices.all'),
        choices: sorted(named(LANGUAGES.filter((code) => !OWN.includes(code))), language),
      },
    ];
  },
  zones: (language, say) => {
    const areas = Map.groupBy(ZONES, (zone) => zone.slice(0, zone.indexOf('/')));
    const groups = [...areas].map(([area, zones]) => ({
      name: say(`zones.${area}`),
      choices: zones.map((value) => ({ value, name: cityOf(value) })),
    }));
    return [{ choices: [{ value: 'UTC', name: 'UTC' }] }, ...sorted(groups, language)];
  },
};

function nameOf(kind: ChoiceKind, value: string, language: string): string {
  return kind === 'languages' ? languageName(value, language) : value;
}

function languageName(code: string, language: string): string {
  try {
    const name = new Intl.DisplayNames([language], { type: 'language' }).of(code) ?? code;
    return name.slice(0, 1).toLocaleUpperCase(language) + name.slice(1);
  } catch {
    return code;
  }
}

/** 'America/Argentina/Buenos_Aires' is Buenos Aires, Argentina. */
function cityOf(zone: string): string {
  return zone.split('/').slice(1).toReversed().join(', ').replaceAll('_', ' ');
}

function sorted<Named extends { readonly name: string }>(list: Named[], language: string): Named[] {
  const { compare } = new Intl.Collator(language);
  return list.toSorted((a, b) => compare(a.name, b.name));
}

/** The two-letter codes that have a name, without those that are an older spelling of another. */
function languageCodes(): string[] {
  const signs = [...'abcdefghijklmnopqrstuvwxyz'];
  const names = new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' });
  return signs
    .flatMap((first) => signs.map((second) => first + second))
    .filter((code) => names.of(code) !== undefined && Intl.getCanonicalLocales(code)[0] === code);
}
