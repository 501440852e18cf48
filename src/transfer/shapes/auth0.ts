/** Auth0: users-exports jobs (NDJSON), its export of password hashes, and the file of its bulk import (an array). */
import { claim, fields, flag, linked, list, type Shape, said, text, time, username } from './shape.ts';

export const auth0: Shape = {
  format: 'ndjson',
  read(record) {
    const id = text(fields(record._id).$oid);
    const custom = fields(fields(record.custom_password_hash).hash);
    const links = list(record.identities).map((one) => ({ provider: one.provider, subject: one.user_id }));
    return said({
      vendor_id: text(record.user_id) ?? (id && `auth0|${id}`),
      email: text(record.email),
      email_verified: flag(record.email_verified),
      username: username(record.username),
      password_hash: text(record.passwordHash ?? record.password_hash ?? custom.value),
      status: flag(record.blocked) ? 'blocked' : undefined,
      ...{ name: claim(record.name), given_name: claim(record.given_name) },
      ...{ family_name: claim(record.family_name), nickname: claim(record.nickname) },
      picture: claim(record.picture),
      phone_number: text(record.phone_number),
      phone_number_verified: flag(record.phone_verified),
      identities: linked(links),
      created_at: time(record.created_at),
    });
  },
};
