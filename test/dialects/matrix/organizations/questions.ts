/**
 * How a route is asked about organizations. A row holds what one route must answer when the organization that
 * a request names is its own, another's, none, or two that contradict each other. `like` is the request for
 * what does not exist: its answer must be the same bytes.
 */
import type { AccountRecord } from '../../../../src/model/account.ts';
import type { Json } from '../../../../src/model/json.ts';
import type { Refusal } from '../../../conformance/dialect-under-test.ts';
import type { Incoming } from '../../../support/http-client.ts';
import type { Sent, World } from '../world.ts';

export const PLACES = ['own', 'other', 'missing', 'conflicting'] as const;
export type Place = (typeof PLACES)[number];

export interface Question {
  readonly place: Place;
  /** What names the organization. */
  readonly by: string;
  readonly ask: Ask;
  /** A status, or the vendor's whole refusal. */
  readonly says: number | Refusal;
  /** Asks for what is not there. */
  readonly like?: Ask;
  /** What else must hold after the answer. */
  readonly besides?: (cast: Cast, reply: Incoming) => Promise<void>;
}

export type Row = readonly Question[];
export type Ask = (cast: Cast) => Promise<Sent>;

/** The people whom rows ask about, made when first needed. */
export class Cast {
  readonly world: World;
  /** Addresses to which no email may go. */
  readonly silent: string[] = [];
  readonly #people = new Map<string, Promise<AccountRecord>>();

  constructor(world: World) {
    this.world = world;
  }

  /** The same person at every call with the same organization and name. */
  person(organization: string, name = 'somebody', more: PersonInfo = {}): Promise<AccountRecord> {
    const key = `${organization} ${name}`;
    const known = this.#people.get(key);
    if (known !== undefined) return known;
    const created = this.world.person({ organization, ...more });
    this.#people.set(key, created);
    return created;
  }

  async email(organization: string, name?: string, more?: PersonInfo): Promise<string> {
    return (await this.person(organization, name, more)).email ?? '';
  }

  /** Of a person who must get no email. */
  async silentEmail(organization: string, name: string, more?: PersonInfo): Promise<string> {
    const email = await this.email(organization, name, more);
    this.silent.push(email);
    return email;
  }
}

interface PersonInfo {
  readonly verified?: boolean;
  readonly roles?: readonly string[];
  readonly vendor?: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

/** The request with more headers. */
export function withHeaders(ask: Ask, headers: Readonly<Record<string, string>>): Ask {
  return async (cast) => {
    const sent = await ask(cast);
    return { ...sent, headers: { ...sent.headers, ...headers } };
  };
}

/** Names another clinic in every way that any dialect knows: headers, host, and members of the body. */
export function misled(ask: Ask, organization = 'north_clinic'): Ask {
  return async (cast) => {
    const sent = await withHeaders(ask, {
      organization,
      'x-accountcode': organization,
      host: 'north-clinic.portal.test',
      'x-forwarded-host': `api-${organization}.vsee.test`,
    })(cast);
    const isObject = typeof sent.json === 'object' && sent.json !== null;
    const named = {
      organization,
      organization_id: organization,
      tenant: organization,
      account_code: organization,
    };
    return isObject ? { ...sent, json: { ...sent.json, ...named } } : sent;
  };
}

/**
 * A route of a dialect that serves one organization, whatever the request names: `other` is a good name, token
 * or link of another organization, and gets what `none` gets.
 */
export function oneOrganization(context: {
  own: Ask;
  says: number | Refusal;
  other: Ask;
  refused: number | Refusal;
  none: Ask;
  by: string;
}): Row {
  const { own, says, other, refused, none, by } = context;
  return [
    { place: 'own', by, ask: own, says },
    { place: 'other', by, ask: other, says: refused, like: none },
    { place: 'missing', by: 'nothing but the configuration', ask: own, says },
    { place: 'conflicting', by: `${by}, header, host and body`, ask: misled(own), says },
    {
      place: 'conflicting',
      by: `${by} of another, header, host and body`,
      ask: misled(other, 'clinicdev'),
      says: refused,
      like: misled(none, 'clinicdev'),
    },
  ];
}
