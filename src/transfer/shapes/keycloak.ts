/** Keycloak: the JSON of `kc.sh export`, a realm with its users or the files of users beside it. */
import { claim, fields, flag, inner, linked, list, type Shape, said, text, time, username } from './shape.ts';

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
function hashOf(credential: unknown): string | undefined {
  if (credential === undefined) return undefined;
  const secret = fields(inner(fields(credential).secretData));
  const {
    algorithm,
    hashIterations: rounds,
    additionalParameters,
  } = fields(inner(fields(credential).credentialData));
  const more = fields(additionalParameters);
  const first = (value: unknown) => text(Array.isArray(value) ? value[0] : value);
  const [salt, key] = [secret.salt, secret.value].map((each) => String(each ?? '').replace(/=+$/, ''));
  if (algorithm !== 'argon2') {
    const digest = String(algorithm)
      .replace(/^pbkdf2$/, 'pbkdf2-sha1')
      .replace('pbkdf2-sha1', 'pbkdf2');
    return `$${digest}$${rounds}$${salt}$${key}`.replaceAll('+', '.');
  }
  const version = first(more.version) === '1.0' ? 16 : 19;
  const cost = `m=${first(more.memory)},t=${rounds},p=${first(more.parallelism)}`;
  return `$argon2${first(more.type)}$v=${version}$${cost}$${salt}$${key}`;
}
