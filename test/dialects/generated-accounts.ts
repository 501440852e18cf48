/** Accounts as stores hold them, made by a seeded generator: the same ones at every run. */
import type { AccountRecord, AddressClaim } from '../../src/model/account.ts';
import type { Json } from '../../src/model/json.ts';

export type Fields = Pick<
  AccountRecord,
  'email' | 'emailVerified' | 'username' | 'claims' | 'roles' | 'createdAt' | 'updatedAt'
> & { readonly status: 'active' | 'inactive'; readonly vendor: Record<string, Json> };

type Draw = ReturnType<typeof draws>;

/** Values drawn one after another from one seed. */
function draws(seed: number) {
  let state = seed;
  const below = (most: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
  const of = <Value>(...values: readonly Value[]): Value => {
    const value = values[below(values.length)];
    if (value === undefined && values.length === 0) throw new Error('There is nothing to draw from.');
    return value as Value;
  };
  const some = <Members extends object>(members: Members) =>
    Object.fromEntries(Object.entries(members).filter(() => below(3) > 0)) as Partial<Members>;
  const hex = (length: number) => Array.from({ length }, () => below(16).toString(16)).join('');
  const time = () => new Date(1_500_000_000_000 + below(2 ** 31) * 250);
  return { below, of, some, hex, time };
}

const WORDS = [
  ...['Mara', 'Ito', 'Łucja', 'O’Neill', 'van der Berg', 'Ñandú', '李小龍', 'Dr.', 'x'],
  ...['"quoted"', '<b>bold</b>', 'a\\b', '{token}', '👩🏽‍⚕️', 'null', '0', 'x'.repeat(100)],
];

const text = (draw: Draw) => draw.of(...WORDS);

function address({ of, some, below }: Draw): AddressClaim {
  return some({
    street_address: of('1 Main St', '1 Main St\nFlat 2', '1 Main St\r\nFlat 2\r\nDoor 3', '\nFlat 2'),
    locality: of('San José', 'Calgary'),
    region: of('CA', 'AB', 'Alberta'),
    postal_code: of('07123', 'T2P 1J9'),
    country: of('US', 'CA'),
    formatted: `${below(99)} Main St\nSan José`,
  });
}

function claims(draw: Draw): AccountRecord['claims'] {
  const { of, some } = draw;
  return some({
    name: of(text(draw), `${text(draw)} ${text(draw)}`, `${text(draw)}  ${text(draw)} ${text(draw)}`),
    given_name: of(text(draw), ''),
    family_name: of(text(draw), text(draw), ''),
    nickname: text(draw),
    picture: 'https://pictures.x.test/1.png?a=b',
    gender: of('female', 'male', 'Female', 'other', 'non-binary'),
    birthdate: of('1990-01-01', '1904-02-29'),
    zoneinfo: of('Europe/Berlin', 'Mars/Base'),
    phone_number: of('+15555550142', '(555) 555-0142', '4085550100', 'extension 12', ''),
    address: address(draw),
  });
}

const line = ({ of }: Draw) => of('', '1 Main St', 'Calgary', 'AB');

const otherAddress = (draw: Draw): Json => ({
  ...{ province: line(draw), provinceCode: line(draw), address1: line(draw), address2: line(draw) },
  ...{ city: line(draw), countryCode: line(draw), postalCode: line(draw) },
});

const room = (draw: Draw): Json => ({
  ...{ id: String(draw.below(1e9)), code: 'dev', slug: draw.of('uat', 'home'), name: text(draw) },
  ...{ account_code: 'clinicdev', domain: 'clinicdev.vsee.me', default: draw.below(2) === 0 },
  ...{ added_time: draw.below(1e9), source: 'signup' },
});

/** What the vendor alone knows; other types than the vendor's too, since operators and old versions stored them. */
const MEMBERS: Readonly<Record<string, (draw: Draw) => Record<string, Json>>> = {
  example: () => ({}),
  visitnote: (draw) => ({
    subscription_status: draw.of<Json>('active', 'trialing', 'gold', 1),
    trial_ends_at: draw.of<Json>(null, draw.time().toISOString(), '2031-02-01T00:00:00.123456Z', 'soon'),
    needs_onboarding: draw.of<Json>(true, false),
    discipline: draw.of<Json>('PT', null, 7),
    license_number: draw.of<Json>(text(draw), null),
    license_state: draw.of<Json>('CA', null),
    organization_uuid: draw.of<Json>('5f0c7a52-6f0e-4f0b-9d2c-0c2f5b7f1a01', null),
  }),
  medisync: (draw) => ({
    title: draw.of<Json>('Dr.', text(draw), ''),
    specialty: draw.of<Json>(text(draw), 7),
    ehr_system_type: text(draw),
    ehr_system_name: text(draw),
    subscriptionActive: draw.of<Json>(true, false, 'yes'),
    subscriptionExpiry: draw.of<Json>(null, draw.time().toISOString(), '2031-12-31', 'never'),
  }),
  careportals: (draw) => ({
    province: draw.of<Json>('Alberta', 'AB', ''),
    addresses: Array.from({ length: draw.below(3) }, () => otherAddress(draw)),
    role: 'patient',
  }),
  avycenna: (draw) => ({
    role: draw.of<Json>('doctor', 'patient', 'admin'),
    specialty: draw.of<Json>(text(draw), null),
    institution: draw.of<Json>(text(draw), null),
    phone: draw.of<Json>('+1 555', null),
  }),
  vsee: (draw) => ({
    type: draw.of(100, 200, 400, 600),
    subtype: draw.of<Json>('', '482', 484),
    tos: draw.of<Json>(true, false, 1, 0),
    code: draw.hex(32),
    sso_code: draw.of('', 'clinic-person-17'),
    contact_email: 'contact@x.test',
    nationality: draw.of('US', text(draw)),
    pcp_name: text(draw),
    pcp_phone: '4085550111',
    extra: draw.of<Json>(null, {}, { marital_status: 'married', race: 7, emerg_contact_name: text(draw) }),
    rooms: Array.from({ length: draw.below(3) }, () => room(draw)),
  }),
};

/** Endless accounts of the vendor. */
export function* generatedAccounts(vendor: string, seed: number): Generator<Fields> {
  const draw = draws(seed);
  for (let number = 1; ; number += 1) {
    const one = `${vendor}-${seed}-${number}`;
    const email = `${one}.${draw.of('é', 'x', 'long'.repeat(9))}@ward.test`;
    const createdAt = draw.time();
    yield {
      email,
      emailVerified: draw.below(2) === 0,
      ...draw.some({ username: draw.of(email, `user-${one}`, draw.hex(32)) }),
      status: vendor === 'vsee' ? draw.of('active', 'inactive') : 'active',
      claims: claims(draw),
      roles: draw.of([], ['doctor'], ['admin', 'doctor']),
      createdAt,
      updatedAt: new Date(createdAt.getTime() + draw.below(1e9)),
      vendor: draw.some(MEMBERS[vendor]?.(draw) ?? {}) as Record<string, Json>,
    };
  }
}
