import { randomToken } from '../../../../src/core/crypto.ts';
import { linkIdentity } from '../../../../src/identity/upstream/link-identity.ts';
import { visitnote } from '../../vendors.ts';
import { PASSWORD, type Sent } from '../world.ts';
import { type Ask, type Cast, oneOrganization, type Row } from './questions.ts';

const BASE = '/api/therapist/v1';
const [HERE, ELSEWHERE] = ['default', 'clinicdev'] as const;

const post = (path: string, json: unknown, headers = {}): Sent => ({
  method: 'POST',
  path: `${BASE}${path}`,
  json,
  headers,
});

const nobody = () => `${randomToken('nobody-').toLowerCase()}@matrix.test`;

/** `organization` undefined: a token that nobody has. */
const tokenOf = async (cast: Cast, organization: string | undefined) =>
  organization === undefined
    ? 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.bm9uZQ'
    : (await cast.world.mint(visitnote, await cast.person(organization))).access;

function bearer(method: string, path: string, json?: unknown): Row {
  const at = (organization?: string): Ask => {
    return async (cast) => ({
      method,
      path: `${BASE}${path}`,
      headers: visitnote.me.headers(await tokenOf(cast, organization)),
      ...(json === undefined ? {} : { json }),
    });
  };
  const { deadToken: refused } = visitnote;
  return oneOrganization({
    own: at(HERE),
    says: 200,
    other: at(ELSEWHERE),
    refused,
    none: at(),
    by: 'token',
  });
}

/** The account goes with its deletion: each request has one of its own. */
const deletion =
  (organization: string): Ask =>
  async ({ world }) => {
    const { access } = await world.mint(visitnote, await world.person({ organization }));
    return post('/delete-account', { password: PASSWORD }, visitnote.me.headers(access));
  };

const signInAs =
  (email: (cast: Cast) => Promise<string>): Ask =>
  async (cast) =>
    post('/sign-in', { email: await email(cast), password: PASSWORD });

const registerAs =
  (email: (cast: Cast) => Promise<string>): Ask =>
  async (cast) =>
    post('/register', {
      first_name: 'Ada',
      last_name: 'Quill',
      email: await email(cast),
      password: PASSWORD,
    });

/** An identity of Google's, linked to a person of the organization when one is named. */
function social(
  path: string,
  organization: string | undefined,
  email?: (cast: Cast) => Promise<string>,
): Ask {
  return async (cast) => {
    const { world } = cast;
    const sub = randomToken('google-');
    const address = (await email?.(cast)) ?? nobody();
    if (organization !== undefined) {
      const account = await world.person({ organization, password: null });
      const issuer = world.server.upstream.issuers.google;
      await linkIdentity(world.server.running.identity, { accountId: account.id, issuer, subject: sub });
    }
    const claims = { sub, email: address, email_verified: true };
    const idToken = await world.server.upstream.signIdToken('google', claims);
    const names = { email: address, first_name: 'Ada', last_name: 'Quill' };
    return post(path, { provider: 'google', id_token: idToken, ...names });
  };
}

/** A fresh person each time: the first registration of the address elsewhere takes it here. */
const emailIn = (organization: string) => async (cast: Cast) =>
  (await cast.world.person({ organization, password: null })).email ?? '';
const unknown = async () => nobody();

export const rows: Readonly<Record<string, Row>> = {
  'visitnote GET /api/therapist/v1/my-profile': bearer('GET', '/my-profile'),
  'visitnote POST /api/therapist/v1/complete-onboarding': bearer('POST', '/complete-onboarding', {
    discipline: 'PT',
  }),
  'visitnote POST /api/therapist/v1/logout': bearer('POST', '/logout', {}),
  'visitnote POST /api/therapist/v1/delete-account': oneOrganization({
    own: deletion(HERE),
    says: 200,
    other: deletion(ELSEWHERE),
    refused: visitnote.deadToken,
    none: async (cast) =>
      post('/delete-account', { password: PASSWORD }, visitnote.me.headers(await tokenOf(cast, undefined))),
    by: 'token',
  }),
  'visitnote POST /api/therapist/v1/sign-in': oneOrganization({
    own: signInAs((cast) => cast.email(HERE)),
    says: 200,
    other: signInAs((cast) => cast.email(ELSEWHERE)),
    refused: visitnote.refused,
    none: signInAs(unknown),
    by: 'name',
  }),
  'visitnote POST /api/therapist/v1/sign-in/social': oneOrganization({
    own: social('/sign-in/social', HERE),
    says: 200,
    other: social('/sign-in/social', ELSEWHERE),
    refused: { status: 404, json: { status: false, message: 'Account not found' } },
    none: social('/sign-in/social', undefined),
    by: 'linked identity',
  }),
  'visitnote POST /api/therapist/v1/register': oneOrganization({
    own: registerAs(emailIn(HERE)),
    says: {
      status: 422,
      json: {
        status: false,
        message: 'The given data was invalid.',
        errors: { email: ['Email already taken'] },
      },
    },
    other: registerAs(emailIn(ELSEWHERE)),
    refused: 200,
    none: registerAs(unknown),
    by: 'name',
  }),
  'visitnote POST /api/therapist/v1/register/social': oneOrganization({
    own: social('/register/social', undefined, emailIn(HERE)),
    says: { status: 409, json: { status: false, message: 'Account already exists' } },
    other: social('/register/social', undefined, emailIn(ELSEWHERE)),
    refused: 200,
    none: social('/register/social', undefined),
    by: 'name in the ID token',
  }),
};
