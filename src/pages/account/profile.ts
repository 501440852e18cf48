/**
 * The standard claims that a person may say about themselves. What a claim proves (a verified address or
 * number) is not among them and cannot be sent along: members are read one by one (Zitadel CVE-2026-27946).
 */

import type { Context } from 'koa';
import type { FormFields } from '../../http/forms/read-form.ts';
import { acceptedLanguages } from '../../http/views/i18n.ts';
import { updateAccount } from '../../identity/accounts/update-account.ts';
import { recordEvent } from '../../identity/audit/audit.ts';
import type { ProfileClaims } from '../../model/account.ts';
import type { PageDeps } from '../shared/deps.ts';
import { lineIn } from '../shared/form-fields.ts';
import { requestContext } from '../shared/request-context.ts';
import { type ChoiceKind, choicesOf } from './profile-choices.ts';
import { leadTo, showAccountPage } from './render.ts';
import type { AccountForm, AccountPage, Person } from './session.ts';

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

export const profile: AccountPage = (deps, ctx, person) => {
  const { address, ...claims } = person.account.claims;
  return showProfile(deps, ctx, person, { values: { ...claims, ...address }, issues: [] });
};

export const saveProfile: AccountForm = async (deps, ctx, person, form) => {
  const entered = read(form, person.account.claims);
  if (entered.issues.length > 0) {
    await showProfile(deps, ctx, person, entered);
    return;
  }
  const { account } = person;
  const saved = await updateAccount(deps.identity, account.id, (present) => ({
    ...present,
    claims: withEntered(present.claims, entered.values),
  }));
  if (saved.version !== account.version) {
    const { id: subject, organization } = account;
    recordEvent(deps.identity, {
      event: 'profile.update',
      organization,
      subject,
      context: requestContext(ctx),
    });
  }
  leadTo(ctx, '/account/profile', 'saved');
};

interface Entered {
  readonly values: Readonly<Record<string, unknown>>;
  /** Names of fields that cannot be taken. */
  readonly issues: readonly string[];
}

function read(form: FormFields, present: ProfileClaims): Entered & { values: Record<string, string> } {
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

async function showProfile(
  deps: PageDeps,
  ctx: Context,
  person: Person,
  { values, issues }: Entered,
): Promise<void> {
  const { locale } = person.account.claims;
  const accepted = acceptedLanguages(ctx.get('Accept-Language'));
  const asked = {
    views: deps.views,
    language: deps.views.choose(locale === undefined ? accepted : [locale, ...accepted]),
  };
  const shown = (field: Field) => {
    const value = String(values[field.name] ?? '');
    return {
      ...field,
      value,
      // A date field shows nothing for what is no whole date, and saving would lose it.
      type: field.type === 'date' && value !== '' && !isDate(value) ? 'text' : field.type,
      choices: field.choices && choicesOf(field.choices, value, asked),
      wrong: issues.includes(field.name),
    };
  };
  await showAccountPage(deps, ctx, person, {
    view: 'account-profile',
    status: issues.length > 0 ? 400 : 200,
    data: { groups: GROUPS.map(({ key, fields }) => ({ key, fields: fields.map(shown) })), issues },
    ...(issues.length > 0 ? { alert: { kind: 'invalid-fields' as const } } : {}),
  });
}

function isDate(text: string): boolean {
  const date = new Date(/^\d{4}-\d\d-\d\d$/.test(text) ? text : Number.NaN);
  // The 31st of February is the 3rd of March to Date.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isLanguage(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}

function isZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
