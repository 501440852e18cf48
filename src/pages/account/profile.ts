/**
 * The standard claims that a person may say about themselves. What a claim proves (a verified address or
 * number) is not among them and cannot be sent along: members are read one by one (Zitadel CVE-2026-27946).
 */
import type { FormFields } from '../../http/forms/read-form.ts';
import { acceptedLanguages } from '../../http/views/i18n.ts';
import { updateAccount } from '../../identity/accounts/update-account.ts';
import { recordEvent } from '../../identity/audit/audit.ts';
import type { ProfileClaims } from '../../model/account.ts';
import { FormRefused } from '../shared/alert.ts';
import { lineIn } from '../shared/form-fields.ts';
import { type ChoiceKind, choicesOf } from './profile-choices.ts';
import { showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Visit } from './session.ts';

interface Field {
  readonly name: string;
  readonly autocomplete: string;
  readonly type: string;
  /** Characters. */
  readonly longest: number;
  readonly fits?: (value: string) => boolean;
  /** Chosen from a list instead of typed. */
  readonly choices?: ChoiceKind;
}

const line = (name: string, autocomplete: string, more: Partial<Field> = {}): Field => ({
  ...{ name, autocomplete, type: 'text', longest: 100 },
  ...more,
});

const NAMES = [
  line('name', 'name'),
  line('given_name', 'given-name'),
  line('family_name', 'family-name'),
  line('nickname', 'nickname'),
] as const;
const PERSONAL = [
  line('phone_number', 'tel', {
    type: 'tel',
    longest: 40,
    fits: (text) => /^\+?[\d\s().-]{3,40}$/.test(text),
  }),
  line('birthdate', 'bday', { type: 'date', longest: 10, fits: isDate }),
  line('gender', 'sex', { longest: 40, choices: 'genders' }),
] as const;
const REGION = [
  line('locale', 'language', { longest: 35, fits: isLanguage, choices: 'languages' }),
  line('zoneinfo', 'off', { longest: 60, fits: isZone, choices: 'zones' }),
] as const;
const ADDRESS = [
  line('street_address', 'street-address', { longest: 200 }),
  line('postal_code', 'postal-code', { longest: 20 }),
  line('locality', 'address-level2'),
  line('region', 'address-level1'),
  line('country', 'country-name'),
] as const;

const GROUPS: readonly { readonly key: string; readonly fields: readonly Field[] }[] = [
  { key: 'names', fields: NAMES },
  { key: 'personal', fields: PERSONAL },
  { key: 'region', fields: REGION },
  { key: 'address', fields: ADDRESS },
];
const CLAIMS = [...NAMES, ...PERSONAL, ...REGION];

export const profile: AccountPage = async (visit, refusal) => {
  const { address, ...claims } = visit.account.claims;
  const stored = { values: { ...claims, ...address }, issues: [] };
  const { values, issues } = refusal === undefined ? stored : read(visit.form, visit.account.claims);
  const shown = fieldsIn(visit, values, issues);
  const groups = GROUPS.map(({ key, fields }) => ({ key, fields: fields.map(shown) }));
  await showAccountPage(visit, 'account-profile', { groups, issues }, refusal);
};

export const saveProfile: AccountForm = async ({ deps, account, context, form }) => {
  const { id: subject, organization, claims } = account;
  const { values, issues } = read(form, claims);
  if (issues.length > 0) throw new FormRefused({ kind: 'invalid-fields' });
  const saved = await updateAccount(deps.identity, subject, (present) => ({
    ...present,
    claims: withEntered(present.claims, values),
  }));
  if (saved.version !== account.version) {
    recordEvent(deps.identity, { event: 'profile.update', organization, subject, context });
  }
  return '/account/profile?done=saved';
};

/** `issues`: names of fields that cannot be taken. */
function read(form: FormFields, present: ProfileClaims) {
  const values: Record<string, string> = {};
  const issues: string[] = [];
  const stored: Record<string, unknown> = { ...present };
  for (const { name, longest, fits = () => true } of [...CLAIMS, ...ADDRESS]) {
    const value = lineIn(form, name, longest);
    // What an operator stored (a year alone is a date of birth too) may stay as it is.
    const stays = value === '' || value === stored[name];
    if (value === undefined || !(stays || fits(value))) issues.push(name);
    values[name] = value ?? form.get(name) ?? '';
  }
  return { values, issues };
}

/** What was emptied goes; a number that changes is not a verified one any more. */
function withEntered(present: ProfileClaims, values: Readonly<Record<string, string>>): ProfileClaims {
  const { address: _old, ...claims } = present;
  const next: Record<string, unknown> = { ...claims };
  for (const { name } of CLAIMS) put(next, name, values[name]);
  if (next.phone_number !== present.phone_number) delete next.phone_number_verified;
  const before: Record<string, unknown> = { ...present.address };
  const { formatted: _stale, ...address } = before;
  for (const { name } of ADDRESS) put(address, name, values[name]);
  const moved = ADDRESS.some(({ name }) => address[name] !== before[name]);
  if (!moved && present.address !== undefined) next.address = present.address;
  else if (Object.keys(address).length > 0) next.address = address;
  return next as ProfileClaims;
}

function put(target: Record<string, unknown>, name: string, value: string | undefined): void {
  if (value === undefined || value === '') delete target[name];
  else target[name] = value;
}

function fieldsIn(
  { deps, ctx, account }: Visit,
  values: Readonly<Record<string, unknown>>,
  issues: readonly string[],
) {
  const { locale } = account.claims;
  const accepted = acceptedLanguages(ctx.get('Accept-Language'));
  const language = deps.views.choose(locale === undefined ? accepted : [locale, ...accepted]);
  return (field: Field) => {
    const value = String(values[field.name] ?? '');
    return {
      ...field,
      value,
      // A date field shows nothing for what is no whole date, and saving would lose it.
      type: field.type === 'date' && value !== '' && !isDate(value) ? 'text' : field.type,
      choices: field.choices && choicesOf(field.choices, value, { views: deps.views, language }),
      wrong: issues.includes(field.name),
    };
  };
}

function isDate(text: string): boolean {
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? text : Number.NaN);
  // The 31st of February is the 3rd of March to Date.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isLanguage(text: string): boolean {
  return isTaken(() => Intl.getCanonicalLocales(text));
}

function isZone(text: string): boolean {
  return isTaken(() => new Intl.DateTimeFormat('en', { timeZone: text }));
}

function isTaken(make: () => unknown): boolean {
  try {
    make();
    return true;
  } catch {
    return false;
  }
}
