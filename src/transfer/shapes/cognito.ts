/** Cognito: CSV with the header of `get-csv-header`, or the JSON of `list-users`. Cognito gives no hashes away. */
import {
  claim,
  type Fields,
  flag,
  inner,
  linked,
  list,
  type Shape,
  said,
  text,
  time,
  username,
} from './shape.ts';

export const cognito: Shape = {
  format: 'csv',
  read(record) {
    const attributes = list(record.Attributes).map(({ Name, Value }) => [String(Name), Value]);
    const one: Fields = { ...record, ...Object.fromEntries(attributes) };
    const links = list(inner(one.identities));
    const address = text(one.address);
    return said({
      vendor_id: text(one.sub) ?? text(one['cognito:username']) ?? text(one.Username),
      email: text(one.email),
      email_verified: flag(one.email_verified),
      username: username(one.preferred_username),
      status: flag(one.Enabled) === false ? 'blocked' : undefined,
      ...{ name: claim(one.name), given_name: claim(one.given_name), family_name: claim(one.family_name) },
      ...{ middle_name: claim(one.middle_name), nickname: claim(one.nickname) },
      ...{ profile: claim(one.profile), website: claim(one.website), picture: claim(one.picture) },
      ...{ gender: claim(one.gender), zoneinfo: claim(one.zoneinfo), locale: claim(one.locale) },
      birthdate: text(one.birthdate)?.replace(/^(\d\d)\/(\d\d)\/(\d{4})$/, '$3-$1-$2'),
      phone_number: text(one.phone_number),
      phone_number_verified: flag(one.phone_number_verified),
      address: address === undefined ? undefined : { formatted: address },
      identities: linked(
        links.map(({ providerName, userId }) => ({ provider: providerName, subject: userId })),
      ),
      created_at: time(one.UserCreateDate),
    });
  },
};
