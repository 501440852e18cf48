/** Django: the table auth_user as CSV, or the JSON of `dumpdata`. */
import { claim, fields, flag, type Shape, said, text, time, username } from './shape.ts';

export const django: Shape = {
  format: 'csv',
  read(record) {
    const isDump = 'model' in record;
    if (isDump && !/user$/i.test(String(record.model))) return undefined;
    const one = isDump ? { id: record.pk, ...fields(record.fields) } : record;
    const hash = text(one.password);
    return said({
      vendor_id: text(one.id),
      email: text(one.email),
      username: username(one.username),
      // A password that opens nothing begins with an exclamation mark.
      password_hash: hash?.startsWith('!') ? undefined : hash,
      status: flag(one.is_active) === false ? 'blocked' : undefined,
      given_name: claim(one.first_name),
      family_name: claim(one.last_name),
      created_at: time(one.date_joined),
    });
  },
};
