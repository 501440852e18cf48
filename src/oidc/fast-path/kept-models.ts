import type Provider from 'oidc-provider';
import { type ModelOfRecords, modelsOfRecords } from '../extensions/models.ts';
import type { OidcRecord, OidcRecords } from '../persistence/records.ts';

/** Records as the provider's models find them, expired ones too: each is made once, and read at every request. */
export function keptModels(provider: Provider, oidcRecords: Pick<OidcRecords, 'read' | 'load'>) {
  const { AccessToken, ClientCredentials, RefreshToken, Grant } = modelsOfRecords(provider);
  return {
    findAccessToken: finder('AccessToken', AccessToken, oidcRecords.read),
    findOwnToken: finder('ClientCredentials', ClientCredentials, oidcRecords.read),
    /** Read once, since it is used once. */
    findRefreshToken: finder('RefreshToken', RefreshToken, oidcRecords.load),
    findGrant: finder('Grant', Grant, oidcRecords.read),
  };
}

function finder<Made>(kind: string, model: ModelOfRecords<Made>, read: OidcRecords['read' | 'load']) {
  const made = new WeakMap<OidcRecord, Promise<Made | undefined>>();
  const make = async ({ payload }: OidcRecord) => {
    try {
      return model.instantiate(await model.verify(payload, { ignoreExpiration: true }));
    } catch {
      // The provider takes it for none.
      return undefined;
    }
  };
  return async (value: string): Promise<Made | undefined> => {
    const record = await read(kind, value);
    if (record === undefined || record.consumedAt !== undefined) return undefined;
    const known = made.get(record) ?? make(record);
    made.set(record, known);
    return known;
  };
}
