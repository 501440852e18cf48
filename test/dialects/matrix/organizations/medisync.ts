import { expect } from 'chai';
import { randomToken } from '../../../../src/core/crypto.ts';
import { readLinkToken, sendLinkToken } from '../../../../src/identity/codes/link-token.ts';
import { medisync } from '../../vendors.ts';
import { PASSWORD, type Sent } from '../world.ts';
import { type Ask, type Cast, oneOrganization, type Question, type Row } from './questions.ts';

const PURPOSE = 'medisync-verification';
const [HERE, ELSEWHERE] = ['default', 'clinicdev'] as const;

const post = (path: string, json: unknown, headers = {}): Sent => ({
  method: 'POST',
  path: `/api${path}`,
  json,
  headers,
});
const nobody = () => `${randomToken('nobody-').toLowerCase()}@matrix.test`;

async function credentialOf(cast: Cast, organization: string | undefined): Promise<Record<string, string>> {
  const token =
    organization === undefined
      ? 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.bm9uZQ'
      : (await cast.world.mint(medisync, await cast.person(organization))).access;
  return medisync.me.headers(token);
}

function bearer(method: string, path: string, json?: unknown): Row {
  const at =
    (organization?: string): Ask =>
    async (cast) => ({
      method,
      path: `/api${path}`,
      headers: await credentialOf(cast, organization),
      ...(json === undefined ? {} : { json }),
    });
  const { deadToken: refused } = medisync;
  return oneOrganization({
    own: at(HERE),
    says: 200,
    other: at(ELSEWHERE),
    refused,
    none: at(),
    by: 'token',
  });
}

const signInAs =
  (email: (cast: Cast) => Promise<string>): Ask =>
  async (cast) =>
    post('/login', { email: await email(cast), password: PASSWORD });

const registerAs =
  (email: (cast: Cast) => Promise<string>): Ask =>
  async (cast) =>
    post('/register', {
      title: 'Dr.',
      firstName: 'Ada',
      lastName: 'Quill',
      email: await email(cast),
      password: PASSWORD,
      specialty: 'Neurology',
      ehr_system_type: 'Epic',
      ehr_system_name: 'East',
    });

const emailIn = (organization: string) => async (cast: Cast) =>
  (await cast.world.person({ organization, password: null })).email ?? '';

/** A verification link's token, of a person of the organization. */
async function linkToken(cast: Cast, organization: string | undefined): Promise<string> {
  if (organization === undefined) return randomToken('vt_');
  const { world } = cast;
  const account = await world.person({ organization, verified: false, password: null });
  await sendLinkToken(world.server.running.identity, {
    account,
    purpose: PURPOSE,
    prefix: 'vt_',
    lifetime: 600,
    link: 'https://portal.test/?token={token}',
    email: 'verify-address',
    supersedes: true,
  });
  const letter = await world.server.mail.take(account.email ?? '');
  return /token=(vt_[\w-]+)/.exec(letter.text)?.[1] ?? '';
}

const page =
  (organization?: string): Ask =>
  async (cast) => ({
    method: 'GET',
    path: `/api/verification/verify?token=${await linkToken(cast, organization)}`,
  });
const verify =
  (organization?: string): Ask =>
  async (cast) =>
    post('/verification/verify', { token: await linkToken(cast, organization) });

/** The link of another organization is as good there as before. */
function notUsedUp(): Question {
  let token = '';
  return {
    place: 'other',
    by: 'link, which is not used up',
    async ask(cast) {
      token = await linkToken(cast, ELSEWHERE);
      return post('/verification/verify', { token });
    },
    says: 400,
    async besides({ world }) {
      const { identity } = world.server.running;
      const input = { token, purpose: PURPOSE };
      expect(await readLinkToken(identity, { ...input, organization: ELSEWHERE })).to.not.equal(undefined);
      // Judged twice: where the link is opened, and again by the account that it leads to.
      expect(await readLinkToken(identity, { ...input, organization: HERE })).to.equal(undefined);
    },
  };
}

const resend =
  (email: (cast: Cast) => Promise<string>): Ask =>
  async (cast) =>
    post('/verification/resend', { email: await email(cast) });
const resendByToken =
  (organization?: string): Ask =>
  async (cast) =>
    post('/verification/resend', {}, await credentialOf(cast, organization));

export const rows: Readonly<Record<string, Row>> = {
  'medisync GET /api/user/profile': bearer('GET', '/user/profile'),
  'medisync PUT /api/user/profile': bearer('PUT', '/user/profile', { title: 'Dr.' }),
  'medisync GET /api/settings/subscription': bearer('GET', '/settings/subscription'),
  'medisync POST /api/login': oneOrganization({
    own: signInAs((cast) => cast.email(HERE)),
    says: 200,
    other: signInAs((cast) => cast.email(ELSEWHERE)),
    refused: medisync.refused,
    none: signInAs(async () => nobody()),
    by: 'name',
  }),
  'medisync POST /api/register': oneOrganization({
    own: registerAs(emailIn(HERE)),
    says: 409,
    other: registerAs(emailIn(ELSEWHERE)),
    refused: 201,
    none: registerAs(async () => nobody()),
    by: 'name',
  }),
  'medisync POST /api/verification/resend': [
    ...oneOrganization({
      own: resend(async (cast) => {
        const more = { verified: false };
        return (await cast.world.person({ organization: HERE, ...more })).email ?? '';
      }),
      says: 200,
      other: resend((cast) => cast.silentEmail(ELSEWHERE, 'unverified', { verified: false })),
      refused: 200,
      none: resend(async () => nobody()),
      by: 'name',
    }),
    ...oneOrganization({
      own: resendByToken(HERE),
      says: 200,
      other: resendByToken(ELSEWHERE),
      refused: medisync.deadToken,
      none: resendByToken(),
      by: 'token',
    }),
  ],
  'medisync GET /api/verification/verify': oneOrganization({
    own: page(HERE),
    says: 200,
    other: page(ELSEWHERE),
    refused: 200,
    none: page(),
    by: 'link',
  }),
  'medisync POST /api/verification/verify': [
    ...oneOrganization({
      own: verify(HERE),
      says: 200,
      other: verify(ELSEWHERE),
      refused: 400,
      none: verify(),
      by: 'link',
    }),
    notUsedUp(),
  ],
};
