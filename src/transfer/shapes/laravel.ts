/** Laravel: the table users. */
import { claim, type Shape, said, text, time, username } from './shape.ts';

export const laravel: Shape = {
  format: 'csv',
  read: (record) =>
    said({
      vendor_id: text(record.id),
      email: text(record.email),
      email_verified:
        'email_verified_at' in record ? text(record.email_verified_at) !== undefined : undefined,
      username: username(record.username),
      password_hash: text(record.password),
      name: claim(record.name),
      created_at: time(record.created_at),
    }),
};
