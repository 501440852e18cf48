/** WordPress: the table wp_users, or `wp user list`, as CSV or JSON. */
import { claim, flag, type Shape, said, text, time, username } from './shape.ts';

export const wordpress: Shape = {
  format: 'csv',
  read: (record) =>
    said({
      vendor_id: text(record.ID),
      email: text(record.user_email),
      username: username(record.user_login),
      password_hash: text(record.user_pass),
      // A network of several sites marks people so.
      status: flag(record.spam) || flag(record.deleted) ? 'blocked' : undefined,
      name: claim(record.display_name),
      given_name: claim(record.first_name),
      family_name: claim(record.last_name),
      website: claim(record.user_url),
      created_at: time(record.user_registered),
    }),
};
