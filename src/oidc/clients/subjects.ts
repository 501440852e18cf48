/**
 * Pairwise subjects (OIDC Core 8.1): clients of `subject_type: pairwise` know a person by a name that no client of
 * another sector knows, so that two of them cannot find out whom they have in common. A subject never changes: the
 * key of what is looked up stays when the server key rotates.
 *
 * One rule for all that names the person: the subject is the one that the client of the token or of the answer
 * knows. An API finds the same subject in an access token and at introspection: its client's.
 */
import type { Client } from 'oidc-provider';
import type { Secrets } from '../../core/crypto.ts';

/** What the client calls the account. */
export function subjectFor(
  accountId: string,
  { client, secrets }: { client: Client; secrets: Secrets },
): string {
  if (client.subjectType !== 'pairwise') return accountId;
  return secrets.hmac('pairwise', JSON.stringify([sectorOf(client), accountId]));
}

/**
 * Who shares subjects: clients with the same host. The redirect URIs of an app on a phone or a desktop name no host
 * of its own (`com.example:/callback`, `http://127.0.0.1`): it is a sector by itself unless it names one. One such
 * URI is enough, as the app gets its answers there whatever host the others name.
 */
function sectorOf({ clientId, applicationType, redirectUris = [], sectorIdentifierUri }: Client): object {
  if (sectorIdentifierUri !== undefined) return { host: new URL(sectorIdentifierUri).host };
  // The provider has found the same host in all of them, also after a scheme of the app's own.
  const [host = ''] = redirectUris.map((uri) => URL.parse(uri)?.host);
  const isOfHost =
    applicationType !== 'native' || redirectUris.every((uri) => URL.parse(uri)?.protocol === 'https:');
  return host !== '' && isOfHost ? { host } : { client: clientId };
}
