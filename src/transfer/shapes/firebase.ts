/** Firebase: the JSON of `firebase auth:export`. */
import { claim, flag, linked, list, type Shape, said, text, time } from './shape.ts';

export const firebase: Shape = {
  format: 'json',
  read(record) {
    const links = list(record.providerUserInfo);
    const phone = text(record.phoneNumber);
    return said({
      vendor_id: text(record.localId),
      email: text(record.email),
      email_verified: flag(record.emailVerified),
      password_hash: text(record.passwordHash),
      password_salt: text(record.salt),
      status: flag(record.disabled) ? 'blocked' : undefined,
      name: claim(record.displayName),
      picture: claim(record.photoUrl),
      phone_number: phone,
      // Firebase takes a number only with the code that it sent there.
      phone_number_verified: phone === undefined ? undefined : true,
      identities: linked(links.map((one) => ({ provider: one.providerId, subject: one.rawId }))),
      created_at: time(record.createdAt),
    });
  },
};
