/** POST /users: a patient, with or without a password, and no token: the client signs in next. */
import { z } from 'zod';
import type { FieldIssue } from '../contract/dialect.ts';
import { json } from '../contract/reply.ts';
import {
  dob,
  email,
  genderField,
  hasBegun,
  leaveEmpty,
  maybe,
  name,
  password,
  phone,
  provinceCode,
  refuseShort,
} from './fields.ts';
import { inAMinute } from './limits.ts';
import { created, Failure } from './serializers.ts';
import { type CarePortalsSettings, endpoint } from './settings.ts';

/** Whatever else a client sends (roles, uname, meta, ...) is ignored and not kept. */
const schema = ({ phoneCountryCode }: CarePortalsSettings) => ({
  body: z.object({
    email,
    firstName: name,
    lastName: name,
    gender: genderField,
    phone: phone(phoneCountryCode),
    dob,
    password: maybe(password),
    provinceCode: leaveEmpty(provinceCode),
  }),
});

export const createAccount = endpoint({
  method: 'POST',
  path: '/users',
  summary: 'Create a patient',
  caller: 'anyone',
  counts: 'address',
  accepts: schema,
  async alsoJudge({ raw, issues, use }): Promise<FieldIssue[]> {
    const day = dob.safeParse(raw.dob);
    if (issues.length > 0 || !day.success || hasBegun(day.data, use.now())) return [];
    return [{ path: ['dob'], message: 'is invalid' }];
  },
  limits: inAMinute('create', 10, ['account-exists']),
  replies: { 201: created.schema, 400: Failure, 406: Failure, 409: Failure, 413: Failure, 429: Failure },
  async answer({ body, settings }, use) {
    if (body.password !== undefined) {
      refuseShort(body.password, settings.password.minLength);
      await use.passwords.judge(body.password, { minimum: 1 });
    }
    const account = await use.accounts.register(
      {
        email: body.email,
        ...(body.password !== undefined && { password: body.password }),
        claims: {
          given_name: body.firstName,
          family_name: body.lastName,
          gender: body.gender,
          birthdate: body.dob,
          phone_number: body.phone,
          phone_number_verified: false,
          ...(body.provinceCode !== undefined && { address: { region: body.provinceCode } }),
        },
        vendor: { role: 'patient' },
      },
      { passwordMinimum: 1 },
    );
    return json(201, created.show(account, settings));
  },
});
