/** GET /me: the own profile. POST /me: changes it, or sets the password. All or nothing. */
import { z } from 'zod';
import { Refused } from '../../contract/dialect.ts';
import type { AccountView } from '../../contract/endpoint.ts';
import { ok } from '../../contract/reply.ts';
import type { AccountChanges, Use } from '../../contract/use.ts';
import * as fields from '../fields.ts';
import { failures, faulty } from '../refusals.ts';
import { ChangedMeReply, changedMeReply, MeReply, meReply } from '../serializers.ts';
import { endpoint, type VSeeSettings } from '../settings.ts';
import { address } from './address.ts';
import { bornUntilToday } from './born-until-today.ts';
import { TIME_ZONES } from './time-zones.ts';

const { clearable, filled, optional, orEmpty, password, text } = fields;

const photoSize = text({ limit: 9, rule: (sent) => /^\d{1,4}x\d{1,4}$/.exec(sent)?.[0] });

export const showMe = endpoint({
  method: 'GET',
  path: '/me',
  summary: 'The own profile',
  caller: 'token',
  counts: 'nothing',
  accepts: { query: z.object({ user_photo_size: optional('user_photo_size', photoSize) }) },
  replies: { 200: MeReply, ...failures(400, 401, 503) },
  async answer({ query, caller, organization }) {
    return ok(meReply(caller.account, organization, query.user_photo_size));
  },
});

const pcpPhone = text({
  limit: 64,
  numbers: true,
  rule: (sent) => /^\d{10}$/.exec(sent.replace(/[\s.()-]/g, ''))?.[0],
});
const timezone = text({ limit: 64, rule: (sent) => (TIME_ZONES.has(sent) ? sent : undefined) });

/** Portico keeps no files: an id is put behind `filesBase`, and without that none is taken. */
function photo({ filesBase }: VSeeSettings) {
  const rule = (id: string) =>
    filesBase !== undefined && /^[A-Za-z0-9-]{1,64}$/.test(id) ? filesBase + id : undefined;
  return text({ limit: 64, rule });
}

/** Where a person is: an object, its JSON as text, or the form's `gps[lat]` and `gps[long]`. */
export const gps: fields.Reader<{ lat: number; long: number }> = {
  documented: { type: ['object', 'string'], description: 'lat -90 to 90 and long -180 to 180' },
  read(value) {
    const sent = fields.objectOf(value);
    const lat = degrees(sent?.lat, 90);
    const long = degrees(sent?.long, 180);
    return lat === undefined || long === undefined ? fields.WRONG : { lat, long };
  },
};

function degrees(value: unknown, most: number): number | undefined {
  const isNumberText = typeof value === 'string' && /^[+-]?\d{1,3}(\.\d{1,20})?$/.test(value);
  const number = isNumberText ? Number(value) : value;
  return typeof number === 'number' && Math.abs(number) <= most ? number : undefined;
}

/**
 * Members that are not named here are ignored, so that a client may send a whole profile back; no caller can
 * raise their own type that way.
 */
const accepts = (settings: VSeeSettings) => ({
  body: z.object({
    password: orEmpty('password', password),
    old_password: optional('old_password', password),
    dob: clearable('dob', fields.date),
    gender: clearable('gender', fields.gender),
    nationality: clearable('nationality', text({ limit: 100 })),
    tos: filled('tos', fields.flag),
    phone: clearable('phone', text({ limit: 32, numbers: true })),
    first_name: filled('first_name', text({ limit: 100 })),
    last_name: filled('last_name', text({ limit: 100 })),
    street_addr: clearable('street_addr', text({ limit: 100 })),
    city: clearable('city', text({ limit: 100, numbers: true })),
    state: clearable('state', fields.stateCode),
    zip: clearable('zip', text({ limit: 10, numbers: true })),
    pcp_name: clearable('pcp_name', text({ limit: 100 })),
    pcp_phone: clearable('pcp_phone', pcpPhone),
    timezone: filled('timezone', timezone),
    photo: clearable('photo', photo(settings)),
    gps: filled('gps', gps),
  }),
});

type Body = z.output<ReturnType<typeof accepts>['body']>;

export const changeMe = endpoint({
  method: 'POST',
  path: '/me',
  summary: 'Change the own profile or password',
  caller: 'token',
  counts: 'sign-in',
  accepts,
  alsoJudge: bornUntilToday(['password', 'old_password']),
  replies: { 200: ChangedMeReply, ...failures(400, 401, 403, 413, 429, 503) },
  async answer({ body, caller, settings, organization }, use) {
    const account = caller.account;
    if (body.password === undefined && body.old_password === undefined) {
      return ok(
        changedMeReply(
          await use.accounts.update(account.id, (current) => changes(body, current)),
          organization,
        ),
      );
    }
    const chosen = await judged(use, { account, body, minimum: settings.passwordMinimum });
    const changed = await use.passwords.set(account.id, chosen, {
      minimum: settings.passwordMinimum,
      changes: changes(body, account),
    });
    return ok(changedMeReply(changed, organization));
  },
});

/** The new password, when the old one was right: the token alone must not be enough to take an account over. */
async function judged(
  use: Use,
  { account, body, minimum }: { account: AccountView; body: Body; minimum: number },
): Promise<string> {
  if (body.password === undefined) throw faulty('password', 'password is required');
  if (body.old_password === undefined) {
    if (account.hasPassword) throw faulty('old_password', 'old_password is required');
  } else if (!(await use.passwords.check(account.id, body.old_password))) {
    throw new Refused('wrong-password');
  }
  await use.passwords.judge(body.password, { minimum });
  return body.password;
}

function changes(body: Body, current: AccountView): AccountChanges {
  return {
    claims: {
      birthdate: body.dob,
      gender: body.gender,
      phone_number: body.phone,
      given_name: body.first_name,
      family_name: body.last_name,
      zoneinfo: body.timezone,
      picture: body.photo,
      address: address(body, current.claims.address),
    },
    vendor: {
      nationality: body.nationality,
      tos: body.tos,
      pcp_name: body.pcp_name,
      pcp_phone: body.pcp_phone,
      gps: body.gps && { ...body.gps },
    },
  };
}
