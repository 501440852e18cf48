/** ASP.NET Identity: the table AspNetUsers. */
import { flag, type Shape, said, text, username } from './shape.ts';

export const aspnet: Shape = {
  format: 'csv',
  read: (record) =>
    said({
      vendor_id: text(record.Id),
      email: text(record.Email),
      email_verified: flag(record.EmailConfirmed),
      username: username(record.UserName),
      password_hash: text(record.PasswordHash),
      // Locked out by hand: until the end of time.
      status: text(record.LockoutEnd)?.startsWith('9999') ? 'blocked' : undefined,
      phone_number: text(record.PhoneNumber),
      phone_number_verified: flag(record.PhoneNumberConfirmed),
    }),
};
