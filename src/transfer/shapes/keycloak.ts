/** Keycloak: the JSON of `kc.sh export`, a realm with its users or the files of users beside it. */
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

export const keycloak: Shape = {
  format: 'json',
  read(record) {
    // Clients have users of their own.
    if (record.serviceAccountClientId !== undefined) return undefined;
    const links = list(record.federatedIdentities);
    return said({
      vendor_id: text(record.id),
      email: text(record.email),
      email_verified: flag(record.emailVerified),
      username: username(record.username),
      password_hash: hashOf(list(record.credentials).find(({ type }) => type === 'password')),
      status: flag(record.enabled) === false ? 'blocked' : undefined,
      given_name: claim(record.firstName),
      family_name: claim(record.lastName),
      identities: linked(links.map((one) => ({ provider: one.identityProvider, subject: one.userId }))),
      created_at: time(record.createdTimestamp),
    });
  },
};

/** Two members hold JSON: the secret, and how it was made. */
function hashOf(credential: Fields | undefined): string | undefined {
  if (credential === undefined) return undefined;
  const { secretData, credentialData } = credential;
  return JSON.stringify({ secretData: inner(secretData), credentialData: inner(credentialData) });
}
