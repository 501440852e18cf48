/** A credential of Keycloak's export: two members, each JSON of its own, in one object. */
import type { Spelling } from './hash-family.ts';

interface Credential {
  readonly secretData?: unknown;
  readonly credentialData?: unknown;
}

export const keycloak: Spelling = [
  /^(\{.*"(?:secretData|credentialData)".*\})$/s,
  (json = '') => {
    const { secretData, credentialData } = parsed(json) as Credential;
    const { value, salt } = parsed(secretData);
    const { algorithm, hashIterations, additionalParameters } = parsed(credentialData);
    if (typeof value !== 'string' || typeof salt !== 'string') return undefined;
    const [plainSalt, key] = [salt, value].map((text) => text.replace(/=+$/, ''));
    if (algorithm !== 'argon2')
      return `$${algorithm}$${hashIterations}$${plainSalt}$${key}`.replaceAll('+', '.');
    // Each parameter is a list of one.
    const { type, version, memory, parallelism } = parsed(additionalParameters);
    const costs = `m=${memory},t=${hashIterations},p=${parallelism}`;
    const number = String(version) === '1.0' ? 16 : 19;
    return `$argon2${type}$v=${number}$${costs}$${plainSalt}$${key}`;
  },
];

/** Of JSON, or what is parsed already. */
function parsed(value: unknown): Readonly<Record<string, unknown>> {
  try {
    const members: unknown = typeof value === 'string' ? JSON.parse(value) : value;
    return typeof members === 'object' && members !== null ? { ...members } : {};
  } catch {
    return {};
  }
}
